/* SPDX-License-Identifier: Apache-2.0 */
/* Means that are a half, as they fall in PyTorch's float32 arithmetic. Include only; nothing to link.
 *
 * A half is no half there: the products of integers and scale are rounded, their sum, the quotient, the product with the
 * reciprocal of the scale. These are the same operations in the same order; only means that are halves need them.
 * tinysearch/networks/halves.py computes the same.
 */
#ifndef TS_HALVES_H
#define TS_HALVES_H

#include <stdint.h>

/* Scale of the inputs and reciprocal of the outputs'; a reciprocal of 0: halves go to even. */
typedef struct {
    float scale, inverse;
} ts_halves;

/* The nearest integer, halves to even, |x| < 2^22. */
static inline int32_t ts_halves_nearest(float x)
{
    const float shifted = x + 12582912.0f; /* 1.5 * 2^23: no bit is left for a fraction */
    return (int32_t)(shifted - 12582912.0f);
}

static inline int32_t ts_halves_mean(float sum, int32_t count, ts_halves halves)
{
    return ts_halves_nearest(sum / (float)count * halves.inverse);
}

#endif
