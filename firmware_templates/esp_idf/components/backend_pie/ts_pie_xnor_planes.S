/* SPDX-License-Identifier: Apache-2.0 */
/* Bit planes of the inputs under 128 pixels of a binary convolution's output.
 *
 * void ts_pie_xnor_planes(const void *layer, const uint32_t *input, void *planes, uint32_t row, uint32_t column,
 *                         uint32_t count)
 *
 * layer    a block of constants as in ts_pie_layout.h.
 * input    bit planes [in_height][in_width][activation_bits][words], aligned to 4.
 * planes   TS_PIE_X_PLANE_BYTES for each activation bit, ordered by kernel row, kernel column and word; 512 bytes before
 *          them are overwritten. Aligned to 16.
 * row, column of the output: the first pixel; `count` pixels follow row by row, 1 .. 128. Bits of further ones are undefined.
 *
 * For each place in the kernel, activation bit and word, the words of 128 pixels are collected, with zeros outside of the
 * input, and transposed.
 */
#include "ts_pie_layout.h"

#define FRAME 96
#define ROW 0
#define COLUMN 4
#define COUNT 8
#define KERNEL_Y 12
#define KERNEL_X 16
#define SPAN 20
#define PLANES 24  /* of the place in the kernel, first activation bit and word */
#define PLANE 28   /* now */
#define WORD 32    /* bytes into a pixel */
#define WORDS_LEFT 36
#define BITS_LEFT 40
#define BLOCK 44
#define FIRST 48   /* planes of the activation bit */

    .text
    .align 4
    .global ts_pie_xnor_planes
    .type ts_pie_xnor_planes, @function
ts_pie_xnor_planes:
    entry a1, FRAME
    addmi a8, a4, -512
    movi a9, 0
    s32i a5, a1, ROW
    s32i a6, a1, COLUMN
    s32i a7, a1, COUNT
    s32i a4, a1, PLANES
    s32i a8, a1, BLOCK
    s32i a9, a1, KERNEL_Y
.Lkernel_row:
    movi a9, 0
    l32i a8, a2, TS_PIE_X_SPANS
    s32i a9, a1, KERNEL_X
    add a8, a8, a2
    s32i a8, a1, SPAN
.Lkernel_column:
    l32i a8, a1, PLANES
    l32i a9, a2, TS_PIE_X_ACTIVATION_BITS
    movi a10, 0
    s32i a8, a1, FIRST
    s32i a9, a1, BITS_LEFT
    s32i a10, a1, WORD
.Lbit:
    l32i a8, a1, FIRST
    l32i a9, a2, TS_PIE_X_WORDS
    s32i a8, a1, PLANE
    s32i a9, a1, WORDS_LEFT
.Lword:
    l32i a8, a1, BLOCK                  /* a8: where words go */
    l32i a4, a1, ROW                    /* a4, a5: the pixel */
    l32i a5, a1, COLUMN
    l32i a6, a1, COUNT                  /* a6: pixels that are left */
    movi a7, 0
.Lsegment:                              /* pixels in a row of the output */
    l32i a9, a2, TS_PIE_X_OUT_WIDTH
    l32i a10, a2, TS_PIE_X_STRIDE
    l32i a11, a2, TS_PIE_X_PADDING
    l32i a12, a1, KERNEL_Y
    sub a9, a9, a5
    mull a10, a10, a4
    sub a12, a12, a11
    minu a9, a9, a6                     /* a9: in the segment */
    l32i a11, a2, TS_PIE_X_IN_HEIGHT
    add a10, a10, a12                   /* a10: row of the input */
    sub a6, a6, a9
    bgeu a10, a11, .Loutside
    l32i a11, a1, SPAN
    l32i a12, a11, 0
    l32i a13, a11, 4
    sub a12, a12, a5
    sub a13, a13, a5
    max a12, a12, a7
    min a12, a12, a9                    /* a12: before the input */
    max a13, a13, a12
    min a13, a13, a9
    sub a9, a9, a13                     /* a9: behind it */
    sub a13, a13, a12                   /* a13: inside */
    l32i a11, a2, TS_PIE_X_ROW_BYTES
    l32i a14, a2, TS_PIE_X_STRIDE
    mull a11, a11, a10
    add a15, a5, a12
    l32i a10, a2, TS_PIE_X_PADDING
    mull a15, a15, a14
    add a11, a11, a3
    sub a15, a15, a10
    l32i a10, a1, KERNEL_X
    add a15, a15, a10                   /* column of the input */
    l32i a10, a2, TS_PIE_X_PIXEL_BYTES
    mull a15, a15, a10
    mull a14, a14, a10                  /* a14: bytes from pixel to pixel */
    l32i a10, a1, WORD
    add a11, a11, a15
    add a11, a11, a10                   /* a11: the first word */
    loopnez a12, 1f
    s32i a7, a8, 0
    addi a8, a8, 4
1:  loopnez a13, 1f
    l32i a10, a11, 0
    add a11, a11, a14
    s32i a10, a8, 0
    addi a8, a8, 4
1:
.Loutside:
    loopnez a9, 1f
    s32i a7, a8, 0
    addi a8, a8, 4
1:  movi a5, 0
    addi a4, a4, 1
    bnez a6, .Lsegment

    l32i a10, a1, BLOCK
    call8 ts_pie_turn_32
    l32i a8, a1, BLOCK
    l32i a9, a1, PLANE
    ee.zero.q q1
    movi a10, 11
    loop a10, 1f
    ee.vld.128.ip q0, a8, 16
    ee.vst.128.ip q0, a9, 16
1:  ee.vst.128.ip q1, a9, 16
    loop a10, 1f
    ee.vld.128.ip q0, a8, 16
    ee.vst.128.ip q0, a9, 16
1:  ee.vst.128.ip q1, a9, 16
    movi a10, 10
    loop a10, 1f
    ee.vld.128.ip q0, a8, 16
    ee.vst.128.ip q0, a9, 16
1:  ee.vst.128.ip q1, a9, 16
    s32i a9, a1, PLANE

    l32i a8, a1, WORD
    l32i a10, a1, WORDS_LEFT
    addi a8, a8, 4
    addi a10, a10, -1
    s32i a8, a1, WORD
    s32i a10, a1, WORDS_LEFT
    beqz a10, 1f
    j .Lword
1:  l32i a8, a1, FIRST
    l32i a10, a2, TS_PIE_X_PLANE_BYTES
    l32i a11, a1, BITS_LEFT
    add a8, a8, a10
    addi a11, a11, -1
    s32i a8, a1, FIRST
    s32i a11, a1, BITS_LEFT
    beqz a11, 1f
    j .Lbit
1:  l32i a8, a2, TS_PIE_X_WORDS         /* the next place in the kernel */
    l32i a9, a1, PLANES
    movi a10, TS_PIE_X_GROUP_BYTES
    mull a8, a8, a10
    l32i a10, a1, KERNEL_X
    add a9, a9, a8
    l32i a11, a1, SPAN
    s32i a9, a1, PLANES
    l32i a12, a2, TS_PIE_X_KERNEL_WIDTH
    addi a10, a10, 1
    addi a11, a11, 8
    s32i a10, a1, KERNEL_X
    s32i a11, a1, SPAN
    bgeu a10, a12, 1f
    j .Lkernel_column
1:  l32i a10, a1, KERNEL_Y
    l32i a11, a2, TS_PIE_X_KERNEL_HEIGHT
    addi a10, a10, 1
    s32i a10, a1, KERNEL_Y
    bgeu a10, a11, 1f
    j .Lkernel_row
1:  retw
    .size ts_pie_xnor_planes, .-ts_pie_xnor_planes
