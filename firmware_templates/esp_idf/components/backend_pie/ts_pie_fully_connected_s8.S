/* SPDX-License-Identifier: Apache-2.0 */
/* int8 fully connected layer with fused ReLU, any number of inputs and outputs.
 *
 * void ts_pie_fully_connected_s8(const void *layer, const int8_t *input, const void *right, int8_t *output, void *scratch)
 *
 * layer    a block of constants as in ts_pie_layout.h. Sums of products with the bias stay below 2^30 (the packer checks).
 * input    [in_count], any address; lines of 16 bytes that hold a byte of it are read.
 * right    not used.
 * output   [out_count], any address, apart from the input.
 * scratch  TS_PIE_SCRATCH_BYTES, aligned to 16, contents undefined before and after.
 *
 * Six vectors of the input stay in registers while the weights of all outputs stream past them, section after section, in
 * the order in which they lie in flash; the sums wait in memory. Each is requantized as ts_requantize in ts_arithmetic.h does.
 */
#include "ts_pie_layout.h"

#define WEIGHT(to, value, from) ee.vmulas.s8.accx.ld.ip to, a4, 16, value, from
#define WEIGHTS_1 WEIGHT(q6, q0, q6)
#define WEIGHTS_2 WEIGHT(q7, q0, q6); WEIGHT(q6, q1, q7)
#define WEIGHTS_3 WEIGHTS_2; WEIGHT(q6, q2, q6)
#define WEIGHTS_4 WEIGHTS_2; WEIGHT(q7, q2, q6); WEIGHT(q6, q3, q7)
#define WEIGHTS_5 WEIGHTS_4; WEIGHT(q6, q4, q6)
#define WEIGHTS_6 WEIGHTS_4; WEIGHT(q7, q4, q6); WEIGHT(q6, q5, q7)

#define INPUTS_1 ee.vld.128.ip q0, a3, 16
#define INPUTS_2 INPUTS_1; ee.vld.128.ip q1, a3, 16
#define INPUTS_3 INPUTS_2; ee.vld.128.ip q2, a3, 16
#define INPUTS_4 INPUTS_3; ee.vld.128.ip q3, a3, 16
#define INPUTS_5 INPUTS_4; ee.vld.128.ip q4, a3, 16
#define INPUTS_6 INPUTS_5; ee.vld.128.ip q5, a3, 16

/* The sums at a8 go on to a9: at first from where they start, then in place. */
#define SECTION(n)            \
    INPUTS_##n;               \
    loop a7, 1f;              \
    ee.ld.accx.ip a8, 8;      \
    WEIGHTS_##n;              \
    ee.st.accx.ip a9, 8;      \
1:

    .text
    .align 4
    .global ts_pie_fully_connected_s8
    .type ts_pie_fully_connected_s8, @function
ts_pie_fully_connected_s8:
    entry a1, 32
    extui a8, a3, 0, 4
    beqz a8, .Laligned
    l32i a9, a2, TS_PIE_FC_INPUTS    /* an input of odd address is copied */
    l32i a10, a2, TS_PIE_FC_SCRATCH_INPUT
    add a11, a8, a9
    addi a11, a11, 15
    addi a9, a9, 15
    srli a11, a11, 4
    srli a9, a9, 4
    sub a11, a11, a9                 /* lines to read beyond those to write */
    addi a9, a9, -1
    add a10, a10, a6
    mov a8, a10
    ee.ld.128.usar.ip q0, a3, 16
    loopnez a9, 1f
    ee.vld.128.ip q1, a3, 16
    ee.src.q.qup q2, q0, q1
    ee.vst.128.ip q2, a8, 16
1:  beqz a11, 2f
    ee.vld.128.ip q1, a3, 16
2:  ee.src.q q2, q0, q1
    ee.vst.128.ip q2, a8, 16
    mov a3, a10
.Laligned:
    l32i a4, a2, TS_PIE_WEIGHTS
    l32i a8, a2, TS_PIE_FC_STARTS
    l32i a7, a2, TS_PIE_CHANNELS
    l32i a10, a2, TS_PIE_SECTIONS
    l32i a11, a2, TS_PIE_LAST
    add a4, a4, a2
    add a8, a8, a2
    mov a9, a6
    ee.vld.128.ip q6, a4, 16
.Lsection:
    beqz a10, .Llast
    SECTION(6)
    mov a8, a6
    mov a9, a6
    addi a10, a10, -1
    j .Lsection
.Llast:
    bnei a11, 1, 2f
    SECTION(1)
    j .Lsummed
2:
    bnei a11, 2, 2f
    SECTION(2)
    j .Lsummed
2:
    bnei a11, 3, 2f
    SECTION(3)
    j .Lsummed
2:
    bnei a11, 4, 2f
    SECTION(4)
    j .Lsummed
2:
    bnei a11, 5, 2f
    SECTION(5)
    j .Lsummed
2:
    SECTION(6)
.Lsummed:
    l32i a8, a2, TS_PIE_RECORDS
    l32i a9, a2, TS_PIE_FC_OFFSET
    l32i a10, a2, TS_PIE_FC_LOW
    add a8, a8, a2
    loop a7, 1f
    l32i a11, a6, 0                  /* the sum */
    l32i a12, a8, 0                  /* its multiplier */
    addi a6, a6, 8
    mulsh a13, a11, a12
    mull a12, a11, a12
    ssai 31
    src a13, a13, a12
    extui a12, a12, 30, 1
    add a13, a13, a12                /* times the multiplier / 2^31, rounded */
    l32i a12, a8, 4                  /* its shift less one */
    srai a11, a13, 31
    addi a8, a8, 8
    add a13, a13, a11
    ssr a12
    sra a13, a13
    add a13, a13, a9
    srai a13, a13, 1                 /* shifted, rounded away from zero, and the zero point added */
    clamps a13, a13, 7
    max a13, a13, a10
    s8i a13, a5, 0
    addi a5, a5, 1
1:  retw
    .size ts_pie_fully_connected_s8, .-ts_pie_fully_connected_s8
