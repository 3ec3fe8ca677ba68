/* SPDX-License-Identifier: Apache-2.0 */
/* int8 addition of two tensors with fused ReLU, TensorFlow Lite's arithmetic with a left shift of 20.
 *
 * void ts_xespv_add_s8(const void *layer, const int8_t *left, const int8_t *right, int8_t *output, void *scratch)
 *
 * layer    a block of constants as in ts_xespv_layout.h.
 * left, right, output hold TS_XESPV_A_COUNT values in any one order, at any address. The output may equal left or right, and
 *          these may equal each other.
 * scratch  not used.
 *
 * Each input has only 256 values, whose scaled numbers come from tables; the core adds and scales, the unit clamps 16 at a time.
 */
#include "ts_xespv_lines.h"
#include "ts_xespv_requantize.h"

/* t4: values k of the inputs, added and scaled. */
#define ADD_ONE(k)           \
    lbu t0, k(a1);           \
    lbu t1, k(a2);           \
    slli t0, t0, 2;          \
    slli t1, t1, 2;          \
    add t0, t0, a6;          \
    add t1, t1, a7;          \
    lw t0, 0(t0);            \
    lw t1, 0(t1);            \
    add t4, t0, t1;          \
    mulhsu t1, t4, s3;       \
    mul t0, t4, s3;          \
    srli t0, t0, 31;         \
    add t4, t1, t0;          \
    srai t1, t4, 31;         \
    add t4, t4, t1;          \
    sra t4, t4, s4;          \
    add t4, t4, s2;          \
    srai t4, t4, 1
#define FOUR(q, k)               \
    ADD_ONE(k);                  \
    esp.movi.32.q q, t4, 0;      \
    ADD_ONE((k) + 1);            \
    esp.movi.32.q q, t4, 1;      \
    ADD_ONE((k) + 2);            \
    esp.movi.32.q q, t4, 2;      \
    ADD_ONE((k) + 3);            \
    esp.movi.32.q q, t4, 3;      \
    esp.vmax.s32 q, q, q6;       \
    esp.vmin.s32 q, q, q7

    .text
    .balign 4
    .global ts_xespv_add_s8
    .type ts_xespv_add_s8, @function
ts_xespv_add_s8:
    TS_XESPV_ENTER
    TS_XESPV_CLAMPS
    lw a6, TS_XESPV_A_TABLES(a0)   /* a6, a7: what each value of the inputs becomes */
    lw s3, TS_XESPV_A_FACTOR(a0)
    lw s4, TS_XESPV_A_SHIFT(a0)
    lw s5, TS_XESPV_A_COUNT(a0)    /* s5: values that are left */
    add a6, a6, a0
    addi a7, a6, 1024
    li s6, 16
    bltu s5, s6, .Lrest
.Lsixteen:
    FOUR(q0, 0)
    FOUR(q1, 4)
    FOUR(q2, 8)
    FOUR(q3, 12)
    esp.vunzip.16 q0, q1
    esp.vunzip.16 q2, q3
    esp.vunzip.8 q0, q2
    mv t0, s6
    TS_XESPV_PUT(q0)
    addi s5, s5, -16
    addi a1, a1, 16
    addi a2, a2, 16
    bgeu s5, s6, .Lsixteen
.Lrest:
    lw s7, TS_XESPV_LOW(a0)
    lw s8, TS_XESPV_HIGH(a0)
    beqz s5, .Ldone
.Lone:
    ADD_ONE(0)
    bge t4, s7, 1f
    mv t4, s7
1:  bge s8, t4, 1f
    mv t4, s8
1:  sb t4, 0(a3)
    addi s5, s5, -1
    addi a1, a1, 1
    addi a2, a2, 1
    addi a3, a3, 1
    bnez s5, .Lone
.Ldone:
    TS_XESPV_LEAVE
    .size ts_xespv_add_s8, .-ts_xespv_add_s8
