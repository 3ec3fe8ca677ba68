/* SPDX-License-Identifier: Apache-2.0 */
/* Transposes 32 vectors of four 32-bit words: bit b of word l of vector i changes places with bit i of word l of vector b.
 *
 * void ts_pie_turn_32(void *vectors)
 *
 * vectors  32 of 16 bytes, in place.
 */
#include "ts_pie_turn_bits.h"

    .text
    .align 4
    .global ts_pie_turn_32
    .type ts_pie_turn_32, @function
ts_pie_turn_32:
    entry a1, 32
    TS_PIE_MASK(q4, 0x0000ffff, a8)
    TS_PIE_MASK(q5, 0x00ff00ff, a8)
    mov a8, a2
    movi a10, 8
    loop a10, 1f
    TS_PIE_FOUR(128, 16, 8)
1:  TS_PIE_MASK(q4, 0x0f0f0f0f, a8)
    TS_PIE_MASK(q5, 0x33333333, a8)
    mov a8, a2
    movi a10, 4
.Leight:
    TS_PIE_FOUR(32, 4, 2)
    TS_PIE_FOUR(32, 4, 2)
    addi a8, a8, 96
    addi a10, a10, -1
    bnez a10, .Leight
    TS_PIE_MASK(q4, 0x55555555, a8)
    ssai 1
    mov a8, a2
    movi a10, 16
    loop a10, 1f
    ee.vld.128.ip q0, a8, 16
    ee.vld.128.ip q1, a8, -16
    TS_PIE_SWAP(q0, q1, q4, q6)
    ee.vst.128.ip q0, a8, 16
    ee.vst.128.ip q1, a8, 16
1:  retw
    .size ts_pie_turn_32, .-ts_pie_turn_32
