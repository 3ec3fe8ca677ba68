/* SPDX-License-Identifier: Apache-2.0 */
/* int8 max pool with a stride equal to its side, any side and channel count; rows and columns left over are dropped.
 *
 * void ts_pie_max_pool_s8(const void *layer, const int8_t *input, const void *right, int8_t *output, void *scratch)
 *
 * layer    a block of constants as in ts_pie_layout.h.
 * input    [in_height][in_width][channels], any address; lines of 16 bytes that hold a byte of it are read.
 * right    not used.
 * output   [in_height / pool][in_width / pool][channels], any address. It may equal the input: nothing is written before the
 *          last read of its place.
 * scratch  16 bytes, aligned to 16, contents undefined before and after.
 *
 * 16 channels of a window side by side.
 */
#include "ts_pie_layout.h"
#include "ts_pie_lines.h"

    .text
    .align 4
    .global ts_pie_max_pool_s8
    .type ts_pie_max_pool_s8, @function
ts_pie_max_pool_s8:
    entry a1, 32
    l32i a4, a2, TS_PIE_P_OUT_HEIGHT /* a4: rows of the output that are left */
.Lrow:
    l32i a15, a2, TS_PIE_P_OUT_WIDTH /* a15: windows of the row that are left */
.Lwindow:
    l32i a13, a2, TS_PIE_CHANNELS    /* a13: channels that are left, */
    mov a7, a3                       /* a7: where they start in the window */
.Lchannels:
    l32i a9, a2, TS_PIE_CHANNELS
    movi a14, TS_PIE_TILE
    addi a8, a2, TS_PIE_P_LOW
    minu a14, a14, a13               /* a14: those that are done together */
    ee.vldbc.8 q2, a8                /* q2: the largest so far */
    addi a10, a14, -1                /* a10: bytes to the last of them, */
    sub a11, a9, a10                 /* a11: from there to the next pixel */
    l32i a12, a2, TS_PIE_P_POOL      /* a12: rows of the window that are left */
    mov a9, a7
.Lline:
    l32i a8, a2, TS_PIE_P_POOL
    loop a8, 1f
    TS_PIE_GET(q0, q1, a9, a10, a11)
    ee.vmax.s8 q2, q2, q0
1:  l32i a8, a2, TS_PIE_P_NEXT_LINE
    addi a12, a12, -1
    add a9, a9, a8
    bnez a12, .Lline
    TS_PIE_PUT(q2, a14, a5, a6, a8, a9)
    add a7, a7, a14
    sub a13, a13, a14
    bnez a13, .Lchannels
    l32i a8, a2, TS_PIE_P_WINDOW_BYTES
    addi a15, a15, -1
    add a3, a3, a8
    bnez a15, .Lwindow
    l32i a8, a2, TS_PIE_P_NEXT_ROW
    addi a4, a4, -1
    add a3, a3, a8
    bnez a4, .Lrow
    retw
    .size ts_pie_max_pool_s8, .-ts_pie_max_pool_s8
