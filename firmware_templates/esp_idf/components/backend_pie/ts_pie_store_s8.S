/* SPDX-License-Identifier: Apache-2.0 */
/* 16 channels of up to 16 pixels, from [channel][pixel] to the pixels of a tensor.
 *
 * void ts_pie_store_s8(const int8_t *block, uint32_t pixels, uint32_t channels, int8_t *output, uint32_t stride,
 *                      int8_t *scratch)
 *
 * block    16 rows of 16 bytes, aligned to 16; what lies beyond `channels` and `pixels` does not count.
 * pixels   1 .. 16.
 * channels 1 .. 16.
 * output   first byte of the first pixel; pixels are `stride` bytes apart.
 * scratch  256 bytes, aligned to 16, apart from the block.
 */
#include "ts_pie_layout.h"

/* Eight rows of 16 pixels, a channel each, to 16 pixels of eight channels: a2 from, a8 to, a9 bytes between pixels. */
#define TURN_EIGHT               \
    ee.vld.128.ip q0, a2, 16;    \
    ee.vld.128.ip q1, a2, 16;    \
    ee.vld.128.ip q2, a2, 16;    \
    ee.vld.128.ip q3, a2, 16;    \
    ee.vld.128.ip q4, a2, 16;    \
    ee.vld.128.ip q5, a2, 16;    \
    ee.vld.128.ip q6, a2, 16;    \
    ee.vld.128.ip q7, a2, 16;    \
    ee.vzip.8 q0, q4;            \
    ee.vzip.8 q1, q5;            \
    ee.vzip.8 q2, q6;            \
    ee.vzip.8 q3, q7;            \
    ee.vzip.8 q0, q2;            \
    ee.vzip.8 q1, q3;            \
    ee.vzip.8 q4, q6;            \
    ee.vzip.8 q5, q7;            \
    ee.vzip.8 q0, q1;            \
    ee.vzip.8 q2, q3;            \
    ee.vzip.8 q4, q5;            \
    ee.vzip.8 q6, q7;            \
    PUT(q0); PUT(q1); PUT(q2); PUT(q3); PUT(q4); PUT(q5); PUT(q6); PUT(q7)
#define PUT(q)                   \
    ee.vst.l.64.xp q, a8, a9;    \
    ee.vst.h.64.xp q, a8, a9

    .text
    .align 4
    .global ts_pie_store_s8
    .type ts_pie_store_s8, @function
ts_pie_store_s8:
    entry a1, 32
    or a10, a5, a6
    addi a11, a3, -TS_PIE_TILE
    addi a12, a4, -TS_PIE_TILE
    extui a10, a10, 0, 3         /* 0 where all pixels start at a multiple of 8 */
    or a11, a11, a12
    mov a8, a5
    or a11, a11, a10
    mov a9, a6
    bnez a11, .Lpart             /* of 16 times 16 */
    TURN_EIGHT
    addi a8, a5, 8
    TURN_EIGHT
    retw
.Lpart:
    mov a8, a7
    movi a9, TS_PIE_TILE
    TURN_EIGHT
    addi a8, a7, 8
    TURN_EIGHT
    bnez a10, .Lpixel
    beqi a4, 8, .Leight
    bnei a4, 16, .Lpixel
    addi a9, a6, -8
    loop a3, 1f
    ee.vld.128.ip q0, a7, 16
    ee.vst.l.64.ip q0, a5, 8
    ee.vst.h.64.xp q0, a5, a9
1:  retw
.Leight:
    loop a3, 1f
    ee.vld.128.ip q0, a7, 16
    ee.vst.l.64.xp q0, a5, a6
1:  retw
.Lpixel:
    mov a9, a5
    mov a10, a7
    loop a4, 1f
    l8ui a8, a10, 0
    addi a10, a10, 1
    s8i a8, a9, 0
    addi a9, a9, 1
1:  add a5, a5, a6
    addi a7, a7, TS_PIE_TILE
    addi a3, a3, -1
    bnez a3, .Lpixel
    retw
    .size ts_pie_store_s8, .-ts_pie_store_s8
