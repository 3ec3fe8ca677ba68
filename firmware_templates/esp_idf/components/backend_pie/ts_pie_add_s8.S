/* SPDX-License-Identifier: Apache-2.0 */
/* int8 addition of two tensors with fused ReLU, TensorFlow Lite's arithmetic with a left shift of 20.
 *
 * void ts_pie_add_s8(const void *layer, const int8_t *left, const int8_t *right, int8_t *output, void *scratch)
 *
 * layer    a block of constants as in ts_pie_layout.h.
 * left, right, output hold TS_PIE_A_COUNT values in any one order, at any address. The output may equal left or right, and
 *          these may equal each other.
 * scratch  80 bytes, aligned to 16, contents undefined before and after.
 *
 * Each input has only 256 values, whose scaled numbers come from tables; 16 sums are requantized side by side.
 */
#include "ts_pie_requantize.h"

#define ADD_ONE(k)             \
    l8ui a8, a3, k;            \
    l8ui a9, a4, k;            \
    addx4 a8, a8, a7;          \
    addx4 a9, a9, a13;         \
    l32i a8, a8, 0;            \
    l32i a9, a9, 0;            \
    add a8, a8, a9;            \
    s32i a8, a10, 4 * (k)

/* 16 sums in scratch to 16 bytes in q4. */
#define REQUANTIZE             \
    mov a10, a6;               \
    movi a8, 16;               \
    movi a9, 0;                \
    ee.vld.128.ip q0, a10, 16; \
    ee.vld.128.ip q2, a10, 16; \
    ee.vld.128.ip q4, a10, 16; \
    ee.vld.128.ip q6, a10, 16; \
    ee.vunzip.16 q0, q2;       \
    ee.vunzip.16 q4, q6;       \
    TS_PIE_SIXTEEN(a12, a10, a8, a9, a11)

    .text
    .align 4
    .global ts_pie_add_s8
    .type ts_pie_add_s8, @function
ts_pie_add_s8:
    entry a1, 32
    l32i a7, a2, TS_PIE_A_TABLES
    l32i a12, a2, TS_PIE_RECORDS
    l32i a14, a2, TS_PIE_A_COUNT
    add a7, a7, a2
    add a12, a12, a2
    addmi a13, a7, 1024
.Lsixteen:
    movi a8, 16
    bgeu a14, a8, 1f
    j .Lrest
1:  mov a10, a6
    movi a11, 4
    loop a11, 1f
    ADD_ONE(0)
    ADD_ONE(1)
    ADD_ONE(2)
    ADD_ONE(3)
    addi a3, a3, 4
    addi a4, a4, 4
    addi a10, a10, 16
1:  REQUANTIZE
    addi a14, a14, -16
    extui a8, a5, 0, 4
    bnez a8, .Lodd
    ee.vst.128.ip q4, a5, 16
    j .Lsixteen
.Lodd:
    movi a15, 16
    j .Lcopy
.Lrest:
    beqz a14, .Ldone
    mov a10, a6
    loop a14, 1f
    l8ui a8, a3, 0
    l8ui a9, a4, 0
    addx4 a8, a8, a7
    addx4 a9, a9, a13
    l32i a8, a8, 0
    l32i a9, a9, 0
    addi a3, a3, 1
    addi a4, a4, 1
    add a8, a8, a9
    s32i a8, a10, 0
    addi a10, a10, 4
1:  REQUANTIZE
    mov a15, a14
    movi a14, 0
.Lcopy:                          /* a15 bytes to an address that is no multiple of 16 */
    addi a8, a6, 64
    ee.vst.128.ip q4, a8, 0
    loop a15, 1f
    l8ui a9, a8, 0
    addi a8, a8, 1
    s8i a9, a5, 0
    addi a5, a5, 1
1:  j .Lsixteen
.Ldone:
    retw
    .size ts_pie_add_s8, .-ts_pie_add_s8
