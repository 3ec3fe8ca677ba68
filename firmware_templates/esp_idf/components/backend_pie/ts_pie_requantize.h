/* SPDX-License-Identifier: Apache-2.0 */
/* Requantization of 16 sums that share a multiplier and a shift; for the assembler's files only.
 *
 * With x the sum, m its multiplier and s its shift, 1 .. 31, core/quantization.py defines the output as
 * clamp(zero + floor((y + 2^(s - 1) - (x < 0)) / 2^s)), y = floor((x m + 2^30) / 2^31). Sums start 2^30 above the bias, so
 * that X = x + 2^30 is positive and both its halves are unsigned: X = 2^16 H + L. With M = 2 m = 2^16 P + Q,
 * y + floor(m / 2) = floor((X M + r) / 2^32), r = 2^31 for an even m and 0 for an odd one. Eight lanes of 40 bits compute
 * this from the low end, shifting by 16 twice: no bit is lost that counts, as floors nest. What is left to add is
 * 2^(s - 1) - 1 - floor(m / 2) + (x >= 0), then a shift by s - 8, the zero point in units of 2^8, and saturation to 16 bits
 * clamps to 8 in the upper byte. A shift below 8 is made up for by doubling with saturation.
 *
 * Factors in a record: 1, Q, P, r / 2^16, 16383, k, -32768, c, zero 2^min(s, 8); -32768 k + c is what is left to add.
 */
#ifndef TS_PIE_REQUANTIZE_H
#define TS_PIE_REQUANTIZE_H

#include "ts_pie_layout.h"

/* Eight lanes, L and H of their sums in registers that are used up; the result goes to L. factors: an address register.
 * q1, q3 and q7 are overwritten, q5 holds ones. sixteen, none, shift: registers with 16, 0 and the record's shift. */
#define TS_PIE_EIGHT(L, H, record, factors, sixteen, none, shift)  \
    addi factors, record, TS_PIE_RECORD_FACTORS + 2;               \
    ee.vldbc.16.ip q1, factors, 2;                                 \
    ee.zero.qacc;                                                  \
    ee.vmulas.u16.qacc.ldbc.incp q3, factors, L, q1;               \
    ee.srcmb.s16.qacc q7, sixteen, 0;                              \
    ee.vmulas.u16.qacc.ldbc.incp q1, factors, H, q1;               \
    ee.vmulas.u16.qacc.ldbc.incp L, factors, L, q3;                \
    ee.vmulas.u16.qacc.ldbc.incp q1, factors, q1, q5;              \
    ee.srcmb.s16.qacc q7, sixteen, 0;                              \
    ee.vmulas.u16.qacc.ldbc.incp q3, factors, H, q3;               \
    ee.vcmp.lt.s16 q7, L, H;                                       \
    ee.vmulas.s16.qacc.ldbc.incp L, factors, q7, q7;               \
    ee.vmulas.s16.qacc.ldbc.incp q1, factors, q1, q3;              \
    ee.vmulas.s16.qacc L, q5;                                      \
    ee.srcmb.s16.qacc q7, shift, 0;                                \
    ee.vmulas.s16.qacc q1, q5;                                     \
    ee.srcmb.s16.qacc L, none, 0

/* 16 sums whose halves are in q0, q2 (the first eight) and q4, q6 become 16 bytes in q4. sixteen and none hold 16 and 0. */
#define TS_PIE_SIXTEEN(record, factors, sixteen, none, shift)           \
    addi factors, record, TS_PIE_RECORD_FACTORS;                        \
    ee.vldbc.16 q5, factors;                                            \
    l8ui shift, record, TS_PIE_RECORD_SHIFT;                            \
    TS_PIE_EIGHT(q0, q2, record, factors, sixteen, none, shift);        \
    TS_PIE_EIGHT(q4, q6, record, factors, sixteen, none, shift);        \
    l8ui shift, record, TS_PIE_RECORD_DOUBLE;                           \
    loopnez shift, 99f;                                                  \
    ee.vadds.s16 q0, q0, q0;                                            \
    ee.vadds.s16 q4, q4, q4;                                            \
99: ee.vunzip.8 q0, q4;                                                 \
    ee.vldbc.8 q1, factors;                                             \
    ee.vmax.s8 q4, q4, q1

/* 16 sums of 64 bits from memory to the halves that TS_PIE_SIXTEEN takes; their upper words do not count. */
#define TS_PIE_HALVES(sums)        \
    ee.vld.128.ip q0, sums, 16;    \
    ee.vld.128.ip q1, sums, 16;    \
    ee.vld.128.ip q2, sums, 16;    \
    ee.vld.128.ip q3, sums, 16;    \
    ee.vld.128.ip q4, sums, 16;    \
    ee.vld.128.ip q5, sums, 16;    \
    ee.vld.128.ip q6, sums, 16;    \
    ee.vld.128.ip q7, sums, 16;    \
    ee.vunzip.32 q0, q1;           \
    ee.vunzip.32 q2, q3;           \
    ee.vunzip.32 q4, q5;           \
    ee.vunzip.32 q6, q7;           \
    ee.vunzip.16 q0, q2;           \
    ee.vunzip.16 q4, q6

#endif
