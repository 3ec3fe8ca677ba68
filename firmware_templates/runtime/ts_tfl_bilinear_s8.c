/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_tfl_bilinear_s8.h"

enum { FRACTION = 1 << 10, HALF = 1 << 19, ONE = 1 << 20 };

/* The two neighbors of a place, and the weight of the second. */
typedef struct {
    int32_t low, high, weight;
} neighbors;

static neighbors neighbors_of(const ts_tfl_bilinear_axis *axis, int32_t place)
{
    neighbors found;
    found.low = ts_tfl_larger(place / FRACTION, 0);
    found.high = ts_tfl_smaller((place + FRACTION - 1) / FRACTION, axis->inputs - 1);
    found.weight = place - FRACTION * found.low;
    return found;
}

size_t ts_tfl_bilinear_s8_scratch_bytes(const ts_tfl_bilinear_s8_layer *layer)
{
    (void)layer;
    return 0;
}

/* One pixel between those at x.low and x.high of two rows. */
static void pixel(const int8_t *upper, const int8_t *lower, int32_t down, neighbors x, int32_t channels, int8_t *output)
{
    const int8_t *upper_right = upper + x.high * channels, *lower_right = lower + x.high * channels;
    const int8_t *const end = output + channels;
    const int32_t up = FRACTION - down, right = x.weight, left = FRACTION - right;
    upper += x.low * channels;
    lower += x.low * channels;
    while (output < end) {
        const int32_t sum = (*upper++ * up + *lower++ * down) * left + (*upper_right++ * up + *lower_right++ * down) * right;
        *output++ = (int8_t)((sum + (sum > 0 ? HALF : -HALF)) / ONE);
    }
}

void ts_tfl_bilinear_s8(const ts_tfl_bilinear_s8_layer *layer, const int8_t *input, int8_t *output, void *scratch)
{
    const int32_t channels = layer->channels, row_bytes = layer->horizontal.inputs * channels;
    int32_t y = layer->vertical.first;
    (void)scratch;
    for (int32_t row = 0; row < layer->vertical.outputs; ++row, y += layer->vertical.step) {
        const neighbors rows = neighbors_of(&layer->vertical, y);
        const int8_t *const upper = input + rows.low * row_bytes, *const lower = input + rows.high * row_bytes;
        int32_t x = layer->horizontal.first;
        for (int32_t column = 0; column < layer->horizontal.outputs; ++column, x += layer->horizontal.step) {
            pixel(upper, lower, rows.weight, neighbors_of(&layer->horizontal, x), channels, output);
            output += channels;
        }
    }
}
