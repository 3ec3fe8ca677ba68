/* SPDX-License-Identifier: Apache-2.0 */
/* int8 mean over height and width with fused ReLU, halves rounded away from zero; any channel count.
 *
 * void ts_pie_average_s8(const void *layer, const int8_t *input, const void *right, int8_t *output, void *scratch)
 *
 * layer    a block of constants as in ts_pie_layout.h.
 * input    [pixels][channels], any address; lines of 16 bytes that hold a byte of it are read. At most 4096 pixels, whose
 *          sum an accumulator of 20 bits holds.
 * right    not used.
 * output   [channels], any address; it may equal the input.
 * scratch  80 bytes, aligned to 16, contents undefined before and after.
 *
 * 16 channels side by side; the core divides their sums one after the other.
 */
#include "ts_pie_layout.h"
#include "ts_pie_lines.h"
#include "ts_pie_turn_bits.h"

#define SUMS_LOW 0   /* eight of 20 bits, */
#define SUMS_HIGH 32 /* eight more, */
#define MEANS 64     /* and 16 bytes */

/* The sum of 20 bits that starts at bit 32 word + shift from a8 on, divided, to byte `lane` from a7 on. a9: pixels,
 * a11: half of them, a12: lower clamp. */
#define LANE(lane, word, shift)     \
    l32i a10, a8, 4 * (word);       \
    l32i a15, a8, 4 * (word) + 4;   \
    ssai shift;                     \
    src a10, a15, a10;              \
    slli a10, a10, 12;              \
    srai a10, a10, 12;              \
    srai a15, a10, 31;              \
    sub a10, a10, a15;              \
    xor a15, a15, a11;              \
    add a10, a10, a15;              \
    quos a10, a10, a9;              \
    max a10, a10, a12;              \
    s8i a10, a7, lane

    .text
    .align 4
    .global ts_pie_average_s8
    .type ts_pie_average_s8, @function
ts_pie_average_s8:
    entry a1, 32
    TS_PIE_MASK(q7, 0x01010101, a8)  /* ones */
    l32i a13, a2, TS_PIE_CHANNELS    /* a13: that are left */
.Lchannels:
    l32i a11, a2, TS_PIE_CHANNELS
    movi a14, TS_PIE_TILE
    l32i a9, a2, TS_PIE_V_PIXELS
    minu a14, a14, a13               /* a14: those that are done together */
    mov a8, a3
    addi a10, a14, -1                /* a10: bytes to the last of them, */
    sub a11, a11, a10                /* a11: from there to the next pixel */
    ee.zero.qacc
    loop a9, 1f
    TS_PIE_GET(q0, q1, a8, a10, a11)
    ee.vmulas.s8.qacc q0, q7
1:  mov a8, a6
    ee.st.qacc_l.l.128.ip a8, 16
    ee.st.qacc_l.h.32.ip a8, SUMS_HIGH - 16
    ee.st.qacc_h.l.128.ip a8, 16
    ee.st.qacc_h.h.32.ip a8, -16
    l32i a11, a2, TS_PIE_V_HALF
    l32i a12, a2, TS_PIE_V_LOW
    mov a8, a6
    addi a7, a6, MEANS
    movi a4, 2
.Leight:
    LANE(0, 0, 0)
    LANE(1, 0, 20)
    LANE(2, 1, 8)
    LANE(3, 1, 28)
    LANE(4, 2, 16)
    LANE(5, 3, 4)
    LANE(6, 3, 24)
    LANE(7, 4, 12)
    addi a8, a8, SUMS_HIGH
    addi a7, a7, 8
    addi a4, a4, -1
    bnez a4, .Leight
    addi a7, a6, MEANS
    ee.vld.128.ip q0, a7, 0
    TS_PIE_PUT(q0, a14, a5, a6, a8, a10)
    add a3, a3, a14
    sub a13, a13, a14
    bnez a13, .Lchannels
    retw
    .size ts_pie_average_s8, .-ts_pie_average_s8
