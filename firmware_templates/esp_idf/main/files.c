/* SPDX-License-Identifier: Apache-2.0 */
/* File-fed camera and microphone of the linux target. Files are mapped: a task may be suspended inside malloc or stdio
 * by the simulated tick, and another one would then wait for their locks forever. */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "candidate.h"
#include "capture.h"

#if CANDIDATE_FACE
#include "ts_image.h"
#endif

#if CANDIDATE_FACE
/* One number of a PPM header, after blanks and comments; 0 where there is none. */
static uint32_t header_number(const uint8_t *bytes, size_t size, size_t *at)
{
    uint32_t value = 0;
    while (*at < size && (strchr(" \t\r\n", bytes[*at]) != NULL || bytes[*at] == '#')) {
        if (bytes[*at] == '#') {
            while (*at < size && bytes[*at] != '\n') {
                ++*at;
            }
        } else {
            ++*at;
        }
    }
    while (*at < size && bytes[*at] >= '0' && bytes[*at] <= '9' && value < 100000) {
        value = value * 10 + (uint32_t)(bytes[(*at)++] - '0');
    }
    return value;
}

static const char *picture(const capture_target *target, const uint8_t *bytes, size_t size)
{
    size_t at = 2;
    const uint32_t channels = bytes[1] == '6' ? 3 : 1;
    const uint32_t width = header_number(bytes, size, &at), height = header_number(bytes, size, &at);
    const uint32_t most = header_number(bytes, size, &at);
    at++;
    if (width == 0 || height == 0 || width > 4096 || height > 4096 || most != 255 ||
        at + (size_t)width * height * channels > size) {
        return "this picture is not a complete 8-bit PPM or PGM";
    }
    return frontend_image(target, bytes + at, width, height, channels == 3 ? TS_PIXEL_RGB888 : TS_PIXEL_GRAY);
}
#endif

#if CANDIDATE_VOICE
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

static const char *sound(const capture_target *target, const uint8_t *bytes, size_t size)
{
    const size_t room = frontend_clip_samples();
    int16_t *clip = frontend_clip();
    if (size >= 12 && memcmp(bytes, "RIFF", 4) == 0 && memcmp(bytes + 8, "WAVE", 4) == 0) {
        const char *problem = open_wav(&bytes, &size);
        if (problem != NULL) {
            return problem;
        }
    }
    const size_t have = size / 2;
    if (have == 0) {
        return "this recording is empty";
    }
    /* Longer recordings give their middle, shorter ones are repeated, as in training. */
    const size_t first = have > room ? (have - room) / 2 : 0;
    for (size_t i = 0; i < room; i++) {
        const uint8_t *sample = bytes + 2 * ((first + i) % have);
        clip[i] = (int16_t)(sample[0] | sample[1] << 8);
    }
    return frontend_sound(target);
}
#endif

static const char *convert(const capture_target *target, const uint8_t *bytes, size_t size)
{
    if (size == target->model->input_bytes) {
        for (size_t i = 0; i < size; i++) {
            target->input[i] = (int8_t)((int)bytes[i] - 128);
        }
        return NULL;
    }
#if CANDIDATE_FACE
    if (strcmp(target->model->name, "face") == 0 && size > 8 && bytes[0] == 'P' && (bytes[1] == '5' || bytes[1] == '6')) {
        return picture(target, bytes, size);
    }
#endif
#if CANDIDATE_VOICE
    if (strcmp(target->model->name, "voice") == 0) {
        return sound(target, bytes, size);
    }
#endif
    return "this file is neither an input's bytes nor a PPM, PGM, WAV or PCM of this branch";
}

const char *files_capture(const capture_target *target, const char *path)
{
    const char *problem = "this file cannot be read";
    struct stat about;
    const int file = open(path, O_RDONLY);
    if (file >= 0 && fstat(file, &about) == 0 && S_ISREG(about.st_mode) && about.st_size > 0) {
        const size_t size = (size_t)about.st_size;
        void *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, file, 0);
        if (bytes != MAP_FAILED) {
            problem = convert(target, bytes, size);
            munmap(bytes, size);
        }
    }
    if (file >= 0) {
        close(file);
    }
    return problem;
}
