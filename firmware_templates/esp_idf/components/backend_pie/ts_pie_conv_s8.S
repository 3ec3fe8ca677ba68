/* SPDX-License-Identifier: Apache-2.0 */
/* int8 convolution with fused max pool and ReLU, any square kernel, stride, padding and channel count.
 *
 * void ts_pie_conv_s8(const void *layer, const int8_t *input, const void *right, int8_t *output, void *scratch)
 *
 * layer    a block of constants as in ts_pie_layout.h. Sums of products with the bias stay below 2^30 (the packer checks).
 * input    [in_height][in_width][in_channels], any address; lines of 16 bytes that hold a byte of it are read.
 * right    not used.
 * output   [out_height][out_width][out_channels], any address, apart from the input.
 * scratch  TS_PIE_SCRATCH_BYTES, aligned to 16, contents undefined before and after.
 *
 * The rows of the input under a row of the output are copied with their padding, each starting at a multiple of 16; from
 * there windows are gathered into columns, a tile of up to 16 at a time, whatever row of the output they belong to. A 1x1 convolution whose
 * pixels are whole vectors reads its columns from the input itself, but for the last tile, as a tile also reads of the
 * column behind it. All of that is done for the output channels of a part, then for those of the next one.
 */
#include "ts_pie_layout.h"

#define FRAME 80
#define INPUT 0
#define OUTPUT 4      /* of the pixel that the first column belongs to */
#define PHASE 8       /* pixels of its pool that came before */
#define ROW_Y 12      /* input row of the first window */
#define ROWS_LEFT 16  /* of the output */
#define CORNER 20     /* first window of the pool */
#define DOWN 24       /* first window of its row in the pool */
#define PIXELS_LEFT 28
#define POOL_Y 32
#define POOL_X 36
#define PART 40       /* first byte of the output of this part */

/* A tile of a12 columns, a11 the first of them, to a13. */
#define CALL_TILE          \
    mov a10, a2;           \
    mov a14, a6;           \
    l32i a15, a1, PHASE;   \
    call8 ts_pie_tile_s8

    .text
    .align 4
    .global ts_pie_conv_s8
    .type ts_pie_conv_s8, @function
ts_pie_conv_s8:
    entry a1, FRAME
    s32i a3, a1, INPUT
.Lpart:                             /* of the output channels */
    s32i a5, a1, OUTPUT
    s32i a5, a1, PART
    l32i a8, a2, TS_PIE_DIRECT
    extui a9, a3, 0, 4
    movi a14, 0
    s32i a14, a1, PHASE
    beqz a8, .Lrows
    bnez a9, .Lrows

    l32i a13, a2, TS_PIE_PIXELS     /* directly from the input */
    l32i a4, a2, TS_PIE_TILE_COLUMNS
.Ldirect:
    bgeu a4, a13, .Lrest
    s32i a13, a1, PIXELS_LEFT
    mov a11, a3
    mov a12, a4
    mov a13, a5
    CALL_TILE
    l32i a14, a2, TS_PIE_COLUMN_BYTES
    l32i a15, a2, TS_PIE_OUT_PIXEL_BYTES
    l32i a13, a1, PIXELS_LEFT
    mull a14, a14, a4
    mull a15, a15, a4
    sub a13, a13, a4
    add a3, a3, a14
    add a5, a5, a15
    j .Ldirect
.Lrest:
    l32i a8, a2, TS_PIE_SCRATCH_COLUMNS
    l32i a9, a2, TS_PIE_LINES
    mov a12, a13
    mull a9, a9, a13
    add a11, a6, a8
    mov a8, a11
    loop a9, 1f
    ee.vld.128.ip q0, a3, 16
    ee.vst.128.ip q0, a8, 16
1:  mov a13, a5
    CALL_TILE
    j .Lpart_done

.Lrows:                             /* fill the rows, once, with padding */
    l32i a10, a2, TS_PIE_SCRATCH_ROWS
    l32i a8, a2, TS_PIE_ROWS
    l32i a9, a2, TS_PIE_ROW_STRIDE
    addi a11, a2, TS_PIE_IN_ZERO
    add a10, a10, a6
    mull a8, a8, a9
    ee.vldbc.8 q7, a11              /* padding */
    srli a8, a8, 4
    loop a8, 1f
    ee.vst.128.ip q7, a10, 16
1:  l32i a8, a2, TS_PIE_FIRST_ROW
    l32i a9, a2, TS_PIE_OUT_HEIGHT
    l32i a10, a2, TS_PIE_SCRATCH_COLUMNS
    s32i a8, a1, ROW_Y
    s32i a9, a1, ROWS_LEFT
    add a10, a10, a6
    movi a4, 0                      /* a4: columns that are filled */
    mov a5, a10                     /* a5: where the next one goes */

.Lrow:                              /* of the output; first the rows of the input under it */
    l32i a7, a2, TS_PIE_SCRATCH_ROWS
    add a7, a7, a6
    addi a11, a2, TS_PIE_IN_ZERO
    l32i a8, a1, ROW_Y
    l32i a9, a2, TS_PIE_ROWS
    ee.vldbc.8 q7, a11
    mov a10, a7
.Lcopy:                             /* a8 row of the input, a9 rows that are left, a10 where it goes */
    l32i a11, a2, TS_PIE_IN_HEIGHT
    l32i a13, a2, TS_PIE_IN_ROW_BYTES
    bltu a8, a11, .Linside
    l32i a14, a2, TS_PIE_ROW_STRIDE
    mov a15, a10
    srli a14, a14, 4
    loop a14, 1f
    ee.vst.128.ip q7, a15, 16
1:  j .Lcopied
.Linside:
    l32i a12, a1, INPUT
    mull a14, a8, a13
    l32i a15, a2, TS_PIE_ROW_DATA
    add a12, a12, a14               /* from */
    add a15, a15, a10               /* to */
    extui a14, a12, 0, 4
    add a14, a14, a13
    addi a13, a13, 15
    srli a13, a13, 4                /* lines to write */
    addi a14, a14, 15
    srli a14, a14, 4                /* lines to read, as many or one more */
    sub a14, a14, a13
    addi a13, a13, -1
    ee.ld.128.usar.ip q0, a12, 16
    loopnez a13, 1f
    ee.vld.128.ip q1, a12, 16
    ee.src.q.qup q2, q0, q1
    ee.vst.128.ip q2, a15, 16
1:  beqz a14, 2f
    ee.vld.128.ip q1, a12, 16
2:  ee.src.q q2, q0, q1
    ee.vst.128.ip q2, a15, 16
    l32i a14, a2, TS_PIE_ROW_FIX
    beqz a14, .Lcopied
    l32i a13, a2, TS_PIE_IN_ROW_BYTES
    l32i a15, a2, TS_PIE_ROW_DATA
    l8ui a12, a2, TS_PIE_IN_ZERO
    add a15, a15, a10
    add a15, a15, a13
    loop a14, 1f
    s8i a12, a15, 0
    addi a15, a15, 1
1:
.Lcopied:
    l32i a11, a2, TS_PIE_ROW_STRIDE
    addi a8, a8, 1
    add a10, a10, a11
    addi a9, a9, -1
    bnez a9, .Lcopy

    l32i a8, a2, TS_PIE_ROW_FIRST   /* now its windows, pool after pool */
    l32i a15, a2, TS_PIE_RUNS       /* a15: pools that are left, 1 without a pool */
    add a3, a7, a8                  /* a3: the window */
.Lpixel:
    l32i a13, a2, TS_PIE_POOL       /* a13: rows of the pool that are left */
    s32i a3, a1, CORNER
    s32i a3, a1, DOWN
.Lpool_row:
    l32i a14, a2, TS_PIE_RUN        /* a14: windows of that row that are left */
.Lwindows:                          /* a7 columns of a tile, a9 rows of a window, a10 bytes between them, a11 their lines */
    l32i a7, a2, TS_PIE_TILE_COLUMNS
    l32i a9, a2, TS_PIE_KERNEL
    l32i a10, a2, TS_PIE_ROW_STRIDE
    l32i a11, a2, TS_PIE_LINES
    addi a12, a10, -16
    bgei a11, 3, .Lmany
    beqi a11, 2, .Ltwo
.Lone:
    l32i a11, a2, TS_PIE_PIXEL_STEP
1:  mov a8, a3
    loop a9, 2f
    ee.ld.128.usar.ip q0, a8, 16
    ee.vld.128.xp q1, a8, a12
    ee.src.q q2, q0, q1
    ee.vst.128.ip q2, a5, 16
2:  addi a4, a4, 1
    addi a14, a14, -1
    bltu a4, a7, 3f
    j .Ltile
3:  add a3, a3, a11
    bnez a14, 1b
    j .Lrun_done
.Ltwo:
    l32i a11, a2, TS_PIE_PIXEL_STEP
    addi a12, a10, -32
1:  mov a8, a3
    loop a9, 2f
    ee.ld.128.usar.ip q0, a8, 16
    ee.vld.128.ip q1, a8, 16
    ee.vld.128.xp q2, a8, a12
    ee.src.q q3, q0, q1
    ee.vst.128.ip q3, a5, 16
    ee.src.q q3, q1, q2
    ee.vst.128.ip q3, a5, 16
2:  addi a4, a4, 1
    addi a14, a14, -1
    bltu a4, a7, 3f
    j .Ltile
3:  add a3, a3, a11
    bnez a14, 1b
    j .Lrun_done
.Lmany:
    mov a8, a3
    extui a12, a3, 0, 4
    bnez a12, .Lunaligned
.Laligned:
    mov a12, a8
    loop a11, 1f
    ee.vld.128.ip q0, a12, 16
    ee.vst.128.ip q0, a5, 16
1:  add a8, a8, a10
    addi a9, a9, -1
    bnez a9, .Laligned
    j .Lgathered
.Lunaligned:
    mov a12, a8
    ee.ld.128.usar.ip q0, a12, 16
    loop a11, 1f
    ee.vld.128.ip q1, a12, 16
    ee.src.q.qup q2, q0, q1
    ee.vst.128.ip q2, a5, 16
1:  add a8, a8, a10
    addi a9, a9, -1
    bnez a9, .Lunaligned
.Lgathered:
    addi a4, a4, 1
    addi a14, a14, -1
    l32i a8, a2, TS_PIE_PIXEL_STEP
    bltu a4, a7, .Lnext
.Ltile:
    l32i a11, a2, TS_PIE_SCRATCH_COLUMNS
    s32i a13, a1, POOL_Y
    s32i a14, a1, POOL_X
    s32i a15, a1, PIXELS_LEFT
    mov a12, a4
    add a11, a11, a6
    mov a5, a11
    l32i a13, a1, OUTPUT
    CALL_TILE
    l32i a10, a1, OUTPUT
    l32i a11, a2, TS_PIE_OUT_PIXEL_BYTES
    l32i a12, a2, TS_PIE_POOL_PIXELS
    l32i a13, a1, PHASE
    mull a14, a11, a4
    beqi a12, 1, .Loutput
    add a13, a13, a4
    movi a14, 0
.Lcomplete:
    bltu a13, a12, .Lincomplete
    add a14, a14, a11
    sub a13, a13, a12
    j .Lcomplete
.Lincomplete:
    s32i a13, a1, PHASE
.Loutput:
    add a10, a10, a14
    s32i a10, a1, OUTPUT
    movi a4, 0
    l32i a8, a2, TS_PIE_PIXEL_STEP
    l32i a13, a1, POOL_Y
    l32i a14, a1, POOL_X
    l32i a15, a1, PIXELS_LEFT

.Lnext:                             /* window: to the right, below, then the next pool */
    add a3, a3, a8
    bnez a14, .Lwindows
.Lrun_done:
    addi a13, a13, -1
    beqz a13, .Lpool_done
    l32i a3, a1, DOWN
    l32i a9, a2, TS_PIE_DOWN_STEP
    add a3, a3, a9
    s32i a3, a1, DOWN
    j .Lpool_row
.Lpool_done:
    addi a15, a15, -1
    beqz a15, .Lrow_done
    l32i a9, a2, TS_PIE_POOL
    l32i a8, a2, TS_PIE_PIXEL_STEP
    l32i a3, a1, CORNER
    mull a9, a9, a8
    add a3, a3, a9
    j .Lpixel
.Lrow_done:
    l32i a8, a1, ROW_Y
    l32i a9, a2, TS_PIE_NEXT_ROW
    l32i a10, a1, ROWS_LEFT
    add a8, a8, a9
    addi a10, a10, -1
    s32i a8, a1, ROW_Y
    s32i a10, a1, ROWS_LEFT
    bnez a10, .Lrow

    beqz a4, .Lpart_done            /* what does not fill a tile */
    l32i a11, a2, TS_PIE_SCRATCH_COLUMNS
    mov a12, a4
    l32i a13, a1, OUTPUT
    add a11, a11, a6
    CALL_TILE
.Lpart_done:
    l32i a8, a2, TS_PIE_NEXT_PART
    l32i a9, a2, TS_PIE_CHANNELS
    l32i a3, a1, INPUT
    l32i a5, a1, PART
    beqz a8, .Ldone
    add a2, a2, a8
    add a5, a5, a9
    j .Lpart
.Ldone:
    retw
    .size ts_pie_conv_s8, .-ts_pie_conv_s8
