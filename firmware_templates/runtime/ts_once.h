/* SPDX-License-Identifier: Apache-2.0 */
/* Requantization that rounds a real number once, halves to even, as PyTorch and ONNX define it. Include only.
 *
 * What is computed for an integer x is floor((x * multiplier + addend) / 2^(32 + shift)), less one where that is odd and
 * the remainder is below `ties`. tinysearch/networks/once.py chooses the numbers so that every x that can occur gets
 * what the real factor and the real bias give it.
 */
#ifndef TS_ONCE_H
#define TS_ONCE_H

#include "ts_tfl_arithmetic.h"

typedef struct {
    int32_t multiplier; /* 0 .. 2^31 - 1 */
    int32_t shift;      /* 0 .. 22 */
    int32_t high, low;  /* the words of the addend, both as they are stored */
    int32_t ties;       /* 0 .. 2^31 - 1 */
} ts_once;

/* Of one channel, whose addend is [2]: the high word, the low one. */
static inline ts_once ts_once_of(int32_t multiplier, int32_t shift, const int32_t *addend, int32_t ties)
{
    const ts_once r = {multiplier, shift, addend[0], addend[1], ties};
    return r;
}

/* The sum before it is shifted. */
static inline int64_t ts_once_sum(int32_t x, ts_once r)
{
    const uint64_t addend = (uint64_t)(uint32_t)r.high << 32 | (uint32_t)r.low;
    return (int64_t)((uint64_t)((int64_t)x * r.multiplier) + addend);
}

/* Whether a sum is that of a half. */
static inline int32_t ts_once_is_tie(int64_t sum, ts_once r)
{
    const int32_t high = (int32_t)(sum >> 32);
    return (uint32_t)sum < (uint32_t)r.ties && (high & ((INT32_C(1) << r.shift) - 1)) == 0;
}

static inline int32_t ts_once_rounded(int32_t x, ts_once r)
{
    const int64_t sum = ts_once_sum(x, r);
    const int32_t result = (int32_t)(sum >> 32) >> r.shift;
    return ts_once_is_tie(sum, r) ? result - (result & 1) : result;
}

#endif
