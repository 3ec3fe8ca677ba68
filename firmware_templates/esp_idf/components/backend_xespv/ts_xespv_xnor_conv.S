/* SPDX-License-Identifier: Apache-2.0 */
/* Convolution of bit planes with weights of 1 or 2 bits, to bit planes by thresholds or to int8 with fused ReLU; any kernel, stride,
 * padding and channel count. A fully connected layer is one whose kernel is the whole map.
 *
 * void ts_xespv_xnor_conv(const void *layer, const uint32_t *input, const void *right, void *output, void *scratch)
 *
 * layer    a block of constants as in ts_xespv_layout.h. 256 times a sum, with the bias, fits 32 bits (the packer checks).
 * input    bit planes [in_height][in_width][activation bits][words], aligned to 4, unused bits any.
 * right    not used.
 * output   bit planes [out_height][out_width][bits][words], aligned to 4, unused bits zero; or int8
 *          [out_height][out_width][out_channels], any address. Apart from the input.
 * scratch  TS_XESPV_SCRATCH_BYTES, aligned to 16, contents undefined before and after.
 *
 * The unit multiplies bytes as fast as it combines bits, so levels and weights become bytes, 16 times their value each: a sum
 * of products then counts in 256ths, as the bias does. The rows of the input under a row of the output are unpacked with their
 * padding; of those that the next row needs, too, bytes are moved. Channels of a word lie in the order in which one mask after the
 * other finds them (the packer's weights do, too). Output channels lie side by side, 16 at a time.
 */
#include "ts_xespv_bits.h"
#include "ts_xespv_lines.h"
#include "ts_xespv_requantize.h"

/* Values `first` .. first + 3 of the input in q4, times weights that take turns. */
#define MULTIPLY_4(first)                                         \
    esp.vsmulas.s8.qacc.ld.incp q0, a5, q0, q4, first;            \
    esp.vsmulas.s8.qacc.ld.incp q1, a5, q1, q4, (first) + 1;      \
    esp.vsmulas.s8.qacc.ld.incp q0, a5, q0, q4, (first) + 2;      \
    esp.vsmulas.s8.qacc.ld.incp q1, a5, q1, q4, (first) + 3
#define MULTIPLY_16 MULTIPLY_4(0); MULTIPLY_4(4); MULTIPLY_4(8); MULTIPLY_4(12)

/* Sums of four channels in `sums` that are above the thresholds from t4 on: lanes of ones in q. */
#define ABOVE(q, sums)         \
    esp.vld.128.ip q, t4, 16;  \
    esp.vcmp.gt.s32 q, sums, q

    .text
    .balign 4
    .global ts_xespv_xnor_conv
    .type ts_xespv_xnor_conv, @function
ts_xespv_xnor_conv:
    TS_XESPV_ENTER
    mv s1, a3                       /* s1: first byte of the output of this part */
.Lpart:                             /* of the output channels */
    lw a6, TS_XESPV_X_ROW_LINES(a0) /* a6: pairs of vectors in a row of a window, a7: bytes from row to row */
    lw a7, TS_XESPV_X_ROW_STRIDE(a0)
    lw s5, TS_XESPV_X_OUT_HEIGHT(a0) /* s5: rows of the output that are left */
    lw s10, TS_XESPV_X_FIRST_ROW(a0) /* s10: input row that comes next, s11: rows that an output row adds */
    lw s11, TS_XESPV_X_KERNEL(a0)
    mv a3, s1                       /* a3: where the next output goes */
    addi s9, a4, TS_XESPV_X_ROW     /* s9: where the next row goes */
    mul t0, s11, a7                 /* fill all rows with padding, once */
    esp.zero.q q0
    mv t4, s9
    srli t0, t0, 4
1:  esp.vst.128.ip q0, t4, 16
    addi t0, t0, -1
    bnez t0, 1b

.Lrow:                              /* of the output; first the rows of the input that it adds */
    mv t2, s11                      /* t2: that are left */
.Lfill:
    lw t1, TS_XESPV_X_IN_HEIGHT(a0)
    bltu s10, t1, .Linside
    esp.zero.q q0
    mv t4, s9
    srli t1, a7, 4
1:  esp.vst.128.ip q0, t4, 16
    addi t1, t1, -1
    bnez t1, 1b
    j .Lfilled
.Linside:
    lw t0, TS_XESPV_X_IN_ROW_BYTES(a0)
    lw t1, TS_XESPV_X_ROW_DATA(a0)
    lw s8, TS_XESPV_X_MASKS(a0)
    lw s3, TS_XESPV_X_IN_PLANE_BYTES(a0) /* s3: from plane to plane */
    lw s7, TS_XESPV_X_IN_WIDTH(a0)  /* s7: pixels that are left */
    mul t0, s10, t0
    add t3, s9, t1                  /* t3: where levels go, a2: the pixel */
    add a2, a1, t0
    add s8, s8, a0
    esp.vld.128.ip q6, s8, 16       /* q6, q7: a bit of each byte of a word; s8: what a bit of each plane is worth */
    esp.vld.128.ip q7, s8, 16
.Lunpacked:
    lw s4, TS_XESPV_X_IN_WORDS(a0)  /* s4: words that are left, t6: the word in the first plane */
    mv t6, a2
.Lword:
    lw t0, TS_XESPV_X_IN_BITS(a0)
    mv t4, t6
    mv t5, s8
    esp.zero.q q2
    esp.zero.q q3
1:  esp.vldbc.32.ip q0, t4, 0
    esp.vld.128.ip q5, t5, 16
    esp.andq q1, q0, q6
    esp.andq q0, q0, q7
    esp.vcmp.eq.s8 q1, q1, q6
    esp.vcmp.eq.s8 q0, q0, q7
    esp.andq q1, q1, q5
    esp.andq q0, q0, q5
    esp.orq q2, q2, q1
    esp.orq q3, q3, q0
    addi t0, t0, -1
    add t4, t4, s3
    bnez t0, 1b
    esp.vst.128.ip q2, t3, 16
    esp.vst.128.ip q3, t3, 16
    addi s4, s4, -1
    addi t6, t6, 4
    bnez s4, .Lword
    lw t1, TS_XESPV_X_IN_PIXEL_BYTES(a0)
    addi s7, s7, -1
    add a2, a2, t1
    bnez s7, .Lunpacked
.Lfilled:
    addi t2, t2, -1
    addi s10, s10, 1
    add s9, s9, a7
    bnez t2, .Lfill

    lw s4, TS_XESPV_X_OUT_WIDTH(a0) /* s4: outputs of the row that are left, s3: the window */
    addi s3, a4, TS_XESPV_X_ROW
.Lpixel:
    lw s8, TS_XESPV_WEIGHTS(a0)     /* s8: weights of the group, s0: its record or thresholds, s7: channels that are left */
    lw s0, TS_XESPV_RECORDS(a0)
    lw s7, TS_XESPV_CHANNELS(a0)
    add s8, s8, a0
    add s0, s0, a0
    mv s6, a3                       /* s6: first byte of the pixel */
.Lgroup:
    lw t1, TS_XESPV_X_BITS(a0)
    mv a5, s8                       /* a5: weights, read two vectors ahead */
    esp.zero.qacc
    bnez t1, 1f
    mv t4, s0
    TS_XESPV_STARTS
1:  esp.vld.128.ip q0, a5, 16
    esp.vld.128.ip q1, a5, 16
    lw t2, TS_XESPV_X_KERNEL(a0)    /* t2: rows of the window that are left, a2: this one */
    mv a2, s3
.Lwindow_row:
    mv t3, a2
    mv t0, a6
1:  esp.vld.128.ip q4, t3, 16
    MULTIPLY_16
    esp.vld.128.ip q4, t3, 16
    MULTIPLY_16
    addi t0, t0, -1
    bnez t0, 1b
    addi t2, t2, -1
    add a2, a2, a7
    bnez t2, .Lwindow_row

    mv t4, a4
    TS_XESPV_SUMS
    bnez t1, .Lbits
    TS_XESPV_CLAMPS
    TS_XESPV_SIXTEEN
    li t0, 16
    bgeu s7, t0, 1f
    mv t0, s7
1:  TS_XESPV_PUT(q0)
    j .Lgroup_next
.Lbits:                             /* a byte of ones or zeros for each channel and threshold, */
    lw t0, TS_XESPV_X_THRESHOLDS(a0)
    mv t4, s0
    addi t3, a4, TS_XESPV_X_REACHED
1:  ABOVE(q4, q0)
    ABOVE(q5, q1)
    ABOVE(q6, q2)
    ABOVE(q7, q3)
    esp.vunzip.16 q4, q5
    esp.vunzip.16 q6, q7
    esp.vunzip.8 q4, q6
    addi t0, t0, -1
    esp.vst.128.ip q4, t3, 16
    bnez t0, 1b
    mv t2, t3                       /* t2: end of them */
    lw t4, TS_XESPV_X_CHANNEL_BITS(a0)
    mv t5, a3
    li t6, 16                       /* t6: from one that a plane counts to the next */
    add t4, t4, a0
    esp.vld.128.ip q6, t4, 0
2:  addi t3, a4, TS_XESPV_X_REACHED - 16
    add t3, t3, t6
    esp.zero.q q4
3:  esp.vld.128.xp q5, t3, t6       /* bit b of a level is set where an odd number of every 2^b-th threshold is reached */
    esp.xorq q4, q4, q5
    bltu t3, t2, 3b
    esp.andq q4, q4, q6
    TS_XESPV_GATHER(q4, q5)
    TS_XESPV_PUT_BITS
    lw t0, TS_XESPV_X_PLANE_BYTES(a0)
    addi t1, t1, -1
    slli t6, t6, 1
    add t5, t5, t0
    bnez t1, 2b
    addi a3, a3, 2
.Lgroup_next:
    lw t0, TS_XESPV_GROUP_BYTES(a0)
    lw t1, TS_XESPV_X_RECORD_BYTES(a0)
    addi s7, s7, -16
    add s8, s8, t0
    add s0, s0, t1
    bgtz s7, .Lgroup

    lw t0, TS_XESPV_X_OUT_PIXEL_BYTES(a0)
    lw t1, TS_XESPV_X_STEP_BYTES(a0)
    addi s4, s4, -1
    add a3, s6, t0
    add s3, s3, t1
    bnez s4, .Lpixel

    addi s5, s5, -1
    beqz s5, .Lpart_next
    lw t0, TS_XESPV_X_KEPT_LINES(a0)
    lw t1, TS_XESPV_X_MOVE_BYTES(a0)
    lw t2, TS_XESPV_X_SKIPPED_ROWS(a0)
    lw s11, TS_XESPV_X_NEW_ROWS(a0)
    addi s9, a4, TS_XESPV_X_ROW
    add s10, s10, t2
    beqz t0, .Lrow
    add t3, s9, t1
1:  esp.vld.128.ip q0, t3, 16       /* two vectors at a time: rows have an even number of them */
    esp.vld.128.ip q1, t3, 16
    addi t0, t0, -2
    esp.vst.128.ip q0, s9, 16
    esp.vst.128.ip q1, s9, 16
    bnez t0, 1b
    j .Lrow

.Lpart_next:
    lw t0, TS_XESPV_X_NEXT_PART(a0)
    lw t1, TS_XESPV_X_PART_BYTES(a0)
    add a0, a0, t0
    add s1, s1, t1
    bnez t0, .Lpart
    TS_XESPV_LEAVE
    .size ts_xespv_xnor_conv, .-ts_xespv_xnor_conv
