/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_tfl_depthwise_s8.h"

#define LAYER ts_tfl_depthwise_s8_layer
#define REQUANTIZER ts_requantizer
#define REQUANTIZE ts_requantize
#include "ts_tfl_depthwise_loops.h"

/* Largest shift, less one, at which a zero point still fits above it in 32 bits; larger ones take the general path. */
enum { MAXIMUM_FOLD = 22 };

size_t ts_tfl_depthwise_s8_scratch_bytes(const ts_tfl_depthwise_s8_layer *layer)
{
    return (size_t)plane_height(&layer->window) * (size_t)plane_width(&layer->window);
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
