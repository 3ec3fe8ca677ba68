/* SPDX-License-Identifier: Apache-2.0 */
/* Adds the planes of a list to a sum of 128 pixels that lies in bit planes.
 *
 * void ts_pie_xnor_count(const uint8_t *steps, uint32_t blocks, const void *plane, void *sum, void *carries,
 *                        const void *end)
 *
 * steps    8 for each block: bytes from a plane of the list to the next one, multiples of 16 up to 240.
 * blocks   of eight planes.
 * plane    the first plane, aligned to 16.
 * sum      bit planes of the sum from the one that the list counts in on, aligned to 16; two more than it needs, zero.
 * carries  16 bytes for each block and 64 more, aligned to 16, overwritten.
 * end      of the planes of the sum that can be other than zero.
 *
 * Carry-save adders of five operations take eight planes at a time: three planes of the sum stay in registers, a carry of
 * weight eight goes to memory. The carries are added four at a time, until at most two are left.
 */
#include "ts_pie_turn_bits.h"

#define ADD TS_PIE_ADD_BITS

#define LOAD(q, a, place) \
    l8ui a, a2, place;    \
    ee.vld.128.xp q, a4, a

    .text
    .align 4
    .global ts_pie_xnor_count
    .type ts_pie_xnor_count, @function
ts_pie_xnor_count:
    entry a1, 32
    mov a10, a5
    beqz a3, .Ldone
    ee.vld.128.ip q0, a10, 16
    ee.vld.128.ip q1, a10, 16
    ee.vld.128.ip q2, a10, 16
    mov a11, a6
    loop a3, 1f
    LOAD(q3, a8, 0)
    LOAD(q4, a9, 1)
    ADD(q0, q3, q4, q7)
    LOAD(q4, a8, 2)
    LOAD(q5, a9, 3)
    ADD(q0, q4, q5, q7)
    ADD(q1, q3, q4, q7)
    LOAD(q4, a8, 4)
    LOAD(q5, a9, 5)
    ADD(q0, q4, q5, q7)
    LOAD(q5, a8, 6)
    LOAD(q6, a9, 7)
    ADD(q0, q5, q6, q7)
    ADD(q1, q4, q5, q7)
    ADD(q2, q3, q4, q7)
    ee.vst.128.ip q3, a11, 16
    addi a2, a2, 8
1:  ee.vst.128.ip q0, a5, 16
    ee.vst.128.ip q1, a5, 16
    ee.vst.128.ip q2, a5, 16
    ee.zero.q q5
.Lcarries:                       /* a3 of them, in weight of the plane at a5; zeros fill up the last four */
    blti a3, 3, .Lfew
    ee.vst.128.ip q5, a11, 16
    ee.vst.128.ip q5, a11, 16
    ee.vst.128.ip q5, a11, 16
    addi a3, a3, 3
    mov a10, a5
    srli a3, a3, 2
    ee.vld.128.ip q0, a10, 16
    ee.vld.128.ip q1, a10, 16
    mov a8, a6
    mov a11, a6
    loop a3, 1f
    ee.vld.128.ip q3, a8, 16
    ee.vld.128.ip q4, a8, 16
    ADD(q0, q3, q4, q7)
    ee.vld.128.ip q4, a8, 16
    ee.vld.128.ip q6, a8, 16
    ADD(q0, q4, q6, q7)
    ADD(q1, q3, q4, q7)
    ee.vst.128.ip q3, a11, 16
1:  ee.vst.128.ip q0, a5, 16
    ee.vst.128.ip q1, a5, 16
    j .Lcarries
.Lfew:                           /* one or two, with nothing to carry beyond the last plane */
    ee.vld.128.ip q0, a6, 16
    bnei a3, 2, .Lone
    ee.vld.128.ip q2, a6, 16
    ee.vld.128.ip q1, a5, 0
    ADD(q1, q0, q2, q7)
    ee.vst.128.ip q1, a5, 16
.Lone:
    sub a8, a7, a5
    srai a8, a8, 4
    loopgtz a8, 1f
    ee.vld.128.ip q1, a5, 0
    ee.andq q2, q1, q0
    ee.xorq q1, q1, q0
    mv.qr q0, q2
    ee.vst.128.ip q1, a5, 16
1:  retw
.Ldone:
    retw
    .size ts_pie_xnor_count, .-ts_pie_xnor_count
