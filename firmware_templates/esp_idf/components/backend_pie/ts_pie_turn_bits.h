/* SPDX-License-Identifier: Apache-2.0 */
/* Transposing and adding bits in vectors; for the assembler's files only. */
#ifndef TS_PIE_TURN_BITS_H
#define TS_PIE_TURN_BITS_H

/* In every 32-bit lane, the bits of `low` that `mask` << SAR selects change places with those of `high` under the mask. SAR
 * is the distance, other is overwritten. */
#define TS_PIE_SWAP(low, high, mask, other) \
    ee.vsr.32 other, low;                   \
    ee.xorq other, other, high;             \
    ee.andq other, other, mask;             \
    ee.xorq high, high, other;              \
    ee.vsl.32 other, other;                 \
    ee.xorq low, low, other

/* Two stages of a transposition over four vectors in q0 .. q3: the first and third, second and fourth by `far`, then neighbors
 * by `near`. q4 and q5 are the masks. */
#define TS_PIE_SWAP_FOUR(far, near)  \
    ssai far;                        \
    TS_PIE_SWAP(q0, q2, q4, q6);     \
    TS_PIE_SWAP(q1, q3, q4, q7);     \
    ssai near;                       \
    TS_PIE_SWAP(q0, q1, q5, q6);     \
    TS_PIE_SWAP(q2, q3, q5, q7)

/* Masks of distances to a vector: a value of 32 bits by an address register. */
#define TS_PIE_MASK(q, value, a)     \
    movi a, value;                   \
    ee.movi.32.q q, a, 0;            \
    ee.movi.32.q q, a, 1;            \
    ee.movi.32.q q, a, 2;            \
    ee.movi.32.q q, a, 3

/* Four vectors, `bytes` apart from a8 on, through two stages and back; a9 is overwritten. */
#define TS_PIE_FOUR(bytes, far, near)  \
    mov a9, a8;                        \
    ee.vld.128.ip q0, a8, bytes;       \
    ee.vld.128.ip q1, a8, bytes;       \
    ee.vld.128.ip q2, a8, bytes;       \
    ee.vld.128.ip q3, a8, 16 - 3 * (bytes); \
    TS_PIE_SWAP_FOUR(far, near);       \
    ee.vst.128.ip q0, a9, bytes;       \
    ee.vst.128.ip q1, a9, bytes;       \
    ee.vst.128.ip q2, a9, bytes;       \
    ee.vst.128.ip q3, a9, bytes

/* c + y + z: the sum to c, the carry to y; z and t are overwritten. */
#define TS_PIE_ADD_BITS(c, y, z, t) \
    ee.xorq z, z, y;                \
    ee.xorq t, c, y;                \
    ee.xorq c, c, z;                \
    ee.andq t, t, z;                \
    ee.xorq y, y, t

#endif
