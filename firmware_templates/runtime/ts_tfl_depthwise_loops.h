/* SPDX-License-Identifier: Apache-2.0 */
/* The loops of an int8 depthwise convolution, for the kernels that include it: they differ in how a sum becomes an
 * output. Before it must be defined
 *     LAYER                 the type of the layer, with the members of ts_tfl_depthwise_s8_layer that are read here,
 *     REQUANTIZER           the type of what turns a sum of one channel into an output, its zero point included,
 *     REQUANTIZE(sum, r)    which does it.
 *
 * As ts_depthwise_s8, channel by channel: a channel's plane is copied to scratch with its padding, where its pixels lie
 * side by side, and the loops need no border cases.
 */
#ifndef TS_TFL_DEPTHWISE_LOOPS_H
#define TS_TFL_DEPTHWISE_LOOPS_H

#include "ts_plane.h"
#include "ts_tfl_arithmetic.h"

static int32_t reach(int32_t outputs, int32_t stride, int32_t kernel, int32_t dilation)
{
    return (outputs - 1) * stride + (kernel - 1) * dilation + 1;
}

static int32_t plane_height(const ts_tfl_window *window)
{
    return reach(window->out_height, window->stride_y, window->kernel_height, window->dilation_y);
}

static int32_t plane_width(const ts_tfl_window *window)
{
    return reach(window->out_width, window->stride_x, window->kernel_width, window->dilation_x);
}

/* Copies the part of one channel that is read, padding included. */
static void gather(const LAYER *layer, const int8_t *input, int8_t *plane)
{
    const ts_tfl_window *const window = &layer->window;
    const int32_t height = plane_height(window), width = plane_width(window), channels = window->in_channels;
    const int32_t left = ts_tfl_smaller(window->left, width);
    const int32_t inside = ts_tfl_smaller(width - left, window->in_width);
    const int8_t zero = (int8_t)layer->in_zero;
    for (int32_t y = -window->top; y < height - window->top; ++y) {
        if (y < 0 || y >= window->in_height) {
            plane = fill(plane, width, zero);
            continue;
        }
        plane = fill(plane, left, zero);
        plane = copy(plane, input + y * window->in_width * channels, channels, inside);
        plane = fill(plane, width - left - inside, zero);
    }
}

/* 3x3 with stride 1, column by column of the outputs: every row of three pixels is loaded once and feeds three sums.
 * The output's zero point is part of r. */
static TS_INNER_LOOP void convolve3x3(const LAYER *layer, const int8_t *plane,
                                      const int8_t *weights, int32_t bias, REQUANTIZER r, int8_t *output)
{
    const int32_t w0 = weights[0], w1 = weights[1], w2 = weights[2], w3 = weights[3], w4 = weights[4];
    const int32_t w5 = weights[5], w6 = weights[6], w7 = weights[7], w8 = weights[8];
    const int32_t channels = layer->window.out_channels, columns = layer->window.out_width;
    const int32_t width = columns + 2, step = columns * channels, low = layer->range.low, high = layer->range.high;
    for (const int8_t *const last = plane + columns; plane < last; ++plane, output += channels) {
        const int8_t *row = plane;
        int8_t *out = output, *const end = output + layer->window.out_height * step;
        int32_t a = row[0], b = row[1], c = row[2];
        int32_t ready = bias + a * w0 + b * w1 + c * w2;
        row += width;
        a = row[0], b = row[1], c = row[2];
        ready += a * w3 + b * w4 + c * w5;
        int32_t next = bias + a * w0 + b * w1 + c * w2;
        do {
            row += width;
            a = row[0], b = row[1], c = row[2];
            const int32_t sum = ready + a * w6 + b * w7 + c * w8;
            ready = next + a * w3 + b * w4 + c * w5;
            next = bias + a * w0 + b * w1 + c * w2;
            *out = (int8_t)ts_clamp(REQUANTIZE(sum, r), low, high);
            out += step;
        } while (out != end);
    }
}

/* 3x3 with any stride, row by row; r as above. */
static TS_INNER_LOOP void convolve3x3_strided(const LAYER *layer, const int8_t *plane,
                                              int32_t width, const int8_t *weights, int32_t bias, REQUANTIZER r,
                                              int8_t *output)
{
    const int32_t w0 = weights[0], w1 = weights[1], w2 = weights[2], w3 = weights[3], w4 = weights[4];
    const int32_t w5 = weights[5], w6 = weights[6], w7 = weights[7], w8 = weights[8];
    const int32_t stride = layer->window.stride_x, pitch = layer->window.stride_y * width;
    const int32_t channels = layer->window.out_channels, low = layer->range.low, high = layer->range.high;
    for (int32_t rows = layer->window.out_height; rows > 0; --rows, plane += pitch) {
        const int8_t *a = plane, *b = a + width, *c = b + width;
        for (int32_t left = layer->window.out_width; left > 0; --left, output += channels) {
            int32_t sum = bias + a[0] * w0 + a[1] * w1 + a[2] * w2;
            sum += b[0] * w3 + b[1] * w4 + b[2] * w5;
            sum += c[0] * w6 + c[1] * w7 + c[2] * w8;
            *output = (int8_t)ts_clamp(REQUANTIZE(sum, r), low, high);
            a += stride, b += stride, c += stride;
        }
    }
}

static int32_t sum_of(const ts_tfl_window *window, const int8_t *corner, int32_t width, const int8_t *weights)
{
    int32_t sum = 0;
    for (int32_t rows = window->kernel_height; rows > 0; --rows, corner += width * window->dilation_y) {
        const int8_t *value = corner;
        for (int32_t columns = window->kernel_width; columns > 0; --columns, value += window->dilation_x) {
            sum += *value * *weights++;
        }
    }
    return sum;
}

#endif
