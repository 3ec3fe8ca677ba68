/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_tfl_softmax_s8.h"

/* Sums have 12 integer bits; numbers called fractions have none, their denominator is 2^31. */
enum { SUM_BITS = 12, OUTPUT_BITS = 8, NEWTON_STEPS = 3 };

static const int32_t NEWTON_START = 1515870810, NEWTON_SLOPE = -1010580540; /* 48/17 and -32/17 with 2 integer bits */

size_t ts_tfl_softmax_s8_scratch_bytes(const ts_tfl_softmax_s8_layer *layer)
{
    (void)layer;
    return 0;
}

/* x * 2^bits, saturating. */
static int32_t raised(int32_t x, int32_t bits)
{
    const int64_t wide = (int64_t)x * (INT64_C(1) << bits);
    return wide > INT32_MAX ? INT32_MAX : wide < INT32_MIN ? INT32_MIN : (int32_t)wide;
}

/* 1 / (1 + x) for a fraction x, by Newton's method on half the denominator. */
static int32_t reciprocal(int32_t x)
{
    const int32_t half = (int32_t)(((int64_t)x + INT32_MAX + 1) >> 1);
    int32_t estimate = NEWTON_START + ts_doubling_high_multiply(half, NEWTON_SLOPE);
    for (int32_t step = 0; step < NEWTON_STEPS; ++step) {
        const int32_t error = (INT32_C(1) << 29) - ts_doubling_high_multiply(half, estimate);
        estimate += raised(ts_doubling_high_multiply(estimate, error), 2);
    }
    return raised(estimate, 1);
}

static int32_t leading_zeros(uint32_t x)
{
    int32_t count = 0;
    for (; x < UINT32_C(0x80000000); x <<= 1) {
        ++count;
    }
    return count;
}

static void softmax(const int32_t *exponentials, int32_t depth, const int8_t *input, int8_t *output)
{
    int32_t most = INT8_MIN, sum = 0, zeros, shift, inverse;
    for (int32_t index = 0; index < depth; ++index) {
        most = ts_tfl_larger(most, input[index]);
    }
    for (int32_t index = 0; index < depth; ++index) {
        sum += (int32_t)(((uint32_t)exponentials[most - input[index]] + (1 << (SUM_BITS - 1))) >> SUM_BITS);
    }
    zeros = leading_zeros((uint32_t)sum);
    inverse = reciprocal((int32_t)(((uint32_t)sum << zeros) - UINT32_C(0x80000000)));
    shift = SUM_BITS - zeros + 31 - OUTPUT_BITS;
    for (int32_t index = 0; index < depth; ++index) {
        const int32_t part = ts_doubling_high_multiply(inverse, exponentials[most - input[index]]);
        output[index] = (int8_t)ts_clamp((int32_t)(((int64_t)part + (INT64_C(1) << shift >> 1)) >> shift) + INT8_MIN,
                                         INT8_MIN, INT8_MAX);
    }
}

void ts_tfl_softmax_s8(const ts_tfl_softmax_s8_layer *layer, const int8_t *input, int8_t *output, void *scratch)
{
    (void)scratch;
    for (int32_t row = 0; row < layer->rows; ++row, input += layer->depth, output += layer->depth) {
        softmax(layer->exponentials, layer->depth, input, output);
    }
}
