/* SPDX-License-Identifier: Apache-2.0 */
/* int8 mean over height and width with fused ReLU, halves rounded away from zero; any channel count.
 *
 * void ts_xespv_average_s8(const void *layer, const int8_t *input, const void *right, int8_t *output, void *scratch)
 *
 * layer    a block of constants as in ts_xespv_layout.h.
 * input    [pixels][channels], any address; lines of 16 bytes that hold a byte of it are read. Fewer than 2^24 pixels.
 * right    not used.
 * output   [channels], any address, apart from the input.
 * scratch  64 bytes, aligned to 16, contents undefined before and after.
 *
 * 16 channels side by side; the core divides their sums one after the other.
 */
#include "ts_xespv_lines.h"
#include "ts_xespv_layout.h"

/* A lane of the sums in q, divided. s5: pixels, s6: half of them. */
#define LANE(q, lane)           \
    esp.movi.32.a q, t4, lane;  \
    srai t1, t4, 31;            \
    sub t4, t4, t1;             \
    xor t1, t1, s6;             \
    add t4, t4, t1;             \
    div t4, t4, s5;             \
    esp.movi.32.q q, t4, lane
#define FOUR(q)                 \
    LANE(q, 0);                 \
    LANE(q, 1);                 \
    LANE(q, 2);                 \
    LANE(q, 3);                 \
    esp.vmax.s32 q, q, q6

    .text
    .balign 4
    .global ts_xespv_average_s8
    .type ts_xespv_average_s8, @function
ts_xespv_average_s8:
    TS_XESPV_ENTER
    addi t4, a0, TS_XESPV_LOW
    addi t5, a0, TS_XESPV_V_ONE
    esp.vldbc.32.ip q6, t4, 0        /* q6: lower clamp */
    esp.vldbc.8.ip q7, t5, 0         /* q7: ones */
    lw s5, TS_XESPV_V_PIXELS(a0)
    lw s6, TS_XESPV_V_HALF(a0)
    lw a6, TS_XESPV_CHANNELS(a0)
    mv s7, a6                        /* s7: channels that are left */
    mv s3, a1                        /* s3: their first */
.Lchannels:
    li s2, 16
    bgeu s7, s2, 1f
    mv s2, s7                        /* s2: those that are done together */
1:  addi s9, s2, -1                  /* s9: bytes to the last of them */
    mv a1, s3
    mv t1, s5
    esp.zero.qacc
1:  TS_XESPV_GET(q0, q1, s9)
    addi t1, t1, -1
    add a1, a1, a6
    esp.vmulas.s8.qacc q0, q7
    bnez t1, 1b
    mv t4, a4
    TS_XESPV_SUMS
    FOUR(q0)
    FOUR(q1)
    FOUR(q2)
    FOUR(q3)
    esp.vunzip.16 q0, q1
    esp.vunzip.16 q2, q3
    esp.vunzip.8 q0, q2
    mv t0, s2
    TS_XESPV_PUT(q0)
    add s3, s3, s2
    sub s7, s7, s2
    bnez s7, .Lchannels
    TS_XESPV_LEAVE
    .size ts_xespv_average_s8, .-ts_xespv_average_s8
