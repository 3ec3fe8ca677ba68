/* SPDX-License-Identifier: Apache-2.0 */
/* Arithmetic and loop idioms that the kernels share. Include only; nothing to link.
 *
 * Requantization is TensorFlow Lite's: y = x * multiplier / 2^31 rounded to nearest, then y / 2^shift rounded to
 * nearest with halves away from zero. It equals core/quantization.py bit for bit.
 */
#ifndef TS_ARITHMETIC_H
#define TS_ARITHMETIC_H

#include <stddef.h>
#include <stdint.h>

/* GCC's scheduler hoists the loads of an inner loop above its multiplications and then spills accumulators, and copies
 * of accumulators that it coalesces cost a few more. RISC-V executes 3.9, 2.8 and 2.6 instructions a MAC of the 4x4
 * tile with both, one and none; Xtensa has 7.6 and 5.0 in its loop. There, inner loops keep the order they are written
 * in. */
#if defined(__GNUC__) && !defined(__clang__) && (defined(__riscv) || defined(__XTENSA__))
#define TS_INNER_LOOP __attribute__((noinline, optimize("no-schedule-insns", "no-tree-coalesce-vars")))
#else
#define TS_INNER_LOOP
#endif

/* 1 where 16 accumulators do not fit the registers: of the 16 that Xtensa has, a loop gets 14. */
#ifndef TS_FEW_REGISTERS
#ifdef __XTENSA__
#define TS_FEW_REGISTERS 1
#else
#define TS_FEW_REGISTERS 0
#endif
#endif

/* x * multiplier / 2^31 rounded to nearest, halves towards plus infinity. */
static inline int32_t ts_doubling_high_multiply(int32_t x, int32_t multiplier)
{
    return (int32_t)(((int64_t)x * multiplier + (INT32_C(1) << 30)) >> 31);
}

/* x / 2^shift rounded to nearest, halves away from zero; shift in 0 .. 31, |x| < 2^30. */
static inline int32_t ts_rounding_shift_right(int32_t x, int32_t shift)
{
    if (shift == 0) {
        return x;
    }
    return (x + (int32_t)(UINT32_C(1) << (shift - 1)) + (x >> 31)) >> shift;
}

/* Multiplier and shift of one channel, prepared for ts_requantize. */
typedef struct {
    int32_t multiplier; /* 0 .. 2^31 - 1 */
    int32_t shift;      /* less one, for the high word of the product is already shifted by 32 and not 31 */
    int32_t high;       /* both halves that rounding adds, 2^30 + 2^(30 + shift): the high word, */
    uint32_t low;       /* and the low one */
} ts_requantizer;

/* Shift in 1 .. 31. */
static inline ts_requantizer ts_requantizer_of(int32_t multiplier, int32_t shift)
{
    ts_requantizer result;
    result.multiplier = multiplier;
    result.shift = shift - 1;
    result.high = (int32_t)((UINT32_C(1) << shift) >> 2);
    result.low = shift == 1 ? UINT32_C(0xC0000000) : UINT32_C(0x40000000);
    return result;
}

/* Both roundings in one sum, |x| < 2^30. With y = floor((x * multiplier + 2^30) / 2^31) the result is defined as
 * floor((y + 2^(shift - 1) - (y < 0)) / 2^shift). Floors nest, so the halves add up before one shift. Testing x < 0 in
 * place of y < 0 differs only where y = 0, which both send to 0. Taking 2^31 off the sum borrows from its high word
 * where the top bit of the low word is 0. */
static inline int32_t ts_requantize(int32_t x, ts_requantizer r)
{
    const int64_t sum = (int64_t)x * r.multiplier + r.low;
    const int32_t borrow = (x & ~(int32_t)(uint32_t)sum) >> 31;
    return ((int32_t)(sum >> 32) + r.high + borrow) >> r.shift;
}

/* The same, but halves below zero go up: exact once a fused ReLU clamps at zero. */
static inline int32_t ts_requantize_relu(int32_t x, ts_requantizer r)
{
    const int64_t sum = (int64_t)x * r.multiplier + r.low;
    return ((int32_t)(sum >> 32) + r.high) >> r.shift;
}

static inline int32_t ts_clamp(int32_t value, int32_t low, int32_t high)
{
    if (value < low) {
        value = low;
    }
    if (value > high) {
        value = high;
    }
    return value;
}

#endif
