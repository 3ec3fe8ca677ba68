/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_depthwise_3x3_s8.h"

#include "ts_plane.h"

/* Channel by channel, from where the pixels lie. A row of windows is walked from left to right: with stride 1 a column
 * of three pixels is loaded once and feeds three sums. A row beside the map takes part with weights of zero, a column
 * with the zero point. */

#if defined(__GNUC__)
#define ALWAYS_INLINE static inline __attribute__((always_inline))
#else
#define ALWAYS_INLINE static inline
#endif

/* One channel: its first pixel and output, weights, bias and requantization; with stride 1, the row above. */
typedef struct {
    const int8_t *input;
    int8_t *output, *above;
    int32_t weights[9];
    int32_t bias;
    ts_requantizer r;
} one_channel;

size_t ts_depthwise_3x3_s8_scratch_bytes(const ts_depthwise_3x3_s8_layer *layer)
{
    return layer->stride == 1 ? (size_t)layer->in_width : 0;
}

/* Sums below 2^29 in magnitude become outputs by one multiplication: four times a sum has all of its rounding in the
 * high word of the product with the multiplier, where 2^30 and 2^(30 + shift) are whole numbers. Weights and bias are
 * four times as large then, and what is added to the high word holds the output's zero point, too. A sum has less than
 * 2^18 beside its bias; a zero point must fit above the shift in 32 bits. */
enum { SMALL_BIAS = 1 << 28, SMALL_SHIFT = 21 };

/* Four times a sum as an output. A sum below zero stays at or below the zero point, where `low` alone can cut it off and
 * with a fused ReLU does, and one above stays at or above it: one comparison each, and halves go away from zero without
 * a mask. */
static inline int32_t output_of(int32_t sum, ts_requantizer r, int32_t low, int32_t relu)
{
    const int32_t high = (int32_t)(((int64_t)sum * r.multiplier) >> 32);
    int32_t value = low;
    if (high >= 0) {
        value = (high + r.high) >> r.shift;
        return value > INT8_MAX ? INT8_MAX : value;
    }
    if (!relu) {
        value = (high - 2 + r.high) >> r.shift;
    }
    return value < low ? low : value;
}

#define PUT                                      \
    *out = (int8_t)output_of(sum, r, low, relu); \
    out += step

/* The next column of pixels to a, b, c; with stride 1 the middle one takes its place in the copy of the row above. */
#define KEEP_COLUMN                      \
    a = *above, b = *middle, c = *below; \
    *above++ = (int8_t)b, middle += step, below += step

#define LOAD_COLUMN                      \
    a = *above, b = *middle, c = *below; \
    above += step, middle += step, below += step

/* One channel with stride 1; `ready` waits for its last column, `next` for two. */
ALWAYS_INLINE void windows_1(const ts_depthwise_3x3_s8_layer *layer, const one_channel *one, int32_t relu)
{
    const int32_t *const w = one->weights;
    const int32_t w0 = w[0], w1 = w[1], w2 = w[2], w3 = w[3], w4 = w[4], w5 = w[5];
    const int32_t low = layer->low, step = layer->channels, pitch = layer->in_width * step;
    const ts_requantizer r = one->r;
    const int8_t *row = one->input + layer->cut * pitch;
    const int32_t before = layer->in_zero * (w[0] + w[3] + w[6]);
    int32_t w6 = w[6], w7 = w[7], w8 = w[8], bias = one->bias, behind = layer->in_zero * (w[2] + w[5] + w[8]);
    int8_t *out = one->output;
    for (int32_t y = layer->cut, rows = layer->out_height; rows > 0; ++y, --rows, row += pitch) {
        const int8_t *middle = row, *below = row + pitch;
        int8_t *above = one->above, *const end = above + layer->in_width;
        int32_t a, b, c, sum, ready = bias + before, next;
        if (y + 1 == layer->in_height) {
            bias += layer->in_zero * (w6 + w7 + w8), ready += layer->in_zero * (w7 + w8);
            behind -= layer->in_zero * w8;
            w6 = w7 = w8 = 0;
            below = row;
        }
        KEEP_COLUMN;
        ready += a * w1 + b * w4 + c * w7;
        next = bias + a * w0 + b * w3 + c * w6;
        while (above != end) {
            KEEP_COLUMN;
            sum = ready + a * w2 + b * w5 + c * w8;
            ready = next + a * w1 + b * w4 + c * w7;
            next = bias + a * w0 + b * w3 + c * w6;
            PUT;
        }
        sum = ready + behind;
        PUT;
    }
}

/* One channel with stride 2; `ready` waits for two columns. */
static TS_INNER_LOOP void windows_2(const ts_depthwise_3x3_s8_layer *layer, const one_channel *one)
{
    const int32_t *const w = one->weights;
    const int32_t w3 = w[3], w4 = w[4], w5 = w[5];
    const int32_t low = layer->low, step = layer->channels, pitch = layer->in_width * step;
    const int32_t beyond = 2 * layer->out_width > layer->in_width; /* the last window hangs over */
    const int32_t relu = 0;
    const ts_requantizer r = one->r;
    const int8_t *row = one->input + layer->cut * pitch;
    int8_t *out = one->output;
    for (int32_t y = layer->cut, rows = layer->out_height; rows > 0; y += 2, --rows, row += 2 * pitch) {
        const int8_t *above = row - pitch, *middle = row, *below = row + pitch;
        int8_t *const end = out + (layer->out_width - beyond) * step;
        int32_t w0 = w[0], w1 = w[1], w2 = w[2], w6 = w[6], w7 = w[7], w8 = w[8], bias = one->bias;
        int32_t a, b, c, sum, ready;
        if (y == 0) {
            bias += layer->in_zero * (w0 + w1 + w2);
            w0 = w1 = w2 = 0;
            above = row;
        }
        if (y + 1 == layer->in_height) {
            bias += layer->in_zero * (w6 + w7 + w8);
            w6 = w7 = w8 = 0;
            below = row;
        }
        ready = bias + layer->in_zero * (w0 + w3 + w6);
        while (out != end) {
            LOAD_COLUMN;
            sum = ready + a * w1 + b * w4 + c * w7;
            LOAD_COLUMN;
            sum += a * w2 + b * w5 + c * w8;
            ready = bias + a * w0 + b * w3 + c * w6;
            PUT;
        }
        if (beyond) {
            LOAD_COLUMN;
            sum = ready + a * w1 + b * w4 + c * w7 + layer->in_zero * (w2 + w5 + w8);
            PUT;
        }
    }
}

static TS_INNER_LOOP void windows_1_any(const ts_depthwise_3x3_s8_layer *layer, const one_channel *one)
{
    windows_1(layer, one, 0);
}

static TS_INNER_LOOP void windows_1_relu(const ts_depthwise_3x3_s8_layer *layer, const one_channel *one)
{
    windows_1(layer, one, 1);
}

/* One channel of sums of any size with any stride: a window of pixels that moves over every row. */
static void windows_large(const ts_depthwise_3x3_s8_layer *layer, const one_channel *one)
{
    const int32_t pitch = layer->in_width * layer->channels;
    const int8_t zero = (int8_t)layer->in_zero, *row = one->input + layer->cut * pitch;
    int8_t *out = one->output;
    for (int32_t y = layer->cut, rows = layer->out_height; rows > 0; y += layer->stride, --rows) {
        int8_t window[9] = {zero, zero, zero, zero, zero, zero, zero, zero, zero};
        int32_t column = 0;
        for (int32_t x = 1; x < 1 + layer->out_width * layer->stride; x += layer->stride) {
            for (; column <= x; ++column) {
                const int8_t *const middle = row + column * layer->channels;
                const int32_t inside = column < layer->in_width;
                for (int32_t place = 0; place < 9; ++place) {
                    window[place] = place % 3 < 2 ? window[place + 1] : zero;
                }
                if (inside && y > 0) {
                    window[2] = layer->stride > 1 ? middle[-pitch] : one->above[column];
                }
                if (inside && y + 1 < layer->in_height) {
                    window[8] = middle[pitch];
                }
                if (inside) {
                    window[5] = *middle;
                    if (layer->stride == 1) {
                        one->above[column] = *middle;
                    }
                }
            }
            int32_t sum = one->bias;
            for (int32_t place = 0; place < 9; ++place) {
                sum += window[place] * one->weights[place];
            }
            *out = (int8_t)ts_clamp(ts_requantize(sum, one->r) + layer->out_zero, layer->low, INT8_MAX);
            out += layer->channels;
        }
        row += layer->stride * pitch;
    }
}


void ts_depthwise_3x3_s8(const ts_depthwise_3x3_s8_layer *layer, const int8_t *input, int8_t *output, void *scratch)
{
    one_channel one = {.above = scratch};
    for (int32_t channel = 0; channel < layer->channels; ++channel) {
        const int32_t bias = layer->bias[channel], shift = layer->shift[channel];
        const int32_t small = shift <= SMALL_SHIFT && bias > -SMALL_BIAS && bias < SMALL_BIAS;
        const int8_t *const weights = layer->weights + 9 * channel;
        one.input = input + channel, one.output = output + channel;
        one.r = ts_requantizer_of(layer->multiplier[channel], shift);
        for (int32_t place = 0; place < 9; ++place) {
            one.weights[place] = small ? 4 * weights[place] : weights[place];
        }
        one.bias = small ? 4 * bias : bias;
        if (layer->stride == 1 && layer->cut == 0) {
            fill(one.above, layer->in_width, (int8_t)layer->in_zero);
        } else if (layer->stride == 1) {
            copy(one.above, one.input, layer->channels, layer->in_width);
        }
        if (!small) {
            windows_large(layer, &one);
            continue;
        }
        one.r.shift = shift + 1;
        one.r.high = 1 + (INT32_C(1) << shift) + layer->out_zero * (INT32_C(2) << shift);
        if (layer->stride == 2) {
            windows_2(layer, &one);
        } else if (layer->low == layer->out_zero) {
            windows_1_relu(layer, &one);
        } else {
            windows_1_any(layer, &one);
        }
    }
}
