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

/* Multiplier and shift of one channel, prepared for ts_requantize. */
typedef struct {
    int64_t rounding;   /* half of the last place of either rounding: 2^30 + 2^(30 + shift) */
    int32_t multiplier; /* 0 .. 2^31 - 1 */
    int32_t shift;      /* less one, for the high word of the product is already shifted by 32 and not 31 */
} ts_requantizer;

/* Shift in 1 .. 31. */
static inline ts_requantizer ts_requantizer_of(int32_t multiplier, int32_t shift)
{
    const uint32_t high = (UINT32_C(1) << shift) >> 2, low = shift == 1 ? UINT32_C(0xC0000000) : UINT32_C(0x40000000);
    ts_requantizer result;
    result.rounding = (int64_t)((uint64_t)high << 32 | low);
    result.multiplier = multiplier;
    result.shift = shift - 1;
    return result;
}

/* Both roundings in one sum, |x| < 2^30. With y = floor((x * multiplier + 2^30) / 2^31) the result is defined as
 * floor((y + 2^(shift - 1) - (y < 0)) / 2^shift); floors nest, and testing x < 0 in place of y < 0 differs only where
 * y = 0, which both send to 0. */
static inline int32_t ts_requantize(int32_t x, ts_requantizer r)
{
    const int64_t away = (int64_t)(x >> 31) * INT64_C(0x80000000);
    return (int32_t)(((int64_t)x * r.multiplier + r.rounding + away) >> 32) >> r.shift;
}

/* The same, but halves below zero go up: exact once a fused ReLU clamps at zero. */
static inline int32_t ts_requantize_relu(int32_t x, ts_requantizer r)
{
    return (int32_t)(((int64_t)x * r.multiplier + r.rounding) >> 32) >> r.shift;
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
