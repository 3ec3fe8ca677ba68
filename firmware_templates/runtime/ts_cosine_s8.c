/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_cosine_s8.h"

enum { FRACTION_BITS = 20, ROOT_BITS = 8, PRODUCT_BITS = 48 };

int32_t ts_dot_s8(const int8_t *left, const int8_t *right, int32_t count)
{
    int32_t sum = 0;
    for (const int8_t *const end = left + count; left < end; ++left, ++right) {
        sum += *left * *right;
    }
    return sum;
}

/* floor(sqrt(value)), digit by digit in base two. */
static uint32_t square_root(uint64_t value)
{
    uint64_t root = 0;
    for (uint64_t bit = UINT64_C(1) << 62; bit > 0; bit >>= 2) {
        const uint64_t trial = root + bit;
        root >>= 1;
        if (value >= trial) {
            value -= trial;
            root += bit;
        }
    }
    return (uint32_t)root;
}

int32_t ts_cosine_from_dots(int32_t dot, int32_t left_norm, int32_t right_norm)
{
    if (left_norm <= 0 || right_norm <= 0) {
        return 0;
    }
    const uint64_t product = (uint64_t)left_norm * (uint64_t)right_norm;
    const uint64_t most = (UINT64_C(1) << PRODUCT_BITS) - 1; /* of two norms of 2^24, whose product is one more */
    const uint32_t root = square_root((product < most ? product : most) << (2 * ROOT_BITS));
    const uint64_t magnitude = (uint64_t)(dot < 0 ? -(int64_t)dot : dot) << (FRACTION_BITS + ROOT_BITS);
    const uint64_t quotient = magnitude / root, one = UINT64_C(1) << FRACTION_BITS;
    const int32_t cosine = (int32_t)(quotient < one ? quotient : one); /* sums that do not belong together may give more */
    return dot < 0 ? -cosine : cosine;
}

int32_t ts_cosine_s8(const int8_t *left, const int8_t *right, int32_t count)
{
    return ts_cosine_from_dots(ts_dot_s8(left, right, count), ts_dot_s8(left, left, count),
                               ts_dot_s8(right, right, count));
}
