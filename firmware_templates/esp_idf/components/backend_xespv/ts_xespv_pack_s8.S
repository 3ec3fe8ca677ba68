/* SPDX-License-Identifier: Apache-2.0 */
/* int8 to bit planes, any channel count: the level of a value is the number of thresholds that it reaches.
 *
 * void ts_xespv_pack_s8(const void *layer, const int8_t *input, const void *right, uint32_t *output, void *scratch)
 *
 * layer    a block of constants as in ts_xespv_layout.h.
 * input    [pixels][channels], any address; lines of 16 bytes that hold a byte of it are read.
 * right    not used.
 * output   bit planes [pixels][bits][words], aligned to 4, unused bits zero. Apart from the input.
 * scratch  not used.
 *
 * 16 channels at a time. Bit b of a level is set where an odd number of every 2^b-th threshold is reached: comparisons with these
 * are combined by exclusive or, then bytes of all ones are cut down to a bit each and gathered by halves.
 */
#include "ts_xespv_bits.h"
#include "ts_xespv_layout.h"
#include "ts_xespv_lines.h"

    .text
    .balign 4
    .global ts_xespv_pack_s8
    .type ts_xespv_pack_s8, @function
ts_xespv_pack_s8:
    TS_XESPV_ENTER
    lw s1, TS_XESPV_K_CHANNEL_BITS(a0) /* s1: the bit of each channel */
    lw s3, TS_XESPV_K_PLANES(a0)     /* s3: what makes the first plane */
    lw s4, TS_XESPV_K_PLANE_BYTES(a0) /* s4: from plane to plane */
    lw s5, TS_XESPV_K_PIXELS(a0)     /* s5: that are left */
    add s1, s1, a0
    add s3, s3, a0
    esp.vld.128.ip q7, s1, 16        /* q7: of all 16, q6: of the last ones */
    esp.vld.128.ip q6, s1, 0
.Lpixel:
    lw s7, TS_XESPV_CHANNELS(a0)     /* s7: channels that are left */
    mv s6, a3                        /* s6: first byte of the pixel */
.Lgroup:
    li s2, 16
    esp.orq q5, q7, q7
    bgeu s7, s2, 1f
    mv s2, s7                        /* s2: those that are done together */
    esp.orq q5, q6, q6
1:  addi s9, s2, -1
    TS_XESPV_GET(q0, q1, s9)
    lw t2, TS_XESPV_K_BITS(a0)       /* t2: planes that are left, t5: where its bits go, t6: what makes it */
    mv t5, a3
    mv t6, s3
.Lplane:
    lw t0, TS_XESPV_K_COUNT(t6)
    addi t4, t6, TS_XESPV_K_START
    esp.vld.128.ip q2, t4, 16
    beqz t0, 2f
1:  esp.vldbc.8.ip q1, t4, 1
    addi t0, t0, -1
    esp.vcmp.gt.s8 q1, q0, q1
    esp.xorq q2, q2, q1
    bnez t0, 1b
2:  esp.andq q2, q2, q5
    TS_XESPV_GATHER(q2, q1)
    TS_XESPV_PUT_BITS
    addi t2, t2, -1
    add t5, t5, s4
    addi t6, t6, TS_XESPV_K_PLANE_ENTRY
    bnez t2, .Lplane
    sub s7, s7, s2
    add a1, a1, s2
    addi a3, a3, 2
    bnez s7, .Lgroup
    lw t0, TS_XESPV_K_PIXEL_BYTES(a0)
    addi s5, s5, -1
    add a3, s6, t0
    bnez s5, .Lpixel
    TS_XESPV_LEAVE
    .size ts_xespv_pack_s8, .-ts_xespv_pack_s8
