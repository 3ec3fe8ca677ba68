/* Arithmetic and loop idioms that the kernels share. Include only; nothing to link.
 *
 * Requantization is TensorFlow Lite's: y = x * multiplier / 2^31 rounded to nearest, then y / 2^shift rounded to
 * nearest with halves away from zero. It equals core/quantization.py bit for bit.
 */
#ifndef TS_ARITHMETIC_H
#define TS_ARITHMETIC_H

#include <stddef.h>
#include <stdint.h>

/* GCC's scheduler hoists the loads of an inner loop above its multiplications and then spills accumulators. On RISC-V,
 * where it was measured (3.7 instead of 2.7 instructions a MAC), inner loops keep the order they are written in. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__riscv)
#define TS_INNER_LOOP __attribute__((noinline, optimize("no-schedule-insns")))
#else
#define TS_INNER_LOOP
#endif

/* Rounding constant and shift of one channel, see ts_requantize. */
typedef struct {
    int32_t multiplier; /* 0 or 2^30 .. 2^31 - 1 */
    int32_t shift;      /* shift - 1: the high word of the product is already shifted by 32, not 31 */
    int32_t half;       /* 2^(shift - 2), 0 where shift is 1 */
} ts_requantizer;

static inline ts_requantizer ts_requantizer_of(int32_t multiplier, int32_t shift)
{
    ts_requantizer result;
    result.multiplier = multiplier;
    result.shift = shift - 1;
    result.half = (int32_t)((UINT32_C(1) << shift) >> 2);
    return result;
}

/* x * multiplier / 2^31 rounded to nearest, halves towards plus infinity. */
static inline int32_t ts_doubling_high_multiply(int32_t x, int32_t multiplier)
{
    return (int32_t)(((int64_t)x * multiplier + (INT32_C(1) << 30)) >> 31);
}

/* x / 2^shift rounded to nearest, halves away from zero; shift in 0 .. 31, |x| < 2^30. */
static inline int32_t ts_rounding_shift_right(int32_t x, int32_t shift)
{
    if (shift == 0)
        return x;
    return (x + (int32_t)(UINT32_C(1) << (shift - 1)) + (x >> 31)) >> shift;
}

/* The definition; multiplier >= 0, shift in 1 .. 31, |x| < 2^30. */
static inline int32_t ts_requantize_exactly(int32_t x, int32_t multiplier, int32_t shift)
{
    return ts_rounding_shift_right(ts_doubling_high_multiply(x, multiplier), shift);
}

/* The same in fewer instructions for shift >= 2 (r.shift >= 1), |x| < 2^30.
 *
 * Let p = x * multiplier + 2^30 = 2^32 high + low. The first rounding gives y = 2 high + (top bit of low), so dropping
 * that bit costs nothing under the second rounding, but for one case: a negative y whose last bit is 0 rounds as y - 1,
 * which borrows one from high. */
static inline int32_t ts_requantize(int32_t x, ts_requantizer r)
{
    const int64_t product = (int64_t)x * r.multiplier + (INT32_C(1) << 30);
    const int32_t high = (int32_t)(product >> 32), low = (int32_t)(uint32_t)product;
    return (high + r.half + ((high & ~low) >> 31)) >> r.shift;
}

/* The same, but results below zero may be one too large, as long as they stay at or below zero: exact once a fused
 * ReLU clamps at zero. Shift >= 2. */
static inline int32_t ts_requantize_relu(int32_t x, ts_requantizer r)
{
    const int64_t product = (int64_t)x * r.multiplier + (INT32_C(1) << 30);
    return ((int32_t)(product >> 32) + r.half) >> r.shift;
}

static inline int32_t ts_clamp(int32_t value, int32_t low, int32_t high)
{
    if (value < low)
        value = low;
    if (value > high)
        value = high;
    return value;
}

#endif
