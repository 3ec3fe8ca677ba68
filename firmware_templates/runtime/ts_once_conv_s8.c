/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_once_conv_s8.h"

#include "ts_tile_multiply.h"

#define LAYER ts_once_conv_s8_layer
#include "ts_tfl_gather.h"

size_t ts_once_conv_s8_scratch_bytes(const ts_once_conv_s8_layer *layer)
{
    return (size_t)depth_of(&layer->window) * TILE_PIXELS;
}

/* Outputs from sums[4 * c + pixel] of four channels c from `channel` on and of the first `pixels` pixels. */
static void store(const ts_once_conv_s8_layer *layer, const int32_t *sums, int32_t channel, int32_t pixels, int8_t *output)
{
    const int32_t stride = layer->window.out_channels, end = ts_tfl_smaller(channel + TILE_CHANNELS, stride);
    const int32_t zero = layer->range.zero, low = layer->range.low, high = layer->range.high;
    for (; channel < end; ++channel, sums += TILE_PIXELS) {
        const ts_once r = ts_once_of(layer->multiplier[channel], layer->shift[channel],
                                     layer->addend + 2 * channel, layer->ties);
        const int32_t *sum = sums, *const last = sums + pixels;
        for (int8_t *out = output + channel; sum < last; ++sum, out += stride) {
            *out = (int8_t)ts_clamp(ts_once_rounded(*sum, r) + zero, low, high);
        }
    }
}

#define KERNEL ts_once_conv_s8
#include "ts_tfl_conv_loops.h"
