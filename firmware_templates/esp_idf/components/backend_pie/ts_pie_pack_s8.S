/* SPDX-License-Identifier: Apache-2.0 */
/* int8 to bit planes, any channel count: the level of a value is the number of thresholds that it reaches.
 *
 * void ts_pie_pack_s8(const void *layer, const int8_t *input, const void *right, uint32_t *output, void *scratch)
 *
 * layer    a block of constants as in ts_pie_layout.h.
 * input    [pixels][channels], any address; lines of 16 bytes that hold a byte of it are read.
 * right    not used.
 * output   bit planes [pixels][bits][words], aligned to 4, unused bits zero. Apart from the input.
 * scratch  not used.
 *
 * 32 channels at a time. Bit b of a level is set where an odd number of every 2^b-th threshold is reached: comparisons with these
 * are combined by exclusive or, then bytes of all ones are cut down to a bit each and gathered by halves.
 */
#include "ts_pie_layout.h"
#include "ts_pie_lines.h"

/* Neighbors come together: the bytes of q, joined with those of other, which is overwritten. */
#define HALVE(q, other)   \
    ee.vunzip.8 q, other; \
    ee.orq q, q, other

    .text
    .align 4
    .global ts_pie_pack_s8
    .type ts_pie_pack_s8, @function
ts_pie_pack_s8:
    entry a1, 32
    l32i a4, a2, TS_PIE_K_PIXELS    /* a4: that are left */
.Lpixel:
    l32i a14, a2, TS_PIE_CHANNELS   /* a14: that are left */
.Lword:
    l32i a13, a2, TS_PIE_WEIGHTS
    l32i a10, a2, TS_PIE_K_PLANES
    movi a15, 32
    add a13, a13, a2                /* a13: the bit of each channel */
    add a10, a10, a2                /* a10: the plane */
    addi a12, a10, TS_PIE_K_FLIP    /* a12: bits that it inverts */
    bgeu a14, a15, 1f
    mov a15, a14                    /* the last word is not full */
    addi a13, a13, 32
    addi a12, a12, TS_PIE_K_FLIP_LAST - TS_PIE_K_FLIP
1:  sub a14, a14, a15               /* a15: channels of the word */
    movi a11, TS_PIE_TILE
    movi a7, 0
    minu a8, a11, a15
    addi a9, a15, -1
    addi a8, a8, -1                 /* to the last of the first 16 */
    minu a11, a11, a9               /* to the first of the others, and from there to the last */
    sub a9, a9, a11
    add a11, a11, a3
    mov a6, a3
    TS_PIE_GET(q0, q2, a6, a8, a7)
    TS_PIE_GET(q1, q2, a11, a9, a7)
    ee.vld.128.ip q6, a13, 16
    ee.vld.128.ip q7, a13, 0
    add a3, a3, a15
    l32i a11, a2, TS_PIE_K_BITS     /* a11: planes that are left */
    l32i a13, a2, TS_PIE_K_PLANE_BYTES
    mov a7, a5                      /* a7: the plane's word */
.Lplane:
    l32i a8, a10, TS_PIE_K_COUNT
    addi a9, a10, TS_PIE_K_THRESHOLDS
    ee.zero.q q2
    ee.zero.q q3
    loopnez a8, 1f
    ee.vldbc.8.ip q4, a9, 1
    ee.vcmp.lt.s8 q5, q0, q4
    ee.xorq q2, q2, q5
    ee.vcmp.lt.s8 q5, q1, q4
    ee.xorq q3, q3, q5
1:  ee.andq q2, q2, q6
    ee.andq q3, q3, q7
    HALVE(q2, q3)
    ee.zero.q q3
    HALVE(q2, q3)
    ee.zero.q q3
    HALVE(q2, q3)
    l32i a9, a12, 0
    ee.movi.32.a q2, a8, 0
    addi a10, a10, TS_PIE_K_PLANE_ENTRY
    xor a8, a8, a9
    addi a12, a12, TS_PIE_K_PLANE_ENTRY
    s32i a8, a7, 0
    add a7, a7, a13
    addi a11, a11, -1
    bnez a11, .Lplane
    addi a5, a5, 4
    bnez a14, .Lword
    l32i a8, a2, TS_PIE_K_SKIP
    addi a4, a4, -1
    add a5, a5, a8                  /* the other planes of the pixel */
    bnez a4, .Lpixel
    retw
    .size ts_pie_pack_s8, .-ts_pie_pack_s8
