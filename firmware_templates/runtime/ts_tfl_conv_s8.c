/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_tfl_conv_s8.h"

#include "ts_tile_multiply.h"
#include "ts_tile_slots.h"

/* As ts_conv_s8: the receptive fields of four pixels are gathered into scratch, interleaved as the weights are. */

static int32_t depth_of(const ts_tfl_window *window)
{
    return window->kernel_height * window->kernel_width * window->in_channels;
}

size_t ts_tfl_conv_s8_scratch_bytes(const ts_tfl_conv_s8_layer *layer)
{
    return (size_t)depth_of(&layer->window) * TILE_PIXELS;
}

/* One row of a window without dilation is contiguous in the input, but for what hangs over the border. */
static int8_t *gather_row(const ts_tfl_window *window, const int8_t *row, int32_t left, int8_t zero, int8_t *slot)
{
    const int32_t before = ts_tfl_smaller(ts_tfl_larger(-left, 0), window->kernel_width);
    const int32_t end = ts_tfl_smaller(window->kernel_width, window->in_width - left);
    const int32_t inside = ts_tfl_larger(end - before, 0), channels = window->in_channels;
    slot = fill(slot, before * channels, zero);
    if (inside > 0) {
        slot = copy(slot, row + (left + before) * channels, inside * channels);
    }
    return fill(slot, (window->kernel_width - before - inside) * channels, zero);
}

static int8_t *gather_dilated(const ts_tfl_window *window, const int8_t *row, int32_t left, int8_t zero, int8_t *slot)
{
    const int32_t channels = window->in_channels;
    for (int32_t column = left; column < left + window->kernel_width * window->dilation_x; column += window->dilation_x) {
        slot = column >= 0 && column < window->in_width ? copy(slot, row + column * channels, channels)
                                                        : fill(slot, channels, zero);
    }
    return slot;
}

/* Receptive field of output (y, x) to every fourth byte from slot on. */
static void gather(const ts_tfl_conv_s8_layer *layer, const int8_t *input, int32_t y, int32_t x, int8_t *slot)
{
    const ts_tfl_window *const window = &layer->window;
    const int32_t left = x * window->stride_x - window->left, pitch = window->in_width * window->in_channels;
    const int8_t zero = (int8_t)layer->in_zero;
    int32_t row = y * window->stride_y - window->top;
    for (int32_t rows = window->kernel_height; rows > 0; --rows, row += window->dilation_y) {
        if (row < 0 || row >= window->in_height) {
            slot = fill(slot, window->kernel_width * window->in_channels, zero);
        } else if (window->dilation_x == 1) {
            slot = gather_row(window, input + row * pitch, left, zero, slot);
        } else {
            slot = gather_dilated(window, input + row * pitch, left, zero, slot);
        }
    }
}

/* Whether every output sees just the input at its own place. */
static int32_t is_point(const ts_tfl_window *window)
{
    return window->kernel_height == 1 && window->kernel_width == 1 && window->stride_y == 1 && window->stride_x == 1;
}

/* Four receptive fields from output `pixel` on; beyond the last output, that one again. */
static void gather_tile(const ts_tfl_conv_s8_layer *layer, const int8_t *input, int32_t pixel, int8_t *fields)
{
    const ts_tfl_window *const window = &layer->window;
    const int32_t last = window->out_height * window->out_width - 1;
    int32_t y, x;
    if (is_point(window)) {
        for (int32_t slot = 0; slot < TILE_PIXELS; ++slot) {
            copy(fields + slot, input + ts_tfl_smaller(pixel + slot, last) * window->in_channels, window->in_channels);
        }
        return;
    }
    y = pixel / window->out_width, x = pixel % window->out_width;
    for (int32_t slot = 0; slot < TILE_PIXELS; ++slot) {
        gather(layer, input, y, x, fields + slot);
        if (pixel + slot < last && ++x == window->out_width) {
            x = 0, ++y;
        }
    }
}

/* Requantizes sums[4 * c + pixel] of four channels c from `channel` on and of the first `pixels` pixels. */
static void store(const ts_tfl_conv_s8_layer *layer, const int32_t *sums, int32_t channel, int32_t pixels,
                  int8_t *output)
{
    const int32_t stride = layer->window.out_channels, end = ts_tfl_smaller(channel + TILE_CHANNELS, stride);
    const int32_t zero = layer->range.zero, low = layer->range.low, high = layer->range.high;
    for (; channel < end; ++channel, sums += TILE_PIXELS) {
        const int32_t *sum = sums, *const last = sums + pixels;
        const int32_t multiplier = layer->multiplier[channel], shift = layer->shift[channel];
        int8_t *out = output + channel;
        if (shift < 1) {
            for (; sum < last; ++sum, out += stride) {
                *out = ts_tfl_output(*sum, multiplier, shift, &layer->range);
            }
        } else if (low == zero) {
            const ts_requantizer r = ts_requantizer_of(multiplier, shift);
            for (; sum < last; ++sum, out += stride) {
                *out = (int8_t)ts_clamp(ts_requantize_relu(*sum, r) + zero, low, high);
            }
        } else {
            const ts_requantizer r = ts_requantizer_of(multiplier, shift);
            for (; sum < last; ++sum, out += stride) {
                *out = (int8_t)ts_clamp(ts_requantize(*sum, r) + zero, low, high);
            }
        }
    }
}

void ts_tfl_conv_s8(const ts_tfl_conv_s8_layer *layer, const int8_t *input, int8_t *output, void *scratch)
{
    const ts_tfl_window *const window = &layer->window;
    const int32_t count = window->out_height * window->out_width, depth = depth_of(window);
    int32_t sums[TILE_PIXELS * TILE_CHANNELS];
    const int32_t step = layer->backward ? -TILE_PIXELS : TILE_PIXELS;
    const int32_t first = layer->backward ? (count - 1) / TILE_PIXELS * TILE_PIXELS : 0;
    for (int32_t pixel = first; pixel >= 0 && pixel < count; pixel += step) {
        const int32_t pixels = ts_tfl_smaller(TILE_PIXELS, count - pixel);
        const int8_t *weights = layer->weights;
        int8_t *const out = output + pixel * window->out_channels;
        gather_tile(layer, input, pixel, scratch);
        for (int32_t channel = 0; channel < window->out_channels; channel += TILE_CHANNELS) {
            multiply_tile(scratch, weights, depth, layer->bias + channel, sums);
            store(layer, sums, channel, pixels, out);
            weights += depth * TILE_CHANNELS;
        }
    }
}
