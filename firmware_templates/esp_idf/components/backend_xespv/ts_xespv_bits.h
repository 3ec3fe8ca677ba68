/* SPDX-License-Identifier: Apache-2.0 */
/* From bytes to bit planes; for the assembler's files only. */
#ifndef TS_XESPV_BITS_H
#define TS_XESPV_BITS_H

/* The bytes of q, one bit each, become 16 bits of t4, in order; its upper half is undefined. other is overwritten. */
#define TS_XESPV_GATHER(q, other)  \
    esp.vunzip.8 q, other;         \
    esp.orq q, q, other;           \
    esp.vunzip.8 q, other;         \
    esp.orq q, q, other;           \
    esp.vunzip.8 q, other;         \
    esp.orq q, q, other;           \
    esp.movi.32.a q, t4, 0

/* The lower half of t4 to the address in t5, a multiple of 2. Of a word the lower half comes first and sets the upper one to
 * zero. t0 and t4 are overwritten. */
#define TS_XESPV_PUT_BITS          \
    andi t0, t5, 2;                \
    bnez t0, 96f;                  \
    slli t4, t4, 16;               \
    srli t4, t4, 16;               \
    sw t4, 0(t5);                  \
    j 97f;                         \
96: sh t4, 0(t5);                  \
97:

#endif
