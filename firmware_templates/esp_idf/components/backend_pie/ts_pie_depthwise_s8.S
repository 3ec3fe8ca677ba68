/* SPDX-License-Identifier: Apache-2.0 */
/* int8 depthwise convolution with fused ReLU, kernels up to 5x5, any stride, padding and channel count.
 *
 * void ts_pie_depthwise_s8(const void *layer, const int8_t *input, const void *right, int8_t *output, void *scratch)
 *
 * layer    a block of constants as in ts_pie_layout.h.
 * input    [in_height][in_width][channels], any address; lines of 16 bytes that hold a byte of it are read.
 * right    not used.
 * output   [out_height][out_width][channels], any address, apart from the input.
 * scratch  TS_PIE_SCRATCH_BYTES, aligned to 16, contents undefined before and after.
 *
 * 16 channels side by side in accumulators of 20 bits, which 32 products of bytes cannot exceed. The accumulators of 16 pixels
 * are turned byte by byte, so that a channel's pixels lie side by side for requantization.
 */
#include "ts_pie_requantize.h"

#define FRAME 96
#define INPUT 0
#define OUTPUT 4     /* of the row */
#define ROW_Y 8
#define ROWS_LEFT 12
#define FIRST 16     /* pixel of the tile */
#define COUNT 20
#define GROUP 24     /* first channel of the group */
#define NOW 28
#define LEFT 32
#define WEIGHTS 36
#define RECORD 40
#define SLOT 44      /* of three in which the window's first row lies, where rows are kept */
#define BASE 48      /* that row */
#define STEP_ONE 52  /* from its third pixel to the first of the second row */
#define STEP_TWO 56  /* and on to the third row */

#define SAVE_SUMS(a)               \
    ee.st.qacc_l.l.128.ip a, 16;   \
    ee.st.qacc_h.l.128.ip a, 16;   \
    ee.st.qacc_l.h.32.ip a, 4;     \
    ee.st.qacc_h.h.32.ip a, 12

/* Eight pixels, 48 bytes apart from a8 on, to 16 bytes of eight pixels: from a5, 16 bytes apart by a7. */
#define TURN(from)                 \
    mov a8, from;                  \
    ee.vld.128.ip q0, a8, 48;      \
    ee.vld.128.ip q1, a8, 48;      \
    ee.vld.128.ip q2, a8, 48;      \
    ee.vld.128.ip q3, a8, 48;      \
    ee.vld.128.ip q4, a8, 48;      \
    ee.vld.128.ip q5, a8, 48;      \
    ee.vld.128.ip q6, a8, 48;      \
    ee.vld.128.ip q7, a8, 48;      \
    ee.vzip.8 q0, q4;              \
    ee.vzip.8 q1, q5;              \
    ee.vzip.8 q2, q6;              \
    ee.vzip.8 q3, q7;              \
    ee.vzip.8 q0, q2;              \
    ee.vzip.8 q1, q3;              \
    ee.vzip.8 q4, q6;              \
    ee.vzip.8 q5, q7;              \
    ee.vzip.8 q0, q1;              \
    ee.vzip.8 q2, q3;              \
    ee.vzip.8 q4, q5;              \
    ee.vzip.8 q6, q7
#define PUT(q)                     \
    ee.vst.l.64.xp q, a5, a7;      \
    ee.vst.h.64.xp q, a5, a7
#define PUT_ALL PUT(q0); PUT(q1); PUT(q2); PUT(q3); PUT(q4); PUT(q5); PUT(q6); PUT(q7)

/* Words of 16 pixels in q0, q2, q1, q3, shifted down to sums, plus the start in q5, to halves; then to bytes and a row of
 * the block. */
#define FINISH                     \
    ee.vsr.32 q0, q0;              \
    ee.vsr.32 q1, q1;              \
    ee.vsr.32 q2, q2;              \
    ee.vsr.32 q3, q3;              \
    ee.vldbc.32 q5, a12;           \
    ee.vadds.s32 q0, q0, q5;       \
    ee.vadds.s32 q2, q2, q5;       \
    ee.vadds.s32 q4, q1, q5;       \
    ee.vadds.s32 q6, q3, q5;       \
    ee.vunzip.16 q0, q2;           \
    ee.vunzip.16 q4, q6;           \
    TS_PIE_SIXTEEN(a12, a10, a8, a9, a11); \
    ee.vst.128.ip q4, a14, 16;     \
    addi a12, a12, TS_PIE_RECORD_BYTES

    .text
    .align 4
    .global ts_pie_depthwise_s8
    .type ts_pie_depthwise_s8, @function
ts_pie_depthwise_s8:
    entry a1, FRAME
    l32i a8, a2, TS_PIE_D_FIRST_ROW
    l32i a9, a2, TS_PIE_D_OUT_HEIGHT
    s32i a3, a1, INPUT
    s32i a5, a1, OUTPUT
    s32i a8, a1, ROW_Y
    s32i a9, a1, ROWS_LEFT
    addi a8, a2, TS_PIE_D_IN_ZERO
    l32i a9, a2, TS_PIE_D_KERNEL
    l32i a10, a2, TS_PIE_D_ROW_STRIDE
    ee.vldbc.8 q7, a8
    mull a9, a9, a10
    movi a3, TS_PIE_D_ROWS
    srli a9, a9, 4
    add a3, a3, a6               /* a3: the rows */
    mov a10, a3
    loop a9, 1f
    ee.vst.128.ip q7, a10, 16
1:
    movi a8, 0
    s32i a8, a1, SLOT
    j .Lall_rows
.Lrow:
    l32i a8, a2, TS_PIE_D_KERNEL
    l32i a9, a2, TS_PIE_D_STRIDE
    addi a8, a8, -3
    addi a9, a9, -1
    or a8, a8, a9
    bnez a8, .Lall_rows
    l32i a9, a1, SLOT            /* 3x3 of stride 1: one row is new, in the place of the one that is not read any more */
    l32i a8, a2, TS_PIE_D_ROW_STRIDE
    mull a7, a8, a9
    addi a9, a9, 1
    bnei a9, 3, 1f
    movi a9, 0
1:  s32i a9, a1, SLOT
    l32i a4, a1, ROW_Y
    add a7, a7, a3
    addi a4, a4, 2
    movi a5, 1
    j .Lcopy_rows
.Lall_rows:
    l32i a4, a1, ROW_Y           /* a4: row of the input */
    l32i a5, a2, TS_PIE_D_KERNEL /* a5: rows that are left */
    mov a7, a3                   /* a7: where it goes */
.Lcopy_rows:
    addi a8, a2, TS_PIE_D_IN_ZERO
    ee.vldbc.8 q7, a8
.Lcopy:
    l32i a8, a2, TS_PIE_D_IN_HEIGHT
    l32i a9, a2, TS_PIE_D_IN_ROW_BYTES
    bltu a4, a8, .Linside
    l32i a8, a2, TS_PIE_D_ROW_STRIDE
    mov a9, a7
    srli a8, a8, 4
    loop a8, 1f
    ee.vst.128.ip q7, a9, 16
1:  j .Lcopied
.Linside:
    l32i a8, a1, INPUT
    mull a9, a9, a4
    l32i a10, a2, TS_PIE_D_ROW_DATA
    l32i a11, a2, TS_PIE_D_PIECES
    add a8, a8, a9               /* from */
    add a10, a10, a7             /* to */
.Lpiece:
    l32i a12, a2, TS_PIE_D_PIECE_BYTES
    mov a9, a8
    extui a13, a8, 0, 4
    add a8, a8, a12
    add a13, a13, a12
    addi a12, a12, 15
    addi a13, a13, 15
    srli a12, a12, 4             /* lines to write */
    srli a13, a13, 4             /* lines to read, as many or one more */
    sub a13, a13, a12
    extui a14, a9, 0, 4
    bnez a14, .Lshifted
    loop a12, 1f
    ee.vld.128.ip q0, a9, 16
    ee.vst.128.ip q0, a10, 16
1:  j .Lpiece_done
.Lshifted:
    addi a12, a12, -1
    ee.ld.128.usar.ip q0, a9, 16
    loopnez a12, 1f
    ee.vld.128.ip q1, a9, 16
    ee.src.q.qup q2, q0, q1
    ee.vst.128.ip q2, a10, 16
1:  beqz a13, 2f
    ee.vld.128.ip q1, a9, 16
2:  ee.src.q q2, q0, q1
    ee.vst.128.ip q2, a10, 16
.Lpiece_done:
    addi a11, a11, -1
    bnez a11, .Lpiece
.Lcopied:
    l32i a8, a2, TS_PIE_D_ROW_STRIDE
    addi a4, a4, 1
    add a7, a7, a8
    addi a5, a5, -1
    bnez a5, .Lcopy

    l32i a8, a1, SLOT
    l32i a9, a2, TS_PIE_D_ROW_STRIDE
    l32i a10, a2, TS_PIE_D_ROW_STEP
    mull a11, a8, a9
    addx2 a9, a9, a9             /* back to the first slot */
    add a11, a11, a3
    s32i a11, a1, BASE
    mov a12, a10
    mov a13, a10
    bnei a8, 2, 1f
    sub a12, a10, a9
1:  bnei a8, 1, 1f
    sub a13, a10, a9
1:  s32i a12, a1, STEP_ONE
    s32i a13, a1, STEP_TWO
    movi a8, 0
    s32i a8, a1, FIRST
.Ltile:
    l32i a8, a1, FIRST
    l32i a9, a2, TS_PIE_D_OUT_WIDTH
    movi a10, TS_PIE_TILE
    l32i a11, a2, TS_PIE_WEIGHTS
    l32i a12, a2, TS_PIE_RECORDS
    sub a9, a9, a8
    add a11, a11, a2
    add a12, a12, a2
    minu a9, a9, a10
    movi a10, 0
    s32i a9, a1, COUNT
    s32i a10, a1, GROUP
    s32i a11, a1, WEIGHTS
    s32i a12, a1, RECORD
.Lgroup:
    l32i a8, a1, FIRST
    l32i a9, a2, TS_PIE_D_STEP_BYTES
    l32i a10, a1, GROUP
    l32i a4, a1, WEIGHTS
    mull a8, a8, a9
    l32i a11, a2, TS_PIE_D_PIXEL_BYTES
    l32i a12, a1, BASE
    add a8, a8, a10
    add a8, a8, a12              /* a8: the first window */
    l32i a12, a1, STEP_ONE
    l32i a10, a1, STEP_TWO
    l32i a13, a1, COUNT
    movi a14, TS_PIE_D_SUMS
    l32i a15, a2, TS_PIE_D_KERNEL
    add a14, a14, a6
    bnei a15, 3, .Lany

    ee.vld.128.ip q0, a4, 16     /* 3x3: six weights stay */
    ee.vld.128.ip q1, a4, 16
    ee.vld.128.ip q2, a4, 16
    ee.vld.128.ip q3, a4, 16
    ee.vld.128.ip q4, a4, 16
    ee.vld.128.ip q5, a4, 16
    mov a5, a8
    loop a13, 1f
    ee.zero.qacc
    add a8, a8, a9
    ee.vld.128.xp q6, a5, a11
    ee.vmulas.s8.qacc.ld.xp q7, a5, a11, q0, q6
    ee.vmulas.s8.qacc.ld.xp q6, a5, a12, q1, q7
    ee.vmulas.s8.qacc.ld.xp q7, a5, a11, q2, q6
    ee.vmulas.s8.qacc.ld.xp q6, a5, a11, q3, q7
    ee.vmulas.s8.qacc.ld.xp q7, a5, a10, q4, q6
    ee.vmulas.s8.qacc.ld.xp q6, a5, a11, q5, q7
    ee.vld.128.ip q7, a4, 16
    ee.vmulas.s8.qacc.ld.xp q6, a5, a11, q7, q6
    ee.vld.128.ip q7, a4, 16
    ee.vmulas.s8.qacc.ld.xp q6, a5, a11, q7, q6
    ee.vld.128.ip q7, a4, -32
    ee.vmulas.s8.qacc q7, q6
    mov a5, a8
    SAVE_SUMS(a14)
1:  j .Lsummed

.Lany:                           /* a15 rows and columns */
    l32i a5, a2, TS_PIE_D_ROW_STRIDE
.Lpixel:
    ee.zero.qacc
    l32i a4, a1, WEIGHTS
    mov a7, a8
    mov a10, a15
.Lwindow_row:
    mov a12, a7
    loop a15, 1f
    ee.vld.128.xp q6, a12, a11
    ee.vld.128.ip q7, a4, 16
    ee.vmulas.s8.qacc q6, q7
1:  add a7, a7, a5
    addi a10, a10, -1
    bnez a10, .Lwindow_row
    add a8, a8, a9
    SAVE_SUMS(a14)
    addi a13, a13, -1
    bnez a13, .Lpixel

.Lsummed:
    movi a11, TS_PIE_D_SUMS
    movi a12, TS_PIE_D_BYTES
    add a11, a11, a6
    add a12, a12, a6
    movi a7, 16
    movi a13, 2
.Leight:                         /* L's bytes 0 .. 15 go to rows 0 on, H's to rows 20 on, the rest behind each */
    mov a5, a12
    TURN(a11)
    PUT_ALL
    addi a10, a11, 16
    addi a5, a5, 64
    TURN(a10)
    PUT_ALL
    addi a10, a11, 32
    addmi a5, a12, 256
    TURN(a10)
    PUT(q0)
    PUT(q1)
    addmi a5, a12, 512
    addi a5, a5, 64
    PUT(q2)
    PUT(q3)
    addmi a11, a11, 256
    addi a11, a11, 127
    addi a11, a11, 1
    addi a12, a12, 8
    addi a13, a13, -1
    beqz a13, 1f
    j .Leight
1:
    l32i a8, a1, GROUP
    l32i a9, a2, TS_PIE_CHANNELS
    movi a10, TS_PIE_TILE
    sub a9, a9, a8
    l32i a12, a1, RECORD
    minu a15, a9, a10            /* a15: channels of the group that are left */
    movi a5, TS_PIE_D_BYTES
    s32i a15, a1, NOW
    add a5, a5, a6               /* a5: their bytes */
    mov a14, a6                  /* a14: the block */
    movi a8, 16
    movi a9, 0
    ssai 12
.Lpair:                          /* of channels: 20 bits each of five bytes */
    ee.vld.128.ip q0, a5, 16
    ee.vld.128.ip q1, a5, 16
    ee.vld.128.ip q2, a5, 0
    ee.zero.q q3
    ee.vzip.8 q0, q1
    ee.vzip.8 q2, q3
    ee.vzip.16 q0, q2
    ee.vzip.16 q1, q3
    ee.vsl.32 q0, q0
    ee.vsl.32 q1, q1
    ee.vsl.32 q2, q2
    ee.vsl.32 q3, q3
    FINISH
    addi a15, a15, -1
    beqz a15, .Lturned
    ee.vld.128.ip q1, a5, 16
    ee.vld.128.ip q2, a5, 16
    ee.vld.128.ip q3, a5, 16
    ee.zero.q q0
    ee.vzip.8 q0, q1
    ee.vzip.8 q2, q3
    ee.vzip.16 q0, q2
    ee.vzip.16 q1, q3
    FINISH
    addi a15, a15, -1
    bnez a15, .Lpair
.Lturned:
    s32i a12, a1, RECORD
    l32i a8, a1, FIRST
    l32i a14, a2, TS_PIE_CHANNELS
    l32i a13, a1, OUTPUT
    l32i a9, a1, GROUP
    mull a8, a8, a14
    mov a10, a6
    add a13, a13, a9
    l32i a11, a1, COUNT
    l32i a12, a1, NOW
    add a13, a13, a8
    addmi a15, a6, 256
    call8 ts_pie_store_s8
    l32i a8, a1, GROUP
    l32i a9, a1, WEIGHTS
    l32i a10, a2, TS_PIE_D_GROUP_WEIGHTS
    l32i a11, a2, TS_PIE_CHANNELS
    addi a8, a8, TS_PIE_TILE
    add a9, a9, a10
    s32i a8, a1, GROUP
    s32i a9, a1, WEIGHTS
    bgeu a8, a11, 1f
    j .Lgroup
1:  l32i a8, a1, FIRST
    l32i a9, a2, TS_PIE_D_OUT_WIDTH
    addi a8, a8, TS_PIE_TILE
    s32i a8, a1, FIRST
    bgeu a8, a9, 1f
    j .Ltile
1:  mull a9, a9, a11
    l32i a10, a1, OUTPUT
    l32i a12, a1, ROW_Y
    l32i a13, a2, TS_PIE_D_STRIDE
    l32i a14, a1, ROWS_LEFT
    add a10, a10, a9
    add a12, a12, a13
    addi a14, a14, -1
    s32i a10, a1, OUTPUT
    s32i a12, a1, ROW_Y
    s32i a14, a1, ROWS_LEFT
    beqz a14, 1f
    j .Lrow
1:  retw
    .size ts_pie_depthwise_s8, .-ts_pie_depthwise_s8
