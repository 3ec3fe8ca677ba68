/* SPDX-License-Identifier: Apache-2.0 */
/* int8 max pool with a stride equal to its side, any side and channel count; rows and columns left over are dropped.
 *
 * void ts_xespv_max_pool_s8(const void *layer, const int8_t *input, const void *right, int8_t *output, void *scratch)
 *
 * layer    a block of constants as in ts_xespv_layout.h.
 * input    [in_height][in_width][channels], any address; lines of 16 bytes that hold a byte of it are read.
 * right    not used.
 * output   [in_height / pool][in_width / pool][channels], any address, apart from the input.
 * scratch  not used.
 *
 * 16 channels of a window side by side.
 */
#include "ts_xespv_lines.h"
#include "ts_xespv_layout.h"

    .text
    .balign 4
    .global ts_xespv_max_pool_s8
    .type ts_xespv_max_pool_s8, @function
ts_xespv_max_pool_s8:
    TS_XESPV_ENTER
    lw s4, TS_XESPV_P_OUT_HEIGHT(a0) /* s4: rows of the output that are left */
    lw s6, TS_XESPV_P_POOL(a0)       /* s6: side of a window, a6: bytes of a pixel */
    lw a6, TS_XESPV_CHANNELS(a0)
    mv s1, a1                        /* s1: the window */
    addi s8, a0, TS_XESPV_LOW        /* s8: where the lower clamp is */
.Lrow:
    lw s5, TS_XESPV_P_OUT_WIDTH(a0)  /* s5: windows of the row that are left */
.Lwindow:
    mv s7, a6                        /* s7: channels that are left */
    mv s3, s1                        /* s3: where they start in the window */
.Lchannels:
    li s2, 16
    bgeu s7, s2, 1f
    mv s2, s7                        /* s2: those that are done together */
1:  addi s9, s2, -1                  /* s9: bytes to the last of them */
    esp.vldbc.8.ip q2, s8, 0         /* q2: the largest so far */
    mv a1, s3
    mv t2, s6                        /* t2: rows of the window that are left */
.Lline:
    mv t1, s6
1:  TS_XESPV_GET(q0, q1, s9)
    addi t1, t1, -1
    add a1, a1, a6
    esp.vmax.s8 q2, q2, q0
    bnez t1, 1b
    lw t0, TS_XESPV_P_NEXT_LINE(a0)
    addi t2, t2, -1
    add a1, a1, t0
    bnez t2, .Lline
    mv t0, s2
    TS_XESPV_PUT(q2)
    add s3, s3, s2
    sub s7, s7, s2
    bnez s7, .Lchannels
    lw t0, TS_XESPV_P_WINDOW_BYTES(a0)
    addi s5, s5, -1
    add s1, s1, t0
    bnez s5, .Lwindow
    lw t0, TS_XESPV_P_NEXT_ROW(a0)
    addi s4, s4, -1
    add s1, s1, t0
    bnez s4, .Lrow
    TS_XESPV_LEAVE
    .size ts_xespv_max_pool_s8, .-ts_xespv_max_pool_s8
