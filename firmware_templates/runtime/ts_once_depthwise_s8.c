/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_once_depthwise_s8.h"

/* A channel's rounding and the zero point behind it. */
typedef struct {
    ts_once once;
    int32_t zero;
} channel_rounding;

static inline int32_t rounded(int32_t sum, channel_rounding r)
{
    return ts_once_rounded(sum, r.once) + r.zero;
}

#define LAYER ts_once_depthwise_s8_layer
#define REQUANTIZER channel_rounding
#define REQUANTIZE rounded
#include "ts_tfl_depthwise_loops.h"

size_t ts_once_depthwise_s8_scratch_bytes(const ts_once_depthwise_s8_layer *layer)
{
    return (size_t)plane_height(&layer->window) * (size_t)plane_width(&layer->window);
}

static TS_INNER_LOOP void convolve(const ts_once_depthwise_s8_layer *layer, int32_t channel, channel_rounding r,
                                   const int8_t *plane, int8_t *output)
{
    const ts_tfl_window *const window = &layer->window;
    const int8_t *const weights = layer->weights + channel * window->kernel_height * window->kernel_width;
    const int32_t width = plane_width(window), bias = layer->bias[channel];
    for (int32_t y = 0; y < window->out_height; ++y, plane += window->stride_y * width) {
        for (int32_t x = 0; x < window->out_width; ++x, output += window->out_channels) {
            const int32_t sum = bias + sum_of(window, plane + x * window->stride_x, width, weights);
            *output = (int8_t)ts_clamp(rounded(sum, r), layer->range.low, layer->range.high);
        }
    }
}

static void convolve_channel(const ts_once_depthwise_s8_layer *layer, int32_t channel, const int8_t *plane,
                             int8_t *output)
{
    const ts_tfl_window *const window = &layer->window;
    const int8_t *const weights = layer->weights + channel * window->kernel_height * window->kernel_width;
    const int32_t bias = layer->bias[channel];
    channel_rounding r;
    r.once = ts_once_of(layer->multiplier[channel], layer->shift[channel], layer->addend + 2 * channel, layer->ties);
    r.zero = layer->range.zero;
    if (window->kernel_height != 3 || window->kernel_width != 3 || window->dilation_y != 1 || window->dilation_x != 1) {
        convolve(layer, channel, r, plane, output);
    } else if (window->stride_y == 1 && window->stride_x == 1) {
        convolve3x3(layer, plane, weights, bias, r, output);
    } else {
        convolve3x3_strided(layer, plane, plane_width(window), weights, bias, r, output);
    }
}

void ts_once_depthwise_s8(const ts_once_depthwise_s8_layer *layer, const int8_t *input, int8_t *output, void *scratch)
{
    for (int32_t channel = 0; channel < layer->window.in_channels; ++channel) {
        gather(layer, input + channel, scratch);
        for (int32_t out = channel * layer->multiples; out < (channel + 1) * layer->multiples; ++out) {
            convolve_channel(layer, out, scratch, output + out);
        }
    }
}
