#include "ts_depthwise_s8.h"

/* Channel by channel: a channel's plane is copied to scratch with its padding, where its pixels lie side by side, its
 * weights stay in registers, and the loops need no border cases. */

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

static int8_t *fill(int8_t *plane, int32_t count, int8_t value)
{
    for (; count > 0; --count)
        *plane++ = value;
    return plane;
}

/* Copies the part of one channel that is read, padding included. */
static void gather(const ts_depthwise_s8_layer *layer, const int8_t *input, int8_t *plane)
{
    const int32_t height = reach(layer, layer->out_height), width = reach(layer, layer->out_width);
    const int32_t padding = layer->padding, channels = layer->channels, beyond = width - padding - layer->in_width;
    const int32_t left = padding < width ? padding : width, right = beyond > 0 ? beyond : 0;
    const int8_t zero = (int8_t)layer->in_zero;
    for (int32_t y = -padding; y < height - padding; ++y) {
        if (y < 0 || y >= layer->in_height) {
            plane = fill(plane, width, zero);
            continue;
        }
        const int8_t *source = input + y * layer->in_width * channels;
        plane = fill(plane, left, zero);
        for (const int8_t *const end = plane + (width - left - right); plane < end; source += channels)
            *plane++ = *source;
        plane = fill(plane, right, zero);
    }
}

/* 1x1: bias + weight * x, straight from the input. */
static void scale_channel(const ts_depthwise_s8_layer *layer, int32_t channel, const int8_t *input, int8_t *output)
{
    const ts_requantizer r = ts_requantizer_of(layer->multiplier[channel], layer->shift[channel]);
    const int32_t bias = layer->bias[channel], weight = layer->weights[channel], channels = layer->channels;
    const int32_t zero = layer->out_zero, low = layer->low;
    const int8_t *const end = input + layer->in_height * layer->in_width * channels;
    for (; input < end; input += channels, output += channels)
        *output = (int8_t)ts_clamp(ts_requantize(bias + weight * *input, r) + zero, low, INT8_MAX);
}

/* 3x3 with stride 1: along a row every column is loaded once and feeds three sums. */
static TS_INNER_LOOP void convolve3x3_row(const int8_t *top, int32_t width, const int8_t *weights, int32_t bias,
                                          ts_requantizer r, int32_t zero, int32_t low, int8_t *output, int32_t channels,
                                          int32_t outputs)
{
    const int32_t w0 = weights[0], w1 = weights[1], w2 = weights[2], w3 = weights[3], w4 = weights[4];
    const int32_t w5 = weights[5], w6 = weights[6], w7 = weights[7], w8 = weights[8];
    const int8_t *middle = top + width, *bottom = middle + width;
    int8_t *const end = output + outputs * channels;
    int32_t a = *top++, b = *middle++, c = *bottom++;
    int32_t ready = bias + a * w0 + b * w3 + c * w6;
    a = *top++, b = *middle++, c = *bottom++;
    ready += a * w1 + b * w4 + c * w7;
    int32_t next = bias + a * w0 + b * w3 + c * w6;
    for (; output != end; output += channels) {
        a = *top++, b = *middle++, c = *bottom++;
        const int32_t sum = ready + a * w2 + b * w5 + c * w8;
        ready = next + a * w1 + b * w4 + c * w7;
        next = bias + a * w0 + b * w3 + c * w6;
        *output = (int8_t)ts_clamp(ts_requantize(sum, r) + zero, low, INT8_MAX);
    }
}

/* Largest sum over the pool window whose first receptive field starts at `corner`. */
static int32_t pooled_sum(const ts_depthwise_s8_layer *layer, const int8_t *corner, int32_t width,
                          const int8_t *weights)
{
    int32_t largest = INT32_MIN;
    for (int32_t y = 0; y < layer->pool; ++y) {
        for (int32_t x = 0; x < layer->pool; ++x) {
            const int8_t *row = corner + (y * width + x) * layer->stride, *weight = weights;
            int32_t sum = 0;
            for (int32_t count = layer->kernel; count > 0; --count, row += width)
                for (int32_t column = 0; column < layer->kernel; ++column)
                    sum += row[column] * *weight++;
            if (sum > largest)
                largest = sum;
        }
    }
    return largest;
}

static void convolve_channel(const ts_depthwise_s8_layer *layer, int32_t channel, const int8_t *plane, int8_t *output)
{
    const ts_requantizer r = ts_requantizer_of(layer->multiplier[channel], layer->shift[channel]);
    const int8_t *const weights = layer->weights + channel * layer->kernel * layer->kernel;
    const int32_t width = reach(layer, layer->out_width), step = layer->stride * layer->pool;
    const int32_t bias = layer->bias[channel], zero = layer->out_zero, low = layer->low;
    for (int32_t y = 0; y < layer->out_height; ++y, plane += step * width) {
        if (layer->kernel == 3 && step == 1) {
            convolve3x3_row(plane, width, weights, bias, r, zero, low, output, layer->channels, layer->out_width);
            output += layer->out_width * layer->channels;
            continue;
        }
        for (int32_t x = 0; x < layer->out_width; ++x, output += layer->channels) {
            const int32_t sum = pooled_sum(layer, plane + x * step, width, weights) + bias;
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
