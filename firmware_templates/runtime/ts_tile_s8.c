/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_tile_s8.h"

#include "ts_tile_slots.h"

/* A row of the kernel is contiguous in the input, but for what hangs over the border. */
void ts_tile_gather(const ts_conv_s8_layer *layer, const int8_t *input, int32_t y, int32_t x, int8_t *slot)
{
    const int32_t columns = layer->flat ? 1 : layer->kernel, beside = layer->flat ? 0 : layer->padding;
    const int32_t channels = layer->in_channels, length = columns * channels;
    const int32_t left = x * layer->stride - beside;
    int32_t row = y * layer->stride - layer->padding + layer->cut, first = 0, last = length;
    if (left < 0) {
        first = -left < columns ? -left * channels : length;
    }
    if (left + columns > layer->in_width) {
        last = left < layer->in_width ? (layer->in_width - left) * channels : first;
    }
    for (const int32_t end = row + layer->kernel; row < end; ++row) {
        if (row < 0 || row >= layer->in_height || first >= last) {
            slot = fill(slot, length, (int8_t)layer->in_zero);
        } else {
            slot = fill(slot, first, (int8_t)layer->in_zero);
            slot = copy(slot, input + (row * layer->in_width + left) * channels + first, last - first);
            slot = fill(slot, length - last, (int8_t)layer->in_zero);
        }
    }
}

void ts_tile_store(const ts_conv_s8_layer *layer, const int32_t *sums, int32_t step, int32_t channel, int32_t channels,
                   int32_t pixels, int8_t *output)
{
    const int32_t stride = layer->out_channels, zero = layer->out_zero, low = layer->low;
    for (const int32_t end = channel + channels; channel < end; ++channel, sums += step) {
        const ts_requantizer r = ts_requantizer_of(layer->multiplier[channel], layer->shift[channel]);
        const int32_t *sum = sums, *const last = sums + pixels;
        int8_t *out = output + channel;
        if (low == zero) {
            for (; sum < last; ++sum, out += stride) {
                *out = (int8_t)ts_clamp(ts_requantize_relu(*sum, r) + zero, low, INT8_MAX);
            }
        } else {
            for (; sum < last; ++sum, out += stride) {
                *out = (int8_t)ts_clamp(ts_requantize(*sum, r) + zero, low, INT8_MAX);
            }
        }
    }
}
