/* SPDX-License-Identifier: Apache-2.0 */
/* Receptive fields of an int8 convolution, for the kernels that include it. Before it `LAYER` must be defined as the type
 * of the layer, with the members `window` and `in_zero`.
 *
 * As in ts_conv_s8 those of four pixels are gathered into scratch, interleaved as the weights are.
 */
#ifndef TS_TFL_GATHER_H
#define TS_TFL_GATHER_H

#include "ts_tfl_arithmetic.h"
#include "ts_tile_multiply.h"
#include "ts_tile_slots.h"

static int32_t depth_of(const ts_tfl_window *window)
{
    return window->kernel_height * window->kernel_width * window->in_channels;
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
static void gather(const LAYER *layer, const int8_t *input, int32_t y, int32_t x, int8_t *slot)
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
static void gather_tile(const LAYER *layer, const int8_t *input, int32_t pixel, int8_t *fields)
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

#endif
