/* SPDX-License-Identifier: Apache-2.0 */
/* Up to 16 columns times all output channels, requantized: the inside of int8 convolutions.
 *
 * void ts_pie_tile_s8(const void *layer, const int8_t *columns, uint32_t count, int8_t *output, void *scratch,
 *                     uint32_t phase)
 *
 * layer    a block of constants as in ts_pie_layout.h.
 * columns  `count` receptive fields of TS_PIE_COLUMN_BYTES each, one after the other, aligned to 16, and one more that
 *          can be read.
 * count    1 .. 16.
 * output   of the first column's pixel, [pixel][channel]; under a pool of the window that it belongs to.
 * scratch  TS_PIE_TILE_MAXIMA bytes, and under a pool 16 for each 16 channels, kept from tile to tile.
 * phase    pixels of the first window that came in earlier tiles; 0 without a pool.
 *
 * Six vectors of a channel's weights stay in registers while the columns stream past them: one instruction multiplies 16
 * pairs and loads the next 16. Two registers take turns, so that a load has an instruction's time. What is left of the sum
 * waits in memory, 64 bits a column. The 16 sums of a channel are requantized side by side, and 16 channels at a time are
 * turned into pixels.
 */
#include "ts_pie_requantize.h"

#define FRAME 64
#define COLUMNS 0
#define OUTPUT 4
#define PHASE 8
#define LEFT 12   /* channels that are left, those of the group included */
#define MAXIMA 16 /* of the group */
#define NOW 20    /* channels of the group */
#define RECORD 24 /* of the next group */

/* One to six vectors of weights that stay. */
#define WEIGHTS_1 ee.vld.128.ip q0, a3, 16
#define WEIGHTS_2 WEIGHTS_1; ee.vld.128.ip q1, a3, 16
#define WEIGHTS_3 WEIGHTS_2; ee.vld.128.ip q2, a3, 16
#define WEIGHTS_4 WEIGHTS_3; ee.vld.128.ip q3, a3, 16
#define WEIGHTS_5 WEIGHTS_4; ee.vld.128.ip q4, a3, 16
#define WEIGHTS_6 WEIGHTS_5; ee.vld.128.ip q5, a3, 16

/* A column times them. a5 points behind the vector in q6; the last but one load steps to the next column, and the last one
 * has its first vector. */
#define NEXT(to, weight, from) ee.vmulas.s8.accx.ld.ip to, a5, 16, weight, from
#define STEP(to, weight, from) ee.vmulas.s8.accx.ld.xp to, a5, a7, weight, from
#define COLUMN_1 STEP(q6, q0, q6)
#define COLUMN_2 STEP(q7, q0, q6); NEXT(q6, q1, q7)
#define COLUMN_3 NEXT(q7, q0, q6); STEP(q6, q1, q7); NEXT(q6, q2, q6)
#define COLUMN_4 NEXT(q7, q0, q6); NEXT(q6, q1, q7); STEP(q7, q2, q6); NEXT(q6, q3, q7)
#define COLUMN_5 NEXT(q7, q0, q6); NEXT(q6, q1, q7); NEXT(q7, q2, q6); STEP(q6, q3, q7); NEXT(q6, q4, q6)
#define COLUMN_6 \
    NEXT(q7, q0, q6); NEXT(q6, q1, q7); NEXT(q7, q2, q6); NEXT(q6, q3, q7); STEP(q7, q4, q6); NEXT(q6, q5, q7)

/* First sections start from the record, later ones from where the sums wait. */
#define START_1 ee.vld.128.xp q6, a5, a7
#define START_2 ee.vld.128.ip q6, a5, 16
#define START_3 START_2
#define START_4 START_2
#define START_5 START_2
#define START_6 START_2
#define SECTION(n, from)         \
    WEIGHTS_##n;                 \
    START_##n;                   \
    loop a4, 1f;                 \
    ee.ld.accx.ip from, 0;       \
    COLUMN_##n;                  \
    ee.st.accx.ip a10, 8;        \
1:
#define FIRST(n) SECTION(n, a12)
#define LATER(n) SECTION(n, a10)

/* One of six, the number in a15. */
#define CHOOSE(what, done)       \
    bgei a15, 4, 4f;             \
    beqi a15, 1, 2f;             \
    beqi a15, 2, 3f;             \
    what(3)                      \
    j done;                      \
2:  what(1)                      \
    j done;                      \
3:  what(2)                      \
    j done;                      \
4:  beqi a15, 5, 5f;             \
    bgei a15, 6, 6f;             \
    what(4)                      \
    j done;                      \
5:  what(5)                      \
    j done;                      \
6:  what(6)

    .text
    .align 4
    .global ts_pie_tile_s8
    .type ts_pie_tile_s8, @function
ts_pie_tile_s8:
    entry a1, FRAME
    s32i a3, a1, COLUMNS
    s32i a5, a1, OUTPUT
    s32i a7, a1, PHASE
    l32i a3, a2, TS_PIE_WEIGHTS
    l32i a12, a2, TS_PIE_RECORDS
    l32i a13, a2, TS_PIE_CHANNELS
    addmi a8, a6, TS_PIE_TILE_MAXIMA
    add a3, a3, a2
    add a12, a12, a2
    s32i a8, a1, MAXIMA

.Lgroup:                         /* of 16 channels; a13 are left */
    s32i a13, a1, LEFT
    movi a14, TS_PIE_TILE
    min a13, a13, a14
    s32i a13, a1, NOW
    mov a14, a6                  /* the block */
    l32i a7, a2, TS_PIE_STEP_LAST
    l32i a15, a2, TS_PIE_LAST
    movi a8, 16

.Lchannel:                       /* a3 weights, a12 record, a13 channels of the group that are left, a14 its row */
    l32i a5, a1, COLUMNS
    l32i a11, a2, TS_PIE_SECTIONS
    addmi a10, a6, TS_PIE_TILE_SUMS
    beqz a11, .Lonly
    l32i a7, a2, TS_PIE_STEP_SIX
    mov a9, a5
    FIRST(6)
.Lmore:
    addi a9, a9, 96
    addi a11, a11, -1
    addmi a10, a6, TS_PIE_TILE_SUMS
    mov a5, a9
    beqz a11, .Llast
    LATER(6)
    j .Lmore
.Llast:
    l32i a7, a2, TS_PIE_STEP_LAST
    CHOOSE(LATER, .Lsummed)
    j .Lsummed
.Lonly:
    CHOOSE(FIRST, .Lsummed)
.Lsummed:
    addmi a10, a6, TS_PIE_TILE_SUMS
    movi a9, 0
    TS_PIE_HALVES(a10)
    TS_PIE_SIXTEEN(a12, a10, a8, a9, a11)
    ee.vst.128.ip q4, a14, 16
    addi a12, a12, TS_PIE_RECORD_BYTES
    addi a13, a13, -1
    bnez a13, .Lchannel

    mov a9, a12
    l32i a13, a1, OUTPUT
    l32i a14, a2, TS_PIE_OUT_PIXEL_BYTES
    l32i a8, a2, TS_PIE_POOL_PIXELS
    mov a10, a6
    mov a11, a4
    l32i a12, a1, NOW
    addmi a15, a6, TS_PIE_TILE_PIXELS
    s32i a9, a1, RECORD
    bnei a8, 1, .Lpool
    call8 ts_pie_store_s8
    j .Lstored

.Lpool:                          /* all pixels to scratch; then a9 pixels of a window, a14 those that came */
    mov a13, a15
    movi a14, TS_PIE_TILE
    movi a12, TS_PIE_TILE
    call8 ts_pie_store_s8
    l32i a5, a1, OUTPUT
    l32i a10, a1, MAXIMA
    l32i a14, a1, PHASE
    l32i a13, a1, NOW
    l32i a9, a2, TS_PIE_POOL_PIXELS
    addmi a8, a6, TS_PIE_TILE_PIXELS
    mov a11, a4
    ee.vld.128.ip q0, a10, 0
.Lpooled:
    ee.vld.128.ip q1, a8, 16
    bnez a14, 1f
    mv.qr q0, q1
1:  ee.vmax.s8 q0, q0, q1
    addi a14, a14, 1
    bne a14, a9, .Lwindow
    movi a14, 0
    ee.vst.128.ip q0, a10, 0
    mov a15, a5
    loop a13, 1f
    l8ui a7, a10, 0
    addi a10, a10, 1
    s8i a7, a15, 0
    addi a15, a15, 1
1:  l32i a7, a2, TS_PIE_OUT_PIXEL_BYTES
    l32i a10, a1, MAXIMA
    add a5, a5, a7
.Lwindow:
    addi a11, a11, -1
    bnez a11, .Lpooled
    ee.vst.128.ip q0, a10, 16
    s32i a10, a1, MAXIMA

.Lstored:
    l32i a12, a1, RECORD
    l32i a13, a1, LEFT
    l32i a5, a1, OUTPUT
    addi a13, a13, -TS_PIE_TILE
    addi a5, a5, TS_PIE_TILE
    s32i a5, a1, OUTPUT
    blti a13, 1, .Ldone
    j .Lgroup
.Ldone:
    retw
    .size ts_pie_tile_s8, .-ts_pie_tile_s8
