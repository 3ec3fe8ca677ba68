/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_tfl_prelu_s8.h"

/* A multiplier of any size without a branch on it: a shift to the left is done before the product, whose high word is
 * the result then. */
typedef struct {
    int32_t left, borrows;
    ts_requantizer right;
} factor;

static factor factor_of(int32_t multiplier, int32_t shift)
{
    factor found;
    if (shift > 0) {
        found.left = 0;
        found.borrows = -1;
        found.right = ts_requantizer_of(multiplier, shift);
    } else {
        found.left = 1 - shift;
        found.borrows = 0;
        found.right.multiplier = multiplier;
        found.right.shift = found.right.high = 0;
        found.right.low = UINT32_C(0x80000000);
    }
    return found;
}

/* As ts_requantize. */
static int32_t times(int32_t x, const factor *by)
{
    const int64_t sum = (int64_t)(x * (int32_t)(UINT32_C(1) << by->left)) * by->right.multiplier + by->right.low;
    const int32_t borrow = (x & ~(int32_t)(uint32_t)sum & by->borrows) >> 31;
    return ((int32_t)(sum >> 32) + by->right.high + borrow) >> by->right.shift;
}

size_t ts_tfl_prelu_s8_scratch_bytes(const ts_tfl_prelu_s8_layer *layer)
{
    (void)layer;
    return 0;
}

void ts_tfl_prelu_s8(const ts_tfl_prelu_s8_layer *layer, const int8_t *input, int8_t *output, void *scratch)
{
    const factor factors[2] = {factor_of(layer->multiplier[0], layer->shift[0]),
                               factor_of(layer->multiplier[1], layer->shift[1])};
    const int8_t *const end = input + layer->count;
    const int32_t in_zero = layer->zero[0], one = layer->zero[1] + 1, zero = layer->out_zero;
    (void)scratch;
    while (input < end) {
        for (const int8_t *slope = layer->slopes; slope < layer->slopes + layer->period; ++slope, ++input, ++output) {
            const int32_t value = *input - in_zero, below = value >> 31; /* all ones below zero */
            const int32_t product = value * (((*slope - one) & below) + 1);
            *output = (int8_t)ts_clamp(times(product, &factors[-below]) + zero, INT8_MIN, INT8_MAX);
        }
    }
}
