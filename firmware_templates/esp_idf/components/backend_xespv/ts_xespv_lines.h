/* SPDX-License-Identifier: Apache-2.0 */
/* What all kernels do: registers that are kept, and bytes at any address; for the assembler's files only.
 *
 * Vectors are loaded from and stored to multiples of 16 only, so that the unit's mode for other addresses, which ESP-IDF does
 * not keep for a task, does not matter. The core must not read what the unit stored without a fence between (seen on
 * revision 1 by others), so kernels begin and end with one. */
#ifndef TS_XESPV_LINES_H
#define TS_XESPV_LINES_H

#define TS_XESPV_ENTER  \
    addi sp, sp, -48;   \
    sw s0, 0(sp);       \
    sw s1, 4(sp);       \
    sw s2, 8(sp);       \
    sw s3, 12(sp);      \
    sw s4, 16(sp);      \
    sw s5, 20(sp);      \
    sw s6, 24(sp);      \
    sw s7, 28(sp);      \
    sw s8, 32(sp);      \
    sw s9, 36(sp);      \
    sw s10, 40(sp);     \
    sw s11, 44(sp);     \
    fence

#define TS_XESPV_LEAVE  \
    fence;              \
    lw s0, 0(sp);       \
    lw s1, 4(sp);       \
    lw s2, 8(sp);       \
    lw s3, 12(sp);      \
    lw s4, 16(sp);      \
    lw s5, 20(sp);      \
    lw s6, 24(sp);      \
    lw s7, 28(sp);      \
    lw s8, 32(sp);      \
    lw s9, 36(sp);      \
    lw s10, 40(sp);     \
    lw s11, 44(sp);     \
    addi sp, sp, 48;    \
    ret

/* A byte of the word in t4, while some of t0 are left. */
#define TS_XESPV_BYTE   \
    sb t4, 0(a3);       \
    addi t0, t0, -1;    \
    addi a3, a3, 1;     \
    beqz t0, 99f;       \
    srli t4, t4, 8

#define TS_XESPV_WORD(q, lane)   \
    esp.movi.32.a q, t4, lane;   \
    TS_XESPV_BYTE;               \
    TS_XESPV_BYTE;               \
    TS_XESPV_BYTE;               \
    TS_XESPV_BYTE

/* The first t0 bytes of q, 1 .. 16, to the address in a3, which moves on by as many; t0, t1 and t4 are overwritten. */
#define TS_XESPV_PUT(q)           \
    addi t1, t0, -16;             \
    or t1, t1, a3;                \
    andi t1, t1, 15;              \
    bnez t1, 98f;                 \
    esp.vst.128.ip q, a3, 16;     \
    j 99f;                        \
98: TS_XESPV_WORD(q, 0);          \
    TS_XESPV_WORD(q, 1);          \
    TS_XESPV_WORD(q, 2);          \
    TS_XESPV_WORD(q, 3);          \
99:

/* t1 bytes at any address in t3 to lines from t4 on, s7 of them, but for the last one, which is left in q2. Lines of the source
 * that hold none of the bytes are not touched. t3 moves behind the lines that were read, t4 to the place of the last one; q0, q1, t1, t5
 * and s7 are overwritten. */
#define TS_XESPV_COPY             \
    andi t5, t3, 15;              \
    esp.movx.w.sar.bytes t5;      \
    add t1, t1, t5;               \
    sub t3, t3, t5;               \
    addi t1, t1, 15;              \
    srli t1, t1, 4;               \
    sub t1, t1, s7;               \
    addi s7, s7, -1;              \
    esp.vld.128.ip q0, t3, 16;    \
    beqz s7, 92f;                 \
91: esp.vld.128.ip q1, t3, 16;    \
    esp.src.q.qup q2, q0, q1;     \
    esp.vst.128.ip q2, t4, 16;    \
    addi s7, s7, -1;              \
    bnez s7, 91b;                 \
92: beqz t1, 93f;                 \
    esp.vld.128.ip q1, t3, 16;    \
93: esp.src.q q2, q0, q1

/* Up to 16 neighboring bytes from a1 on, at any address, to v, which then are its first; `last` bytes from the first to the last.
 * Lines without one of them are not touched; other, t3, t4 and t5 are overwritten. */
#define TS_XESPV_GET(v, other, last) \
    andi t5, a1, 15;                 \
    add t4, a1, last;                \
    sub t3, a1, t5;                  \
    andi t4, t4, -16;                \
    esp.movx.w.sar.bytes t5;         \
    esp.vld.128.ip v, t3, 0;         \
    esp.vld.128.ip other, t4, 0;     \
    esp.src.q v, v, other

/* The accumulators start at the 16 words from t4 on; t4 moves behind them. */
#define TS_XESPV_STARTS              \
    esp.ld.qacc.l.l.128.ip t4, 16;   \
    esp.ld.qacc.l.h.128.ip t4, 16;   \
    esp.ld.qacc.h.l.128.ip t4, 16;   \
    esp.ld.qacc.h.h.128.ip t4, 16

/* What the accumulators have summed to q0 .. q3, by way of the 64 bytes from t4 on; t4 moves behind them. */
#define TS_XESPV_SUMS                \
    esp.st.qacc.l.l.128.ip t4, 16;   \
    esp.st.qacc.l.h.128.ip t4, 16;   \
    esp.st.qacc.h.l.128.ip t4, 16;   \
    esp.st.qacc.h.h.128.ip t4, -48;  \
    esp.vld.128.ip q0, t4, 16;       \
    esp.vld.128.ip q1, t4, 16;       \
    esp.vld.128.ip q2, t4, 16;       \
    esp.vld.128.ip q3, t4, 16

#endif
