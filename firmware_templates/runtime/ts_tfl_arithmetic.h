/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernels of networks from TensorFlow Lite files share. Include only; nothing to link.
 *
 * These kernels compute what tflite-micro's reference kernels compute, bit for bit: multipliers of any size, clamps at
 * both ends, padding, kernels and maps that are not square.
 */
#ifndef TS_TFL_ARITHMETIC_H
#define TS_TFL_ARITHMETIC_H

#include "ts_arithmetic.h"

/* Windows that slide over [in_height][in_width][in_channels]; padding below and to the right follows. */
typedef struct {
    int32_t in_height, in_width, in_channels;
    int32_t out_height, out_width, out_channels;
    int32_t kernel_height, kernel_width;
    int32_t stride_y, stride_x;
    int32_t dilation_y, dilation_x;
    int32_t top, left; /* rows and columns of padding before the input */
} ts_tfl_window;

/* int8 outputs: zero point and clamp. */
typedef struct {
    int32_t zero, low, high;
} ts_tfl_range;

/* x * multiplier / 2^31 / 2^shift, rounded twice; shift in -31 .. 31, |x| * 2^-shift < 2^31. */
static inline int32_t ts_tfl_scale(int32_t x, int32_t multiplier, int32_t shift)
{
    int64_t high;
    if (shift <= 0) {
        return ts_doubling_high_multiply(x * (int32_t)(UINT32_C(1) << -shift), multiplier);
    }
    high = ts_doubling_high_multiply(x, multiplier);
    return (int32_t)((high + (INT64_C(1) << (shift - 1)) - (high < 0)) >> shift);
}

/* An output from a sum of products. */
static inline int8_t ts_tfl_output(int32_t sum, int32_t multiplier, int32_t shift, const ts_tfl_range *range)
{
    return (int8_t)ts_clamp(ts_tfl_scale(sum, multiplier, shift) + range->zero, range->low, range->high);
}

static inline int32_t ts_tfl_smaller(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static inline int32_t ts_tfl_larger(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

#endif
