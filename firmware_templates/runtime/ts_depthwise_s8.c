/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_depthwise_s8.h"

#include "ts_plane.h"

/* Channel by channel: a channel's plane is copied to scratch with its padding, where its pixels lie side by side and no
 * loop has border cases. */

static int32_t is_scale(const ts_depthwise_s8_layer *layer)
{
    return layer->kernel == 1 && layer->stride == 1 && layer->padding == 0 && layer->pool == 1;
}

static int32_t columns_of(const ts_depthwise_s8_layer *layer)
{
    return layer->flat ? 1 : layer->kernel;
}

/* Rows or columns that the convolution reads for `outputs` pooled outputs by a kernel of `side` of them. */
static int32_t reach(const ts_depthwise_s8_layer *layer, int32_t outputs, int32_t side)
{
    return (outputs * layer->pool - 1) * layer->stride + side;
}

static int32_t plane_height(const ts_depthwise_s8_layer *layer)
{
    return reach(layer, layer->out_height, layer->kernel);
}

static int32_t plane_width(const ts_depthwise_s8_layer *layer)
{
    return reach(layer, layer->out_width, columns_of(layer));
}

size_t ts_depthwise_s8_scratch_bytes(const ts_depthwise_s8_layer *layer)
{
    return is_scale(layer) ? 0 : (size_t)plane_height(layer) * (size_t)plane_width(layer);
}

/* Copies the part of one channel that is read, padding included. */
static void gather(const ts_depthwise_s8_layer *layer, const int8_t *input, int8_t *plane)
{
    const int32_t height = plane_height(layer), width = plane_width(layer), beside = layer->flat ? 0 : layer->padding;
    const int32_t channels = layer->channels, beyond = width - beside - layer->in_width;
    const int32_t left = beside < width ? beside : width, right = beyond > 0 ? beyond : 0;
    const int8_t zero = (int8_t)layer->in_zero;
    const int32_t top = layer->padding - layer->cut;
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

static int32_t window(const int8_t *row, int32_t width, const int8_t *weights, int32_t rows, int32_t columns)
{
    int32_t sum = 0;
    for (; rows > 0; --rows, row += width) {
        for (int32_t column = 0; column < columns; ++column) {
            sum += row[column] * *weights++;
        }
    }
    return sum;
}

/* Largest sum over the pool window whose first receptive field starts at `corner`. */
static int32_t pooled_sum(const ts_depthwise_s8_layer *layer, const int8_t *corner, int32_t width,
                          const int8_t *weights)
{
    const int32_t kernel = layer->kernel, columns = columns_of(layer);
    int32_t largest = INT32_MIN;
    for (int32_t y = 0; y < layer->pool; ++y) {
        for (int32_t x = 0; x < layer->pool; ++x) {
            const int32_t sum = window(corner + (y * width + x) * layer->stride, width, weights, kernel, columns);
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
    const int32_t kernel = layer->kernel, columns = columns_of(layer);
    const int8_t *const weights = layer->weights + channel * kernel * columns;
    const int32_t width = plane_width(layer), step = layer->stride * layer->pool;
    const int32_t bias = layer->bias[channel], zero = layer->out_zero, low = layer->low, channels = layer->channels;
    for (int32_t y = 0; y < layer->out_height; ++y, plane += step * width) {
        for (int32_t x = 0; x < layer->out_width; ++x, output += channels) {
            const int8_t *const corner = plane + x * step;
            const int32_t sum = bias + (layer->pool == 1 ? window(corner, width, weights, kernel, columns)
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
