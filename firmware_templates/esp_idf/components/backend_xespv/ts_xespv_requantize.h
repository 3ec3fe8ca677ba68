/* SPDX-License-Identifier: Apache-2.0 */
/* Requantization of 16 sums, a channel each; for the assembler's files only.
 *
 * With x the sum, m its multiplier and s its shift, 1 .. 31, core/quantization.py defines the output as
 * clamp(zero + floor((y + 2^(s - 1) - (y < 0)) / 2^s)), y = floor((x m + 2^30) / 2^31). With M = 2 m, y is the upper word of
 * x M plus the top bit of the lower one. Floors nest: the shift is taken by s - 1, and by one more after 1 and twice the
 * zero point were added. The unit's own shifts are not used, as their rounding is a mode that ESP-IDF does not keep for a task.
 */
#ifndef TS_XESPV_REQUANTIZE_H
#define TS_XESPV_REQUANTIZE_H

#include "ts_xespv_layout.h"

/* One of four sums in q: the place of its factors in a record at s0, s2 twice the zero point plus one. */
#define TS_XESPV_LANE(q, lane, place)                  \
    esp.movi.32.a q, t4, lane;                         \
    lw t0, (TS_XESPV_RECORD_FACTORS + (place))(s0);    \
    mulhsu t1, t4, t0;                                 \
    mul t0, t4, t0;                                    \
    srli t0, t0, 31;                                   \
    lw t2, (TS_XESPV_RECORD_SHIFTS + (place))(s0);     \
    add t4, t1, t0;                                    \
    srai t1, t4, 31;                                   \
    add t4, t4, t1;                                    \
    sra t4, t4, t2;                                    \
    add t4, t4, s2;                                    \
    srai t4, t4, 1;                                    \
    esp.movi.32.q q, t4, lane

#define TS_XESPV_FOUR(q, place)       \
    TS_XESPV_LANE(q, 0, place);       \
    TS_XESPV_LANE(q, 1, (place) + 4); \
    TS_XESPV_LANE(q, 2, (place) + 8); \
    TS_XESPV_LANE(q, 3, (place) + 12); \
    esp.vmax.s32 q, q, q6;            \
    esp.vmin.s32 q, q, q7

/* 16 sums in q0 .. q3 become 16 bytes in q0. q6 and q7 hold the clamps; t0, t1, t2 and t4 are overwritten. */
#define TS_XESPV_SIXTEEN     \
    TS_XESPV_FOUR(q0, 0);    \
    TS_XESPV_FOUR(q1, 16);   \
    TS_XESPV_FOUR(q2, 32);   \
    TS_XESPV_FOUR(q3, 48);   \
    esp.vunzip.16 q0, q1;    \
    esp.vunzip.16 q2, q3;    \
    esp.vunzip.8 q0, q2

/* The clamps of a layer at a0 to q6 and q7, and to s2 what TS_XESPV_LANE adds. */
#define TS_XESPV_CLAMPS              \
    addi t4, a0, TS_XESPV_LOW;       \
    addi t5, a0, TS_XESPV_HIGH;      \
    lw s2, TS_XESPV_OFFSET(a0);      \
    esp.vldbc.32.ip q6, t4, 0;       \
    esp.vldbc.32.ip q7, t5, 0

#endif
