/* SPDX-License-Identifier: Apache-2.0 */
/* int8 depthwise convolution with fused ReLU, any square kernel, stride, padding and channel count.
 *
 * void ts_xespv_depthwise_s8(const void *layer, const int8_t *input, const void *right, int8_t *output, void *scratch)
 *
 * layer    a block of constants as in ts_xespv_layout.h. Sums of products with the bias fit 32 bits.
 * input    [in_height][in_width][channels], any address; lines of 16 bytes that hold a byte of it are read.
 * right    not used.
 * output   [out_height][out_width][channels], any address, apart from the input.
 * scratch  TS_XESPV_SCRATCH_BYTES, aligned to 16, contents undefined before and after.
 *
 * 16 channels side by side. The rows of the input under a row of the output are copied with their padding, so that each group of
 * channels starts at a multiple of 16.
 */
#include "ts_xespv_lines.h"
#include "ts_xespv_requantize.h"

/* A pixel of the window times its weights, and the next weights. */
#define MULTIPLY                              \
    esp.vld.128.xp q4, t3, s11;               \
    esp.vmulas.s8.qacc.ld.ip q3, a5, 16, q3, q4

    .text
    .balign 4
    .global ts_xespv_depthwise_s8
    .type ts_xespv_depthwise_s8, @function
ts_xespv_depthwise_s8:
    TS_XESPV_ENTER
    TS_XESPV_CLAMPS
    lw t5, TS_XESPV_D_PADDING(a0)
    lw s11, TS_XESPV_D_PIXEL_BYTES(a0) /* s11: from pixel to pixel in scratch */
    lw s5, TS_XESPV_D_OUT_HEIGHT(a0)   /* s5: rows of the output that are left */
    lw s6, TS_XESPV_D_FIRST_ROW(a0)    /* s6: input row of the first window */
    lw a6, TS_XESPV_D_KERNEL(a0)       /* a6: side of the kernel, a7: bytes from row to row */
    lw a7, TS_XESPV_D_ROW_STRIDE(a0)
    add t5, t5, a0
    esp.vld.128.ip q5, t5, 0           /* q5: padding */

.Lrow:                                 /* of the output; first the rows of the input under it */
    mv t2, a6                          /* t2: that are left */
    mv t0, s6                          /* t0: the row */
    addi s9, a4, TS_XESPV_D_ROW        /* s9: where it goes */
.Lcopy:
    mv t4, s9
    srli t1, a7, 4
1:  esp.vst.128.ip q5, t4, 16          /* padding first */
    addi t1, t1, -1
    bnez t1, 1b
    lw t1, TS_XESPV_D_IN_HEIGHT(a0)
    bgeu t0, t1, .Lcopied
    lw t1, TS_XESPV_D_IN_ROW_BYTES(a0)
    lw s10, TS_XESPV_D_ROW_DATA(a0)
    lw s8, TS_XESPV_D_PIECES(a0)       /* s8: pieces that are left, s10: where one goes, a2: where it is */
    mul a2, t0, t1
    add s10, s10, s9
    add a2, a2, a1
.Lpiece:
    lw t1, TS_XESPV_D_PIECE_BYTES(a0)
    lw s7, TS_XESPV_D_PIECE_LINES(a0)
    mv t3, a2
    mv t4, s10
    add a2, a2, t1
    TS_XESPV_COPY
    esp.vst.128.ip q2, t4, 16
    addi s8, s8, -1
    mv s10, t4
    bnez s8, .Lpiece
.Lcopied:
    addi t2, t2, -1
    addi t0, t0, 1
    add s9, s9, a7
    bnez t2, .Lcopy

    lw s3, TS_XESPV_D_OUT_WIDTH(a0)    /* s3: outputs of the row that are left */
    addi s4, a4, TS_XESPV_D_ROW        /* s4: their first window */
.Lpixel:
    lw a5, TS_XESPV_WEIGHTS(a0)        /* a5: weights, read one vector ahead, s0: record of the group */
    lw s0, TS_XESPV_RECORDS(a0)
    lw s7, TS_XESPV_CHANNELS(a0)       /* s7: channels that are left, s8: the window of the group */
    add a5, a5, a0
    add s0, s0, a0
    mv s8, s4
.Lgroup:
    esp.vld.128.ip q3, a5, 16
    mv t4, s0
    mv a2, s8
    mv t2, a6
    TS_XESPV_STARTS
    li t0, 3
    bne a6, t0, .Lany
1:  mv t3, a2                          /* three by three */
    MULTIPLY
    MULTIPLY
    MULTIPLY
    addi t2, t2, -1
    add a2, a2, a7
    bnez t2, 1b
    j .Lsummed
.Lany:
    mv t3, a2
    mv t0, a6
1:  MULTIPLY
    addi t0, t0, -1
    bnez t0, 1b
    addi t2, t2, -1
    add a2, a2, a7
    bnez t2, .Lany
.Lsummed:
    mv t4, a4
    TS_XESPV_SUMS
    TS_XESPV_SIXTEEN
    li t0, 16
    bgeu s7, t0, 1f
    mv t0, s7
1:  TS_XESPV_PUT(q0)
    addi s0, s0, TS_XESPV_RECORD_BYTES
    addi s7, s7, -16
    addi s8, s8, 16
    addi a5, a5, -16                   /* those of the next group again */
    bgtz s7, .Lgroup

    lw t0, TS_XESPV_D_STEP_BYTES(a0)
    addi s3, s3, -1
    add s4, s4, t0
    bnez s3, .Lpixel
    lw t0, TS_XESPV_D_STRIDE(a0)
    addi s5, s5, -1
    add s6, s6, t0
    bnez s5, .Lrow
    TS_XESPV_LEAVE
    .size ts_xespv_depthwise_s8, .-ts_xespv_depthwise_s8
