/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_xnor_conv_s8.h"

#include "ts_arithmetic.h"
#include "ts_xnor_window.h"

#define LANES 32        /* output channels of a group */
#define HALF 16         /* counters a word holds two of; planes that are transposed at once */
#define LOW_HALF UINT32_C(0xffff)
#define FRACTION_BITS 8 /* XNOR_FRACTION_BITS of core/quantization.py */

static ts_xnor_shape shape_of(const ts_xnor_conv_s8_layer *layer)
{
    const ts_xnor_shape shape = {
        .input_height = layer->input_height,
        .input_width = layer->input_width,
        .input_channels = layer->input_channels,
        .output_width = layer->output_width,
        .output_channels = layer->output_channels,
        .kernel_height = layer->kernel_height,
        .kernel_width = layer->kernel_width,
        .stride = layer->stride,
        .padding = layer->padding,
        .beside = layer->flat ? 0 : layer->padding,
        .activation_bits = layer->activation_bits,
        .weight_bits = layer->weight_bits,
        .plane_multiple = HALF,
        .weights = layer->weights,
    };
    return shape;
}

size_t ts_xnor_conv_s8_scratch_bytes(const ts_xnor_conv_s8_layer *layer)
{
    const ts_xnor_shape shape = shape_of(layer);
    return ts_xnor_window_scratch_bytes(&shape);
}

/* 16 planes of 32 counters to the counters: two 16 x 16 bit matrices are transposed side by side, then word k holds
 * counter k in its low and counter k + 16 in its high half. Written out so that all 16 words stay in registers. */
TS_INNER_LOOP static void transpose(uint32_t *pairs, const uint32_t *planes)
{
    uint32_t w0 = planes[0], w1 = planes[1], w2 = planes[2], w3 = planes[3], w4 = planes[4], w5 = planes[5];
    uint32_t w6 = planes[6], w7 = planes[7], w8 = planes[8], w9 = planes[9], w10 = planes[10], w11 = planes[11];
    uint32_t w12 = planes[12], w13 = planes[13], w14 = planes[14], w15 = planes[15], changed;
#define SWAP(low, high, distance, mask)                            \
    changed = ((w##low >> (distance)) ^ w##high) & UINT32_C(mask); \
    w##high ^= changed;                                            \
    w##low ^= changed << (distance);
#define STORE(k) pairs[k] = w##k;
    SWAP(0, 8, 8, 0x00ff00ff) SWAP(1, 9, 8, 0x00ff00ff) SWAP(2, 10, 8, 0x00ff00ff) SWAP(3, 11, 8, 0x00ff00ff)
    SWAP(4, 12, 8, 0x00ff00ff) SWAP(5, 13, 8, 0x00ff00ff) SWAP(6, 14, 8, 0x00ff00ff) SWAP(7, 15, 8, 0x00ff00ff)
    SWAP(0, 4, 4, 0x0f0f0f0f) SWAP(1, 5, 4, 0x0f0f0f0f) SWAP(2, 6, 4, 0x0f0f0f0f) SWAP(3, 7, 4, 0x0f0f0f0f)
    SWAP(8, 12, 4, 0x0f0f0f0f) SWAP(9, 13, 4, 0x0f0f0f0f) SWAP(10, 14, 4, 0x0f0f0f0f) SWAP(11, 15, 4, 0x0f0f0f0f)
    SWAP(0, 2, 2, 0x33333333) SWAP(1, 3, 2, 0x33333333) SWAP(4, 6, 2, 0x33333333) SWAP(5, 7, 2, 0x33333333)
    SWAP(8, 10, 2, 0x33333333) SWAP(9, 11, 2, 0x33333333) SWAP(12, 14, 2, 0x33333333) SWAP(13, 15, 2, 0x33333333)
    SWAP(0, 1, 1, 0x55555555) SWAP(2, 3, 1, 0x55555555) SWAP(4, 5, 1, 0x55555555) SWAP(6, 7, 1, 0x55555555)
    SWAP(8, 9, 1, 0x55555555) SWAP(10, 11, 1, 0x55555555) SWAP(12, 13, 1, 0x55555555) SWAP(14, 15, 1, 0x55555555)
    STORE(0) STORE(1) STORE(2) STORE(3) STORE(4) STORE(5) STORE(6) STORE(7)
    STORE(8) STORE(9) STORE(10) STORE(11) STORE(12) STORE(13) STORE(14) STORE(15)
#undef SWAP
#undef STORE
}

/* One output: core/quantization.py's requantize, exact for every int32 value. With twice the multiplier, the first
 * rounding is the high word of the product plus the top bit of the low one. The second rounds halves away from zero, in
 * two steps that cannot overflow; `offset`, twice the zero point plus one, carries the rounding of the last. */
static inline int8_t requantize(uint32_t counter, int32_t bias, uint32_t multiplier, uint8_t shift, int32_t offset,
                                int32_t low)
{
    const int32_t value = (int32_t)((counter << FRACTION_BITS) + (uint32_t)bias);
    const int64_t product = (int64_t)value * multiplier;
    const int32_t first = (int32_t)(product >> 32) + (int32_t)((uint32_t)product >> 31);
    const int32_t second = (((first - (first < 0)) >> shift) + offset) >> 1;
    return (int8_t)ts_clamp(second, low, INT8_MAX);
}

/* The 32 outputs of a full group whose counters have up to 16 bits, from their transposed planes. */
TS_INNER_LOOP static void write_pairs(const ts_xnor_conv_s8_layer *layer, const uint32_t *pairs, int32_t first,
                                      int8_t *output)
{
    const int32_t offset = 2 * layer->output_zero + 1, low = layer->output_low;
    const int32_t *bias = layer->bias + first;
    const uint32_t *multiplier = layer->multiplier + first;
    const uint8_t *shift = layer->shift + first;
    const int8_t *end = output + HALF;
#define WRITE(k, counter) output[k] = requantize(counter, bias[k], multiplier[k], shift[k], offset, low)
#define WRITE_PAIR(k)                \
    WRITE(k, pairs[k] & LOW_HALF);   \
    WRITE(HALF + (k), pairs[k] >> HALF)
    for (; output != end; output += 8, pairs += 8, bias += 8, multiplier += 8, shift += 8) {
        WRITE_PAIR(0);
        WRITE_PAIR(1);
        WRITE_PAIR(2);
        WRITE_PAIR(3);
        WRITE_PAIR(4);
        WRITE_PAIR(5);
        WRITE_PAIR(6);
        WRITE_PAIR(7);
    }
#undef WRITE_PAIR
#undef WRITE
}

/* The outputs of counters one after the other: each `half` bits up in its word, under `mask`. */
TS_INNER_LOOP static void write_some(const ts_xnor_conv_s8_layer *layer, const uint32_t *words, int32_t half,
                                     uint32_t mask, int32_t first, int32_t count, int8_t *output)
{
    const int32_t offset = 2 * layer->output_zero + 1, low = layer->output_low;
    const int32_t *bias = layer->bias + first;
    const uint32_t *multiplier = layer->multiplier + first;
    const uint8_t *shift = layer->shift + first;
    for (const int8_t *const end = output + count; output < end; ++output) {
        *output = requantize(*words++ >> half & mask, *bias++, *multiplier++, *shift++, offset, low);
    }
}

/* The outputs of any group, from its 16 or 32 planes. */
static void write_group(const ts_xnor_conv_s8_layer *layer, const uint32_t *planes, int32_t count, int32_t first,
                        int8_t *output)
{
    const int32_t left = layer->output_channels - first, lower = left < HALF ? left : HALF;
    uint32_t pairs[HALF], upper_pairs[HALF];
    transpose(pairs, planes);
    if (left >= LANES && count <= HALF) {
        write_pairs(layer, pairs, first, output);
        return;
    }
    if (count > HALF) {
        transpose(upper_pairs, planes + HALF);
        for (int32_t word = 0; word < HALF; ++word) { /* to the counters of the lower and of the upper lanes */
            const uint32_t below = pairs[word], above = upper_pairs[word];
            pairs[word] = (below & LOW_HALF) | above << HALF;
            upper_pairs[word] = below >> HALF | (above & ~LOW_HALF);
        }
    }
    write_some(layer, pairs, 0, count > HALF ? UINT32_MAX : LOW_HALF, first, lower, output);
    if (left > HALF) {
        const int32_t upper = left < LANES ? left - HALF : HALF;
        write_some(layer, count > HALF ? upper_pairs : pairs, count > HALF ? 0 : HALF, UINT32_MAX, first + HALF, upper,
                   output + HALF);
    }
}

void ts_xnor_conv_s8(const ts_xnor_conv_s8_layer *layer, const uint32_t *input, int8_t *output, void *scratch)
{
    const ts_xnor_shape shape = shape_of(layer);
    const int32_t channels = layer->output_channels;
    ts_xnor_window window;
    ts_xnor_window_start(&window, &shape, input, scratch);
    for (int32_t y = 0; y < layer->output_height; ++y) {
        ts_xnor_window_row(&window, y);
        for (int32_t x = 0; x < layer->output_width; ++x, output += channels) {
            const uint32_t *sums = window.sums;
            ts_xnor_window_sum(&window, x);
            for (int32_t first = 0; first < channels; first += LANES, sums += window.sum_planes) {
                write_group(layer, sums, window.sum_planes, first, output + first);
            }
        }
    }
}
