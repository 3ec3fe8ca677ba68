/* SPDX-License-Identifier: Apache-2.0 */
#include "window.h"

#include <string.h>

#include "candidate.h"
#include "port.h"
#include "sdkconfig.h"

static int16_t *windows[CANDIDATE_BRANCHES];

const ts_window_layer *window_layer(unsigned branch)
{
    return candidate_layers[branch];
}

int16_t *window_samples(unsigned branch)
{
    return windows[branch];
}

const char *window_prepare(unsigned branch)
{
    const ts_window_layer *layer = window_layer(branch);
    const size_t bytes = (size_t)layer->samples * layer->axes * sizeof windows[0][0];
    windows[branch] = port_memory(bytes, candidate_buffer_in_psram[branch]);
    if (windows[branch] == NULL || input_reserve(branch, ts_window_scratch_bytes(layer)) != 0) {
        return "no memory for a window";
    }
    return NULL;
}

/* Samples were judged before they became an image; that of a sensor at rest may well be the same everywhere. */
const char *window_judge(const ts_model *model, const int8_t *input)
{
    (void)model;
    (void)input;
    return NULL;
}

uint32_t window_advance(const capture_target *target, int16_t **first)
{
    const ts_window_layer *layer = window_layer(target->branch);
    int16_t *samples = windows[target->branch];
    const uint32_t hop = candidate_hops[target->branch];
    if (target->window <= 0 || hop >= layer->samples) {
        *first = samples;
        return layer->samples;
    }
    const size_t kept = (size_t)(layer->samples - hop) * layer->axes;
    memmove(samples, samples + (size_t)hop * layer->axes, kept * sizeof samples[0]);
    *first = samples + kept;
    return hop;
}

const char *window_image(const capture_target *target)
{
    const ts_window_layer *layer = window_layer(target->branch);
    const int16_t *samples = windows[target->branch];
    const size_t row = layer->axes * sizeof samples[0];
    uint32_t same = 1;
    while (same < layer->samples && memcmp(samples, samples + (size_t)same * layer->axes, row) == 0) {
        same++;
    }
    if (same == layer->samples) {
        return "this window stands still to the last bit: is the sensor connected?";
    }
    ts_window(layer, samples, target->input, input_scratch(target, ts_window_scratch_bytes(layer)));
    return NULL;
}

#if CONFIG_IDF_TARGET_LINUX
const char *window_file(const capture_target *target, const uint8_t *bytes, size_t size, int raw)
{
    const ts_window_layer *layer = window_layer(target->branch);
    int16_t *samples = windows[target->branch];
    const size_t row = (size_t)layer->axes * 2, have = size / row, values = (size_t)layer->samples * layer->axes;
    if (!raw) {
        return "a file of 16-bit samples must be named .raw";
    }
    if (size % row != 0 || have < layer->samples) {
        return "this file does not hold a window of 16-bit samples, an axis after the other";
    }
    const long first = input_window_start(target, have, layer->samples);
    if (first < 0) {
        return capture_end;
    }
    for (size_t i = 0; i < values; i++) {
        const uint8_t *sample = bytes + (size_t)first * row + 2 * i;
        samples[i] = (int16_t)(sample[0] | sample[1] << 8);
    }
    return window_image(target);
}
#endif
