/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_cosine_f32.h"

#include <float.h>
#include <math.h>

static const float ONE = 1048576.0f; /* 2^20 */
static const float LEAST_SQUARES = 1e-30f;

static float dot(const float *left, const float *right, int32_t count)
{
    float sum = 0.0f;
    for (int32_t index = 0; index < count; ++index) {
        sum += left[index] * right[index];
    }
    return sum;
}

/* Every comparison is false for what is not a number, and is put so that this leads to the lowest result: converted to
 * int32_t, a NaN is the largest number on RISC-V. */
int32_t ts_cosine_f32(const float *left, const float *right, int32_t count)
{
    const float left_squares = dot(left, left, count), right_squares = dot(right, right, count);
    if (!(left_squares <= FLT_MAX && right_squares <= FLT_MAX)) {
        return -(int32_t)ONE;
    }
    if (left_squares < LEAST_SQUARES || right_squares < LEAST_SQUARES) {
        return 0;
    }
    const float scaled = dot(left, right, count) / (sqrtf(left_squares) * sqrtf(right_squares)) * ONE;
    if (!(scaled > -ONE)) {
        return -(int32_t)ONE;
    }
    if (scaled >= ONE) {
        return (int32_t)ONE;
    }
    return (int32_t)(scaled < 0.0f ? scaled - 0.5f : scaled + 0.5f);
}
