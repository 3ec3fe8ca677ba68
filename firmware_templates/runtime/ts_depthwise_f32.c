/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_depthwise_f32.h"

size_t ts_depthwise_f32_scratch_bytes(const ts_depthwise_f32_layer *layer)
{
    (void)layer;
    return 0;
}

static float value_at(const ts_depthwise_f32_layer *layer, const void *input, int32_t index)
{
    return layer->input_is_s8 ? (float)((const int8_t *)input)[index] : ((const float *)input)[index];
}

/* One output of the convolution before its pool: row and column of the top left corner, which may lie outside. */
static float convolve(const ts_depthwise_f32_layer *layer, const void *input, int32_t top, int32_t left,
                      int32_t channel)
{
    const int32_t right = left + (layer->flat ? 1 : layer->kernel);
    const float *weight = layer->weights + channel;
    float sum = layer->bias[channel];
    for (int32_t row = top; row < top + layer->kernel; ++row) {
        for (int32_t column = left; column < right; ++column, weight += layer->channels) {
            if (row >= 0 && row < layer->in_height && column >= 0 && column < layer->in_width) {
                const int32_t index = (row * layer->in_width + column) * layer->channels + channel;
                sum += value_at(layer, input, index) * *weight;
            }
        }
    }
    return sum;
}

static float pooled(const ts_depthwise_f32_layer *layer, const void *input, int32_t y, int32_t x, int32_t channel)
{
    const int32_t top = y * layer->pool * layer->stride - layer->padding;
    const int32_t left = x * layer->pool * layer->stride - (layer->flat ? 0 : layer->padding);
    float largest = convolve(layer, input, top, left, channel);
    for (int32_t index = 1; index < layer->pool * layer->pool; ++index) {
        const int32_t row = top + index / layer->pool * layer->stride;
        const float value = convolve(layer, input, row, left + index % layer->pool * layer->stride, channel);
        if (value > largest) {
            largest = value;
        }
    }
    return largest;
}

void ts_depthwise_f32(const ts_depthwise_f32_layer *layer, const void *input, float *output, void *scratch)
{
    (void)scratch;
    for (int32_t y = 0; y < layer->out_height; ++y) {
        for (int32_t x = 0; x < layer->out_width; ++x) {
            for (int32_t channel = 0; channel < layer->channels; ++channel) {
                const float value = pooled(layer, input, y, x, channel);
                *output++ = layer->relu && value < 0.0f ? 0.0f : value;
            }
        }
    }
}
