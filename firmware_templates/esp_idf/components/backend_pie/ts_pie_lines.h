/* SPDX-License-Identifier: Apache-2.0 */
/* Up to 16 neighboring bytes at any address; for the assembler's files only. Lines without one of them are not touched. */
#ifndef TS_PIE_LINES_H
#define TS_PIE_LINES_H

/* Bytes from `from` on to v, which then are its first; `from` moves by `last`, to the last of them, and by `on`. other is
 * overwritten. */
#define TS_PIE_GET(v, other, from, last, on) \
    ee.ld.128.usar.xp v, from, last;         \
    ee.vld.128.xp other, from, on;           \
    ee.src.q v, v, other

/* The first `count` bytes of v, 1 .. 16, to `to`, which moves on by as many. line: a register with an address of 16 bytes of
 * scratch, aligned to 16. a and b are overwritten. */
#define TS_PIE_PUT(v, count, to, line, a, b) \
    extui a, to, 0, 4;                       \
    addi b, count, -16;                      \
    or a, a, b;                              \
    bnez a, 97f;                             \
    ee.vst.128.ip v, to, 16;                 \
    j 98f;                                   \
97: mov a, line;                             \
    ee.vst.128.ip v, line, 0;                \
    loop count, 98f;                         \
    l8ui b, a, 0;                            \
    addi a, a, 1;                            \
    s8i b, to, 0;                            \
    addi to, to, 1;                          \
98:

#endif
