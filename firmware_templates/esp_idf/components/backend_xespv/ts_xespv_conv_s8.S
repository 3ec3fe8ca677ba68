/* SPDX-License-Identifier: Apache-2.0 */
/* int8 convolution with fused max pool and ReLU, any square kernel, stride, padding and channel count; a fully connected layer
 * is one of a single pixel.
 *
 * void ts_xespv_conv_s8(const void *layer, const int8_t *input, const void *right, int8_t *output, void *scratch)
 *
 * layer    a block of constants as in ts_xespv_layout.h. Sums of products with the bias fit 32 bits (the packer checks).
 * input    [in_height][in_width][in_channels], any address; lines of 16 bytes that hold a byte of it are read.
 * right    not used.
 * output   [out_height][out_width][out_channels], any address, apart from the input.
 * scratch  TS_XESPV_SCRATCH_BYTES, aligned to 16, contents undefined before and after.
 *
 * 16 output channels side by side, in the 16 accumulators of 32 bits: one instruction multiplies their weights with one value
 * of the input and loads the weights of the value after the next. The rows of the input under a row of the output are copied
 * with their padding, each starting at a multiple of 16. Of a pool the largest sums are kept, and requantized once: multipliers
 * are not negative. A 1x1 convolution whose pixels are whole vectors reads the input itself.
 */
#include "ts_xespv_lines.h"
#include "ts_xespv_requantize.h"

/* Values `first` .. first + 3 of an input in q, times weights that take turns. */
#define MULTIPLY_4(q, first)                                      \
    esp.vsmulas.s8.qacc.ld.incp q0, a5, q0, q, first;             \
    esp.vsmulas.s8.qacc.ld.incp q1, a5, q1, q, (first) + 1;       \
    esp.vsmulas.s8.qacc.ld.incp q0, a5, q0, q, (first) + 2;       \
    esp.vsmulas.s8.qacc.ld.incp q1, a5, q1, q, (first) + 3
#define MULTIPLY_16(q) MULTIPLY_4(q, 0); MULTIPLY_4(q, 4); MULTIPLY_4(q, 8); MULTIPLY_4(q, 12)

/* The first a7 fours of values in q, 1 .. 3. */
#define MULTIPLY_REST(q)        \
    li t0, 2;                   \
    MULTIPLY_4(q, 0);           \
    bltu a7, t0, .Lwindow_next; \
    MULTIPLY_4(q, 4);           \
    beq a7, t0, .Lwindow_next;  \
    MULTIPLY_4(q, 8)

    .text
    .balign 4
    .global ts_xespv_conv_s8
    .type ts_xespv_conv_s8, @function
ts_xespv_conv_s8:
    TS_XESPV_ENTER
    mv s1, a3                       /* s1: first byte of the output of this part */
.Lpart:                             /* of the output channels */
    TS_XESPV_CLAMPS
    lw t5, TS_XESPV_PADDING(a0)
    lw a6, TS_XESPV_FULL(a0)        /* a6, a7: of a row of a window */
    lw a7, TS_XESPV_REST(a0)
    add t5, t5, a0
    esp.vld.128.ip q5, t5, 0        /* q5: padding */
    mv a3, s1                       /* a3: where the next output goes */
    lw t0, TS_XESPV_DIRECT(a0)
    andi t1, a1, 15
    li s5, 1                        /* s5: rows of the output that are left, s4: outputs of the row */
    lw s4, TS_XESPV_PIXELS(a0)
    mv s3, a1                       /* s3: first window of an output */
    beqz t0, .Lrows
    beqz t1, .Lpixel

.Lrows:                             /* fill the rows, once, with padding */
    lw t0, TS_XESPV_ROWS(a0)
    lw t1, TS_XESPV_ROW_STRIDE(a0)
    lw s5, TS_XESPV_OUT_HEIGHT(a0)
    lw s6, TS_XESPV_FIRST_ROW(a0)   /* s6: input row of the first window */
    addi s9, a4, TS_XESPV_ROW
    mul t0, t0, t1
    srli t0, t0, 4
1:  esp.vst.128.ip q5, s9, 16
    addi t0, t0, -1
    bnez t0, 1b

.Lrow:                              /* of the output; first the rows of the input under it */
    lw t2, TS_XESPV_ROWS(a0)        /* t2: that are left */
    mv t0, s6                       /* t0: the row */
    addi s9, a4, TS_XESPV_ROW       /* s9: where it goes */
.Lcopy:
    lw t1, TS_XESPV_IN_HEIGHT(a0)
    bltu t0, t1, .Linside
    lw t1, TS_XESPV_ROW_STRIDE(a0)
    mv t4, s9
    srli t1, t1, 4
1:  esp.vst.128.ip q5, t4, 16
    addi t1, t1, -1
    bnez t1, 1b
    j .Lcopied
.Linside:
    lw t1, TS_XESPV_IN_ROW_BYTES(a0)
    lw t4, TS_XESPV_ROW_DATA(a0)
    lw s7, TS_XESPV_ROW_LINES(a0)
    mul t3, t0, t1
    add t4, t4, s9                  /* t4: to */
    add t3, t3, a1                  /* t3: from */
    TS_XESPV_COPY
    lw t5, TS_XESPV_TAIL(a0)
    add t5, t5, a0
    esp.vld.128.ip q0, t5, 16
    esp.vld.128.ip q1, t5, 0
    esp.andq q2, q2, q0
    esp.orq q2, q2, q1
    esp.vst.128.ip q2, t4, 16
.Lcopied:
    lw t1, TS_XESPV_ROW_STRIDE(a0)
    addi t2, t2, -1
    addi t0, t0, 1
    add s9, s9, t1
    bnez t2, .Lcopy
    lw s3, TS_XESPV_ROW_FIRST(a0)   /* now its outputs */
    lw s4, TS_XESPV_OUT_WIDTH(a0)
    add s3, s3, a4
    addi s3, s3, TS_XESPV_ROW

.Lpixel:
    lw s8, TS_XESPV_WEIGHTS(a0)     /* s8: weights of the group, s0: its record, s7: channels that are left */
    lw s0, TS_XESPV_RECORDS(a0)
    lw s7, TS_XESPV_CHANNELS(a0)
    add s8, s8, a0
    add s0, s0, a0
.Lgroup:
    lw s10, TS_XESPV_POOL(a0)       /* s10: rows of the pool that are left, */
    mv s11, s3                      /* s11: their first window, */
.Lpool_row:
    lw s9, TS_XESPV_POOL(a0)        /* s9: windows of the row that are left, */
    mv t6, s11                      /* t6: the window */
.Lwindow:
    mv t4, s0
    mv a5, s8                       /* a5: weights, read two vectors ahead */
    TS_XESPV_STARTS
    esp.vld.128.ip q0, a5, 16
    esp.vld.128.ip q1, a5, 16
    lw t2, TS_XESPV_KERNEL(a0)      /* t2: rows of the window that are left, a2: this one */
    mv a2, t6
.Lwindow_row:
    andi t5, a2, 15
    mv t3, a2
    mv t0, a6
    bnez t5, .Lodd
    beqz t0, 2f
1:  esp.vld.128.ip q4, t3, 16
    MULTIPLY_16(q4)
    addi t0, t0, -1
    bnez t0, 1b
2:  beqz a7, .Lwindow_next
    esp.vld.128.ip q4, t3, 16
    MULTIPLY_REST(q4)
    j .Lwindow_next
.Lodd:
    esp.movx.w.sar.bytes t5
    sub t3, t3, t5
    esp.vld.128.ip q4, t3, 16
    beqz t0, 2f
1:  esp.vld.128.ip q2, t3, 16
    esp.src.q.qup q3, q4, q2
    MULTIPLY_16(q3)
    addi t0, t0, -1
    bnez t0, 1b
2:  beqz a7, .Lwindow_next
    esp.vld.128.ip q2, t3, 16
    esp.src.q q3, q4, q2
    MULTIPLY_REST(q3)
.Lwindow_next:
    lw t1, TS_XESPV_ROW_STRIDE(a0)
    addi t2, t2, -1
    add a2, a2, t1
    bnez t2, .Lwindow_row

    addi t4, a4, TS_XESPV_NOW
    lw t0, TS_XESPV_POOL(a0)
    li t1, 1
    TS_XESPV_SUMS
    beq t0, t1, .Lsummed
    addi t4, a4, TS_XESPV_LARGEST
    bne s9, t0, 1f
    beq s10, t0, 2f                 /* the first of a pool */
1:  esp.vld.128.ip q4, t4, 16
    esp.vmax.s32 q0, q0, q4
    esp.vld.128.ip q4, t4, 16
    esp.vmax.s32 q1, q1, q4
    esp.vld.128.ip q4, t4, 16
    esp.vmax.s32 q2, q2, q4
    esp.vld.128.ip q4, t4, -48
    esp.vmax.s32 q3, q3, q4
2:  esp.vst.128.ip q0, t4, 16
    esp.vst.128.ip q1, t4, 16
    esp.vst.128.ip q2, t4, 16
    esp.vst.128.ip q3, t4, 16
    lw t1, TS_XESPV_WINDOW_BYTES(a0)
    addi s9, s9, -1
    add t6, t6, t1
    bnez s9, .Lwindow
    lw t1, TS_XESPV_DOWN_BYTES(a0)
    addi s10, s10, -1
    add s11, s11, t1
    bnez s10, .Lpool_row
.Lsummed:
    TS_XESPV_SIXTEEN
    li t0, 16
    bgeu s7, t0, 1f
    mv t0, s7
1:  TS_XESPV_PUT(q0)
    lw t1, TS_XESPV_GROUP_BYTES(a0)
    addi s0, s0, TS_XESPV_RECORD_BYTES
    addi s7, s7, -16
    add s8, s8, t1
    bgtz s7, .Lgroup

    lw t0, TS_XESPV_OUT_PIXEL_BYTES(a0)
    lw t1, TS_XESPV_CHANNELS(a0)
    lw t2, TS_XESPV_PIXEL_BYTES(a0)
    sub t0, t0, t1
    addi s4, s4, -1
    add a3, a3, t0
    add s3, s3, t2
    bnez s4, .Lpixel
    lw t0, TS_XESPV_NEXT_ROW(a0)
    addi s5, s5, -1
    add s6, s6, t0
    bnez s5, .Lrow
    lw t0, TS_XESPV_NEXT_PART(a0)
    lw t1, TS_XESPV_CHANNELS(a0)
    add s1, s1, t1
    add a0, a0, t0
    bnez t0, .Lpart
    TS_XESPV_LEAVE
    .size ts_xespv_conv_s8, .-ts_xespv_conv_s8
