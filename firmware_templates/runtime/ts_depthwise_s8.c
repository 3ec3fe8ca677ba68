/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_depthwise_s8.h"

#include "ts_plane.h"

/* Channel by channel: a channel's plane is copied to scratch with its padding, where its pixels lie side by side and no
 * loop has border cases. */

static int32_t is_scale(const ts_depthwise_s8_layer *layer)
{
    return layer->kernel == 1 && layer->stride == 1 && layer->padding == 0 && layer->pool == 1;
}

/* Rows or columns that the convolution reads for `outputs` pooled outputs. */
static int32_t reach(const ts_depthwise_s8_layer *layer, int32_t outputs)
{
    return (outputs * layer->pool - 1) * layer->stride + layer->kernel;
}

size_t ts_depthwise_s8_scratch_bytes(const ts_depthwise_s8_layer *layer)
{
    return is_scale(layer) ? 0 : (size_t)reach(layer, layer->out_height) * (size_t)reach(layer, layer->out_width);
}

/* Copies the part of one channel that is read, padding included. */
static void gather(const ts_depthwise_s8_layer *layer, const int8_t *input, int8_t *plane)
{
    const int32_t height = reach(layer, layer->out_height), width = reach(layer, layer->out_width);
    const int32_t padding = layer->padding, channels = layer->channels, beyond = width - padding - layer->in_width;
    const int32_t left = padding < width ? padding : width, right = beyond > 0 ? beyond : 0;
    const int8_t zero = (int8_t)layer->in_zero;
    const int32_t top = padding - layer->cut;
    for (int32_t y = -top; y < height - top; ++y) {
        if (y < 0 || y >= layer->in_height) {
            plane = fill(plane, width, zero);
            continue;
        }
        const int8_t *source = input + y * layer->in_width * channels;
        plane = fill(plane, left, zero);
        plane = fill(copy(plane, source, channels, width - left - right), right, zero);
    }
}

/* 1x1: bias + weight * x, straight from the input. */
static void scale_channel(const ts_depthwise_s8_layer *layer, int32_t channel, const int8_t *input, int8_t *output)
{
    const ts_requantizer r = ts_requantizer_of(layer->multiplier[channel], layer->shift[channel]);
    const int32_t bias = layer->bias[channel], weight = layer->weights[channel], channels = layer->channels;
    const int32_t zero = layer->out_zero, low = layer->low;
    const int8_t *const end = input + layer->in_height * layer->in_width * channels;
    for (; input < end; input += channels, output += channels) {
        *output = (int8_t)ts_clamp(ts_requantize(bias + weight * *input, r) + zero, low, INT8_MAX);
    }
}

static int32_t window(const int8_t *row, int32_t width, const int8_t *weights, int32_t kernel)
{
    int32_t sum = 0;
    for (int32_t rows = kernel; rows > 0; --rows, row += width) {
        for (int32_t column = 0; column < kernel; ++column) {
            sum += row[column] * *weights++;
        }
    }
    return sum;
}

/* Largest sum over the pool window whose first receptive field starts at `corner`. */
static int32_t pooled_sum(const ts_depthwise_s8_layer *layer, const int8_t *corner, int32_t width,
                          const int8_t *weights)
{
    int32_t largest = INT32_MIN;
    for (int32_t y = 0; y < layer->pool; ++y) {
        for (int32_t x = 0; x < layer->pool; ++x) {
            const int32_t sum = window(corner + (y * width + x) * layer->stride, width, weights, layer->kernel);
            if (sum > largest) {
                largest = sum;
            }
        }
    }
    return largest;
}

static void convolve_channel(const ts_depthwise_s8_layer *layer, int32_t channel, const int8_t *plane, int8_t *output)
{
    const ts_requantizer r = ts_requantizer_of(layer->multiplier[channel], layer->shift[channel]);
    const int8_t *const weights = layer->weights + channel * layer->kernel * layer->kernel;
    const int32_t width = reach(layer, layer->out_width), step = layer->stride * layer->pool;
    const int32_t bias = layer->bias[channel], zero = layer->out_zero, low = layer->low, channels = layer->channels;
    for (int32_t y = 0; y < layer->out_height; ++y, plane += step * width) {
        for (int32_t x = 0; x < layer->out_width; ++x, output += channels) {
            const int8_t *const corner = plane + x * step;
            const int32_t sum = bias + (layer->pool == 1 ? window(corner, width, weights, layer->kernel)
                                                         : pooled_sum(layer, corner, width, weights));
            *output = (int8_t)ts_clamp(ts_requantize(sum, r) + zero, low, INT8_MAX);
        }
    }
}

void ts_depthwise_s8(const ts_depthwise_s8_layer *layer, const int8_t *input, int8_t *output, void *scratch)
{
    for (int32_t channel = 0; channel < layer->channels; ++channel) {
        if (is_scale(layer)) {
            scale_channel(layer, channel, input + channel, output + channel);
        } else {
            gather(layer, input + channel, scratch);
            convolve_channel(layer, channel, scratch, output + channel);
        }
    }
}
