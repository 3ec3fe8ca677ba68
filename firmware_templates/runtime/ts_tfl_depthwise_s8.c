/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_tfl_depthwise_s8.h"

#include "ts_plane.h"

/* As ts_depthwise_s8, channel by channel: a channel's plane is copied to scratch with its padding, where its pixels lie
 * side by side, and the loops need no border cases. */

/* Largest shift, less one, at which a zero point still fits above it in 32 bits; larger ones take the general path. */
enum { MAXIMUM_FOLD = 22 };

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

size_t ts_tfl_depthwise_s8_scratch_bytes(const ts_tfl_depthwise_s8_layer *layer)
{
    return (size_t)plane_height(&layer->window) * (size_t)plane_width(&layer->window);
}

/* Copies the part of one channel that is read, padding included. */
static void gather(const ts_tfl_depthwise_s8_layer *layer, const int8_t *input, int8_t *plane)
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
 * The output's zero point, in place of an addition, is part of what r adds before it shifts. */
static TS_INNER_LOOP void convolve3x3(const ts_tfl_depthwise_s8_layer *layer, const int8_t *plane,
                                      const int8_t *weights, int32_t bias, ts_requantizer r, int8_t *output)
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
            *out = (int8_t)ts_clamp(ts_requantize(sum, r), low, high);
            out += step;
        } while (out != end);
    }
}

/* 3x3 with any stride, row by row; r as above. */
static TS_INNER_LOOP void convolve3x3_strided(const ts_tfl_depthwise_s8_layer *layer, const int8_t *plane,
                                              int32_t width, const int8_t *weights, int32_t bias, ts_requantizer r,
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
            *output = (int8_t)ts_clamp(ts_requantize(sum, r), low, high);
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

static void convolve(const ts_tfl_depthwise_s8_layer *layer, int32_t channel, const int8_t *plane, int8_t *output)
{
    const ts_tfl_window *const window = &layer->window;
    const int8_t *const weights = layer->weights + channel * window->kernel_height * window->kernel_width;
    const int32_t width = plane_width(window), bias = layer->bias[channel];
    for (int32_t y = 0; y < window->out_height; ++y, plane += window->stride_y * width) {
        for (int32_t x = 0; x < window->out_width; ++x, output += window->out_channels) {
            const int32_t sum = bias + sum_of(window, plane + x * window->stride_x, width, weights);
            *output = ts_tfl_output(sum, layer->multiplier[channel], layer->shift[channel], &layer->range);
        }
    }
}

/* Whether a channel takes one of the loops that are written out. */
static int32_t is_3x3(const ts_tfl_depthwise_s8_layer *layer, int32_t shift)
{
    const ts_tfl_window *const window = &layer->window;
    return window->kernel_height == 3 && window->kernel_width == 3 && window->dilation_y == 1 &&
           window->dilation_x == 1 && shift >= 1 && shift <= MAXIMUM_FOLD;
}

static void convolve_channel(const ts_tfl_depthwise_s8_layer *layer, int32_t channel, const int8_t *plane,
                             int8_t *output)
{
    const ts_tfl_window *const window = &layer->window;
    const int32_t shift = layer->shift[channel], bias = layer->bias[channel];
    const int8_t *const weights = layer->weights + channel * window->kernel_height * window->kernel_width;
    ts_requantizer r;
    if (!is_3x3(layer, shift)) {
        convolve(layer, channel, plane, output);
        return;
    }
    r = ts_requantizer_of(layer->multiplier[channel], shift);
    r.high += layer->range.zero * (INT32_C(1) << r.shift);
    if (window->stride_y == 1 && window->stride_x == 1) {
        convolve3x3(layer, plane, weights, bias, r, output);
    } else {
        convolve3x3_strided(layer, plane, plane_width(window), weights, bias, r, output);
    }
}

void ts_tfl_depthwise_s8(const ts_tfl_depthwise_s8_layer *layer, const int8_t *input, int8_t *output, void *scratch)
{
    for (int32_t channel = 0; channel < layer->window.in_channels; ++channel) {
        gather(layer, input + channel, scratch);
        for (int32_t out = channel * layer->multiples; out < (channel + 1) * layer->multiples; ++out) {
            convolve_channel(layer, out, scratch, output + out);
        }
    }
}
