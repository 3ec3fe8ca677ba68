/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_conv_f32.h"

/* Two pixels and four output channels at a time: eight sums fit the registers of soft-float and FPU targets alike. The
 * two receptive fields are gathered into scratch first, interleaved, converted to float if need be. */
enum { PIXELS = 2, CHANNELS = 4 };

static int32_t depth_of(const ts_conv_f32_layer *layer)
{
    return layer->kernel * (layer->flat ? 1 : layer->kernel) * layer->in_channels;
}

size_t ts_conv_f32_scratch_bytes(const ts_conv_f32_layer *layer)
{
    return (size_t)depth_of(layer) * PIXELS * sizeof(float);
}

static float *fill(float *slot, int32_t count)
{
    for (; count > 0; --count, slot += PIXELS) {
        *slot = 0.0f;
    }
    return slot;
}

/* `count` values of the input from index `first` on. */
static float *copy(const ts_conv_f32_layer *layer, float *slot, const void *input, int32_t first, int32_t count)
{
    if (layer->input_is_s8) {
        const int8_t *source = (const int8_t *)input + first;
        for (; count > 0; --count, slot += PIXELS) {
            *slot = (float)*source++;
        }
    } else {
        const float *source = (const float *)input + first;
        for (; count > 0; --count, slot += PIXELS) {
            *slot = *source++;
        }
    }
    return slot;
}

/* Receptive field of the convolution's output (y, x) into every second float from slot on. */
static void gather(const ts_conv_f32_layer *layer, const void *input, int32_t y, int32_t x, float *slot)
{
    const int32_t columns = layer->flat ? 1 : layer->kernel, beside = layer->flat ? 0 : layer->padding;
    const int32_t channels = layer->in_channels, length = columns * channels;
    const int32_t left = x * layer->stride - beside;
    int32_t row = y * layer->stride - layer->padding, first = 0, last = length;
    if (left < 0) {
        first = -left < columns ? -left * channels : length;
    }
    if (left + columns > layer->in_width) {
        last = left < layer->in_width ? (layer->in_width - left) * channels : first;
    }
    for (const int32_t end = row + layer->kernel; row < end; ++row) {
        if (row < 0 || row >= layer->in_height || first >= last) {
            slot = fill(slot, length);
        } else {
            slot = fill(slot, first);
            slot = copy(layer, slot, input, (row * layer->in_width + left) * channels + first, last - first);
            slot = fill(slot, length - last);
        }
    }
}

/* sums[4 * pixel + channel] = bias + weights * fields. */
static void multiply_tile(const float *fields, const float *weights, int32_t depth, const float *bias, float *sums)
{
    float s00 = bias[0], s01 = bias[1], s02 = bias[2], s03 = bias[3], s10 = s00, s11 = s01, s12 = s02, s13 = s03;
    for (const float *const end = fields + depth * PIXELS; fields < end; fields += PIXELS, weights += CHANNELS) {
        const float x0 = fields[0], x1 = fields[1];
        s00 += x0 * weights[0], s01 += x0 * weights[1], s02 += x0 * weights[2], s03 += x0 * weights[3];
        s10 += x1 * weights[0], s11 += x1 * weights[1], s12 += x1 * weights[2], s13 += x1 * weights[3];
    }
    sums[0] = s00, sums[1] = s01, sums[2] = s02, sums[3] = s03;
    sums[4] = s10, sums[5] = s11, sums[6] = s12, sums[7] = s13;
}

static int32_t smaller(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

/* Values of the gathered pixels to output[pixel][channel]; or, where the layer pools, the maximum of them and of what
 * an earlier tile of the window left there to output[channel]. */
static void compute(const ts_conv_f32_layer *layer, const float *fields, int32_t pixels, int32_t first, float *output)
{
    const int32_t depth = depth_of(layer), step = layer->pool > 1 ? 0 : layer->out_channels;
    const float *weights = layer->weights;
    float sums[PIXELS * CHANNELS];
    for (int32_t channel = 0; channel < layer->out_channels; channel += CHANNELS, weights += depth * CHANNELS) {
        const int32_t channels = smaller(CHANNELS, layer->out_channels - channel);
        multiply_tile(fields, weights, depth, layer->bias + channel, sums);
        for (int32_t pixel = 0; pixel < pixels; ++pixel) {
            for (int32_t index = 0; index < channels; ++index) {
                float *const out = output + pixel * step + channel + index;
                const float sum = sums[pixel * CHANNELS + index], value = layer->relu && sum < 0.0f ? 0.0f : sum;
                if (step > 0 || first + pixel == 0 || value > *out) {
                    *out = value;
                }
            }
        }
    }
}

static void convolve(const ts_conv_f32_layer *layer, const void *input, float *output, float *fields)
{
    const int32_t count = layer->out_height * layer->out_width;
    for (int32_t first = 0; first < count; first += PIXELS) {
        const int32_t pixels = smaller(PIXELS, count - first);
        for (int32_t slot = 0; slot < PIXELS; ++slot) {
            const int32_t at = smaller(first + slot, count - 1);
            gather(layer, input, at / layer->out_width, at % layer->out_width, fields + slot);
        }
        compute(layer, fields, pixels, first, output + first * layer->out_channels);
    }
}

static void convolve_and_pool(const ts_conv_f32_layer *layer, const void *input, float *output, float *fields)
{
    const int32_t side = layer->pool, count = side * side;
    for (int32_t y = 0; y < layer->out_height; ++y) {
        for (int32_t x = 0; x < layer->out_width; ++x, output += layer->out_channels) {
            for (int32_t first = 0; first < count; first += PIXELS) {
                for (int32_t slot = 0; slot < PIXELS; ++slot) {
                    const int32_t at = smaller(first + slot, count - 1);
                    gather(layer, input, y * side + at / side, x * side + at % side, fields + slot);
                }
                compute(layer, fields, smaller(PIXELS, count - first), first, output);
            }
        }
    }
}

void ts_conv_f32(const ts_conv_f32_layer *layer, const void *input, float *output, void *scratch)
{
    if (layer->pool > 1) {
        convolve_and_pool(layer, input, output, scratch);
    } else {
        convolve(layer, input, output, scratch);
    }
}
