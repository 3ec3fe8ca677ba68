/* SPDX-License-Identifier: Apache-2.0 */
/* Registers and instructions of the vector units of ESP32-S3 and ESP32-P4 for C text that translate.py writes from .S files.
 *
 * Semantics of the former follow "Processor Instruction Extensions (PIE)" of the ESP32-S3 Technical Reference Manual, version 1.7. Where
 * Espressif's emulator (QEMU 9.2) differs, the manual stands: EE.LD.ACCX.IP takes 40 bits with their sign, EE.SRS.ACCX
 * saturates to 32 bits, ACCX's lower bound is -2^39. riscv.py says what those of the latter follow: same registers, other accumulators.
 *
 * An address has the number of a segment in its upper four bits, and the low four bits of the host's address in its own. A
 * read of a 16-byte line needs one byte of it to exist, bytes outside read as 0xA5; everything else must be whole and aligned.
 */
#ifndef PIE_MODEL_H
#define PIE_MODEL_H

#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 1 for sources of others that load words from odd addresses, which the core does. */
#ifndef PIE_UNALIGNED
#define PIE_UNALIGNED 0
#endif

typedef union {
    int8_t s8[16];
    uint8_t u8[16];
    int16_t s16[8];
    uint16_t u16[8];
    int32_t s32[4];
    uint32_t u32[4];
    uint64_t u64[2];
} pie_vector;

enum { PIE_SEGMENTS = 16, PIE_SEGMENT_BITS = 28, PIE_LINE = 16, PIE_STACK_SEGMENT = 15, PIE_STACK_BYTES = 4096 };

typedef struct {
    uint8_t *host;       /* of offset 0, a multiple of 16 */
    uint32_t first, end; /* offsets that exist: first .. end - 1 */
    int writable;
} pie_segment;

static pie_segment pie_segments[PIE_SEGMENTS];
static uint64_t pie_instructions;
static pie_vector pie_q[8];
static int64_t pie_accx;
static int64_t pie_wide[8];   /* QACC as 40-bit lanes, L before H, where pie_is_wide */
static int32_t pie_narrow[16]; /* QACC as 20-bit lanes */
static int pie_is_wide;
static int32_t pie_words[16]; /* QACC of the ESP32-P4: 16 lanes of 32 bits, four in each of L.L, L.H, H.L, H.H */
static uint32_t pie_sar, pie_sar_byte;

static jmp_buf pie_escape;
static char pie_message[200]; /* of the last fault */

/* A rule that a kernel broke ends the run of the kernel. */
static void pie_fault(const char *rule, uint32_t address)
{
    snprintf(pie_message, sizeof pie_message, "%s; got 0x%08x", rule, (unsigned)address);
    longjmp(pie_escape, 1);
}

static uint8_t *pie_at(uint32_t address, uint32_t bytes, int write)
{
    const pie_segment *segment = &pie_segments[address >> PIE_SEGMENT_BITS];
    const uint32_t offset = address & ((1u << PIE_SEGMENT_BITS) - 1);
    if (offset < segment->first || offset + bytes > segment->end)
        pie_fault(write ? "a write must lie in a buffer" : "a read must lie in a buffer", address);
    if (write && !segment->writable)
        pie_fault("a write must not go to constants or inputs", address);
    return segment->host + offset;
}

static uint8_t *pie_word(uint32_t address, uint32_t bytes, int write)
{
    if ((address & (bytes - 1)) && !PIE_UNALIGNED)
        pie_fault("a load or store of the core must be aligned", address);
    return pie_at(address, bytes, write);
}

static uint32_t pie_load8u(uint32_t address) { return *pie_at(address, 1, 0); }
static uint32_t pie_load16u(uint32_t address)
{
    uint16_t value;
    memcpy(&value, pie_word(address, 2, 0), 2);
    return value;
}
static uint32_t pie_load16s(uint32_t address) { return (uint32_t)(int16_t)pie_load16u(address); }
static uint32_t pie_load32(uint32_t address)
{
    uint32_t value;
    memcpy(&value, pie_word(address, 4, 0), 4);
    return value;
}
static void pie_store8(uint32_t address, uint32_t value) { *pie_at(address, 1, 1) = (uint8_t)value; }
static void pie_store16(uint32_t address, uint32_t value)
{
    const uint16_t half = (uint16_t)value;
    memcpy(pie_word(address, 2, 1), &half, 2);
}
static void pie_store32(uint32_t address, uint32_t value) { memcpy(pie_word(address, 4, 1), &value, 4); }

static pie_vector pie_load_line(uint32_t address)
{
    pie_vector value;
    const uint32_t line = address & ~(uint32_t)(PIE_LINE - 1), offset = line & ((1u << PIE_SEGMENT_BITS) - 1);
    const pie_segment *segment = &pie_segments[line >> PIE_SEGMENT_BITS];
    if (offset >= segment->first && offset + PIE_LINE <= segment->end) {
        memcpy(&value, segment->host + offset, PIE_LINE);
        return value;
    }
    if (offset >= segment->end || offset + PIE_LINE <= segment->first)
        pie_fault("a line that is read must hold a byte of a buffer", address);
    for (uint32_t i = 0; i < PIE_LINE; ++i)
        value.u8[i] = offset + i >= segment->first && offset + i < segment->end ? segment->host[offset + i] : 0xA5;
    return value;
}

/* Low bits are dropped by the unit; a store that relies on it is taken for a fault of the kernel. */
static void pie_store_line(uint32_t address, pie_vector value)
{
    memcpy(pie_word(address, PIE_LINE, 1), &value, PIE_LINE);
}
static void pie_store_half(uint32_t address, uint64_t value) { memcpy(pie_word(address, 8, 1), &value, 8); }
static uint64_t pie_load_half(uint32_t address)
{
    uint64_t value;
    memcpy(&value, pie_at(address & ~7u, 8, 0), 8);
    return value;
}

static int64_t pie_clamp(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}
static int64_t pie_sign40(uint64_t value) { return (int64_t)(value << 24) >> 24; }
static int32_t pie_sign20(uint32_t value) { return (int32_t)(value << 12) >> 12; }

#define PIE_HIGH40 ((INT64_C(1) << 39) - 1)
#define PIE_MASK40 ((UINT64_C(1) << 40) - 1)

static void pie_use_wide(void)
{
    if (!pie_is_wide)
        for (int lane = 0; lane < 8; ++lane)
            pie_wide[lane] = pie_sign40(((uint64_t)(uint32_t)pie_narrow[2 * lane] & 0xFFFFF) |
                                        ((uint64_t)(uint32_t)pie_narrow[2 * lane + 1] & 0xFFFFF) << 20);
    pie_is_wide = 1;
}

static void pie_use_narrow(void)
{
    if (pie_is_wide)
        for (int lane = 0; lane < 8; ++lane) {
            pie_narrow[2 * lane] = pie_sign20((uint32_t)pie_wide[lane]);
            pie_narrow[2 * lane + 1] = pie_sign20((uint32_t)((uint64_t)pie_wide[lane] >> 20));
        }
    pie_is_wide = 0;
}

/* The 20 bytes of QACC_L (half 0) or QACC_H (half 1). */
static void pie_qacc_bytes(int half, uint8_t *bytes)
{
    pie_use_wide();
    for (int lane = 0; lane < 4; ++lane)
        for (int byte = 0; byte < 5; ++byte)
            bytes[5 * lane + byte] = (uint8_t)((uint64_t)pie_wide[4 * half + lane] >> 8 * byte);
}

static void pie_set_qacc_bytes(int half, const uint8_t *bytes)
{
    for (int lane = 0; lane < 4; ++lane) {
        uint64_t value = 0;
        for (int byte = 0; byte < 5; ++byte)
            value |= (uint64_t)bytes[5 * lane + byte] << 8 * byte;
        pie_wide[4 * half + lane] = pie_sign40(value);
    }
}

static void pie_store_qacc(uint32_t address, int half, int upper)
{
    uint8_t bytes[20];
    pie_qacc_bytes(half, bytes);
    memcpy(pie_word(address, upper ? 4 : 16, 1), bytes + (upper ? 16 : 0), upper ? 4 : 16);
}

static void pie_load_qacc(uint32_t address, int half, int upper)
{
    uint8_t bytes[20];
    pie_qacc_bytes(half, bytes);
    memcpy(bytes + (upper ? 16 : 0), pie_word(address, upper ? 4 : 16, 0), upper ? 4 : 16);
    pie_set_qacc_bytes(half, bytes);
}

static void pie_vmulas_s8_accx(pie_vector x, pie_vector y)
{
    int64_t sum = pie_accx;
    for (int i = 0; i < 16; ++i)
        sum += (int32_t)x.s8[i] * y.s8[i];
    pie_accx = pie_clamp(sum, -PIE_HIGH40 - 1, PIE_HIGH40);
}

static void pie_vmulas_s16_accx(pie_vector x, pie_vector y)
{
    int64_t sum = pie_accx;
    for (int i = 0; i < 8; ++i)
        sum += (int64_t)x.s16[i] * y.s16[i];
    pie_accx = pie_clamp(sum, -PIE_HIGH40 - 1, PIE_HIGH40);
}

static void pie_vmulas_s8_qacc(pie_vector x, pie_vector y)
{
    pie_use_narrow();
    for (int i = 0; i < 16; ++i)
        pie_narrow[i] = (int32_t)pie_clamp((int64_t)pie_narrow[i] + x.s8[i] * y.s8[i], -(1 << 19), (1 << 19) - 1);
}

static void pie_vmulas_s16_qacc(pie_vector x, pie_vector y)
{
    pie_use_wide();
    for (int i = 0; i < 8; ++i)
        pie_wide[i] = pie_clamp(pie_wide[i] + (int64_t)x.s16[i] * y.s16[i], -PIE_HIGH40 - 1, PIE_HIGH40);
}

/* Lanes are unsigned here: 0 .. 2^40 - 1. */
static void pie_vmulas_u16_qacc(pie_vector x, pie_vector y)
{
    pie_use_wide();
    for (int i = 0; i < 8; ++i) {
        const uint64_t sum = ((uint64_t)pie_wide[i] & PIE_MASK40) + (uint64_t)x.u16[i] * y.u16[i];
        pie_wide[i] = pie_sign40(sum > PIE_MASK40 ? PIE_MASK40 : sum);
    }
}

static pie_vector pie_broadcast8(uint32_t value)
{
    pie_vector result;
    memset(&result, (int)(value & 255), PIE_LINE);
    return result;
}
static pie_vector pie_broadcast16(uint32_t value)
{
    pie_vector result;
    for (int i = 0; i < 8; ++i)
        result.u16[i] = (uint16_t)value;
    return result;
}
static pie_vector pie_broadcast32(uint32_t value)
{
    pie_vector result;
    for (int i = 0; i < 4; ++i)
        result.u32[i] = value;
    return result;
}

static pie_vector pie_srcmb_s8(uint32_t shift)
{
    pie_vector result;
    pie_use_narrow();
    for (int i = 0; i < 16; ++i) {
        pie_narrow[i] >>= shift & 31;
        result.s8[i] = (int8_t)pie_clamp(pie_narrow[i], -128, 127);
    }
    return result;
}

static pie_vector pie_srcmb_s16(uint32_t shift)
{
    pie_vector result;
    pie_use_wide();
    for (int i = 0; i < 8; ++i) {
        pie_wide[i] >>= shift & 63;
        result.s16[i] = (int16_t)pie_clamp(pie_wide[i], -32768, 32767);
    }
    return result;
}

static uint32_t pie_srs_accx(uint32_t shift)
{
    pie_accx >>= shift & 63;
    return (uint32_t)pie_clamp(pie_accx, INT32_MIN, INT32_MAX);
}

/* {high, low} >> bytes. */
static pie_vector pie_funnel(pie_vector low, pie_vector high, uint32_t bytes)
{
    uint8_t both[32];
    pie_vector result;
    memcpy(both, &low, 16);
    memcpy(both + 16, &high, 16);
    memcpy(&result, both + (bytes & 15), 16);
    return result;
}

static void pie_zip(pie_vector *low, pie_vector *high, int bytes)
{
    uint8_t out[32];
    for (int i = 0; i < 16 / bytes; ++i) {
        memcpy(out + 2 * i * bytes, low->u8 + i * bytes, (size_t)bytes);
        memcpy(out + (2 * i + 1) * bytes, high->u8 + i * bytes, (size_t)bytes);
    }
    memcpy(low, out, 16);
    memcpy(high, out + 16, 16);
}

static void pie_unzip(pie_vector *low, pie_vector *high, int bytes)
{
    uint8_t in[32], out[32];
    memcpy(in, low, 16);
    memcpy(in + 16, high, 16);
    for (int i = 0; i < 16 / bytes; ++i) {
        memcpy(out + i * bytes, in + 2 * i * bytes, (size_t)bytes);
        memcpy(out + 16 + i * bytes, in + (2 * i + 1) * bytes, (size_t)bytes);
    }
    memcpy(low, out, 16);
    memcpy(high, out + 16, 16);
}

#define PIE_BITWISE(name, expression)                              \
    static pie_vector pie_##name(pie_vector x, pie_vector y) \
    {                                                              \
        pie_vector result;                                         \
        for (int i = 0; i < 2; ++i)                                \
            result.u64[i] = expression;                            \
        return result;                                             \
    }
PIE_BITWISE(and, x.u64[i] & y.u64[i])
PIE_BITWISE(or, x.u64[i] | y.u64[i])
PIE_BITWISE(xor, x.u64[i] ^ y.u64[i])
PIE_BITWISE(not, ((void)y, ~x.u64[i]))

#define PIE_LANES(name, lane, count, expression)                    \
    static pie_vector pie_##name(pie_vector x, pie_vector y) \
    {                                                               \
        pie_vector result;                                          \
        for (int i = 0; i < (count); ++i) {                         \
            const int64_t a = x.lane[i], b = y.lane[i];             \
            result.lane[i] = (expression);                          \
        }                                                           \
        return result;                                              \
    }
#define PIE_ALL_LANES(bits, count)                                                                                    \
    PIE_LANES(vadds_s##bits, s##bits, count, (int##bits##_t)pie_clamp(a + b, INT##bits##_MIN, INT##bits##_MAX))       \
    PIE_LANES(vsubs_s##bits, s##bits, count, (int##bits##_t)pie_clamp(a - b, INT##bits##_MIN, INT##bits##_MAX))       \
    PIE_LANES(vmax_s##bits, s##bits, count, (int##bits##_t)(a > b ? a : b))                                           \
    PIE_LANES(vmin_s##bits, s##bits, count, (int##bits##_t)(a < b ? a : b))                                           \
    PIE_LANES(vcmp_eq_s##bits, s##bits, count, (int##bits##_t)-(a == b))                                              \
    PIE_LANES(vcmp_lt_s##bits, s##bits, count, (int##bits##_t)-(a < b))                                               \
    PIE_LANES(vcmp_gt_s##bits, s##bits, count, (int##bits##_t)-(a > b))
PIE_ALL_LANES(8, 16)
PIE_ALL_LANES(16, 8)
PIE_ALL_LANES(32, 4)
PIE_LANES(vsr_32, s32, 4, ((void)b, (int32_t)(a >> (pie_sar & 63))))
PIE_LANES(vsl_32, u32, 4, ((void)b, pie_sar > 31 ? 0 : (uint32_t)((uint64_t)a << pie_sar)))

/* The ESP32-P4: an address must be a multiple of 16, as what the unit does with any other is a mode. */
static uint32_t pie_line(uint32_t address)
{
    if (address & (PIE_LINE - 1))
        pie_fault("a vector must be loaded from a multiple of 16", address);
    return address;
}

static uint32_t pie_below_16(uint32_t bytes)
{
    if (bytes > 15)
        pie_fault("a shift must be below 16 bytes", bytes);
    return bytes;
}

static void pie_ld_words(uint32_t address, int quarter)
{
    memcpy(pie_words + 4 * quarter, pie_word(address, PIE_LINE, 0), PIE_LINE);
}
static void pie_st_words(uint32_t address, int quarter)
{
    memcpy(pie_word(address, PIE_LINE, 1), pie_words + 4 * quarter, PIE_LINE);
}

static void pie_vmulas_s8_words(pie_vector x, pie_vector y)
{
    for (int i = 0; i < 16; ++i)
        pie_words[i] = (int32_t)pie_clamp((int64_t)pie_words[i] + x.s8[i] * y.s8[i], INT32_MIN, INT32_MAX);
}

/* The instructions of the core that are more than an operator of C. */
static uint32_t pie_mulsh(uint32_t x, uint32_t y)
{
    return (uint32_t)((uint64_t)((int64_t)(int32_t)x * (int32_t)y) >> 32);
}
static uint32_t pie_quos(uint32_t x, uint32_t y)
{
    if (y == 0)
        pie_fault("a divisor must not be zero", y);
    return (uint32_t)((int64_t)(int32_t)x / (int32_t)y); /* towards zero */
}
static uint32_t pie_src(uint32_t high, uint32_t low)
{
    return (uint32_t)(((uint64_t)high << 32 | low) >> pie_sar);
}
static uint32_t pie_sra(uint32_t value) { return (uint32_t)((int64_t)(int32_t)value >> pie_sar); }
static uint32_t pie_sext(uint32_t value, int bit) { return (uint32_t)((int32_t)(value << (31 - bit)) >> (31 - bit)); }
static uint32_t pie_nsau(uint32_t value) { return value == 0 ? 32 : (uint32_t)__builtin_clz(value); }

/* A buffer of the host as a segment; its address in the model. */
static uint32_t pie_map(unsigned segment, const void *host, uint32_t bytes, int writable)
{
    const uint32_t low = (uint32_t)((uintptr_t)host & 15);
    if (host == NULL)
        bytes = 0;
    pie_segments[segment].host = (uint8_t *)(uintptr_t)host - low;
    pie_segments[segment].first = low;
    pie_segments[segment].end = low + bytes;
    pie_segments[segment].writable = writable;
    return segment << PIE_SEGMENT_BITS | low;
}

#endif
