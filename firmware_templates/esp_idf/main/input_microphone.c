/* SPDX-License-Identifier: Apache-2.0 */
#include "input_microphone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "candidate.h"
#include "capture_signal.h"
#include "port.h"
#include "sdkconfig.h"
#include "ts_log_mel.h"

static int16_t *clips[CANDIDATE_BRANCHES];

static const ts_log_mel_layer *layer_of(unsigned branch)
{
    return candidate_layers[branch];
}

static const char *prepare(unsigned branch)
{
    const ts_log_mel_layer *layer = layer_of(branch);
    clips[branch] = port_memory(layer->clip_samples * sizeof clips[0][0], candidate_buffer_in_psram[branch]);
    if (clips[branch] == NULL || input_reserve(branch, ts_log_mel_scratch_bytes(layer)) != 0) {
        return "no memory for a recording";
    }
    return NULL;
}

int16_t *microphone_clip(unsigned branch)
{
    return clips[branch];
}

uint32_t microphone_samples(unsigned branch)
{
    return layer_of(branch)->clip_samples;
}

const char *microphone_sound(const capture_target *target)
{
    const ts_log_mel_layer *layer = layer_of(target->branch);
    const int16_t *clip = clips[target->branch];
    const char *problem = capture_signal_problem(capture_judge_clip(clip, layer->clip_samples));
    if (problem == NULL) {
        ts_log_mel(layer, clip, target->input, input_scratch(target, ts_log_mel_scratch_bytes(layer)));
    }
    return problem;
}

#if CONFIG_IDF_TARGET_LINUX
enum { RATE_HZ = 16000 };

static uint32_t little_endian(const uint8_t *bytes, unsigned count)
{
    uint32_t value = 0;
    while (count-- > 0) {
        value = value << 8 | bytes[count];
    }
    return value;
}

/* Narrows bytes and size to the samples of a WAV. NULL, or why it is of no use. */
static const char *open_wav(const uint8_t **bytes, size_t *size)
{
    size_t at = 12;
    int format_seen = 0;
    while (*size - at >= 8) {
        const uint8_t *chunk = *bytes + at, *body = chunk + 8;
        const size_t left = *size - at - 8, stated = little_endian(chunk + 4, 4);
        const size_t length = stated < left ? stated : left; /* a stream's header may state more than came */
        if (memcmp(chunk, "fmt ", 4) == 0 && length >= 16) {
            const uint32_t tag = little_endian(body, 2);
            format_seen = (tag == 1 || tag == 0xFFFE) && little_endian(body + 2, 2) == 1 &&
                          little_endian(body + 4, 4) == RATE_HZ && little_endian(body + 14, 2) == 16;
        } else if (memcmp(chunk, "data", 4) == 0) {
            *bytes = body;
            *size = length;
            return format_seen ? NULL : "this WAV is not 16-bit mono at 16 kHz";
        }
        at += 8 + length + length % 2;
        if (at > *size) {
            break;
        }
    }
    return "this WAV has no samples";
}

static const char *file(const capture_target *target, const uint8_t *bytes, size_t size, int raw)
{
    const size_t room = microphone_samples(target->branch);
    int16_t *clip = clips[target->branch];
    if (size >= 12 && memcmp(bytes, "RIFF", 4) == 0 && memcmp(bytes + 8, "WAVE", 4) == 0) {
        const char *problem = open_wav(&bytes, &size);
        if (problem != NULL) {
            return problem;
        }
    } else if (!raw) {
        return "this file is no WAV; 16-bit samples without a header must be named .raw or .pcm";
    }
    const size_t have = size / 2;
    if (have == 0) {
        return "this recording is empty";
    }
    /* Longer recordings give their middle, shorter ones are repeated, as in training. */
    const long first = input_window_start(target, have, room);
    if (first < 0) {
        return capture_end;
    }
    for (size_t i = 0; i < room; i++) {
        const uint8_t *sample = bytes + 2 * (((size_t)first + i) % have);
        clip[i] = (int16_t)(sample[0] | sample[1] << 8);
    }
    return microphone_sound(target);
}
#endif

/* How loud it was, or all samples in hexadecimal, lowest byte first. */
static void show(unsigned branch, int all)
{
    enum { A_LINE = 32 };
    const int16_t *clip = clips[branch];
    const uint32_t samples = microphone_samples(branch);
    int64_t sum = 0;
    int peak = 0;
    for (uint32_t i = 0; i < samples; i++) {
        sum += abs(clip[i]);
        peak = abs(clip[i]) > peak ? abs(clip[i]) : peak;
    }
    printf("signal recording level %d peak %d of 32767\n", (int)(sum / (int64_t)samples), peak);
    for (uint32_t i = 0; all && i < samples; i++) {
        const unsigned value = (uint16_t)clip[i];
        printf("%02x%02x%s", value & 255u, value >> 8, (i + 1) % A_LINE == 0 || i + 1 == samples ? "\n" : "");
    }
}

/* Sound was judged before it became a spectrogram. */
const input_kind input_microphone = {
    .name = "microphone",
    .prompt = "speak now",
    .show = show,
    .prepare = prepare,
    .judge = input_judge_any,
#if CONFIG_IDF_TARGET_LINUX
    .file = file,
#endif
#if CONFIG_TS_CAPTURE_HARDWARE
    .open = microphone_open,
    .take = microphone_capture,
    .close = microphone_close,
#endif
};
