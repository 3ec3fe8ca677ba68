/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_pack_s8.h"

#include "ts_arithmetic.h"

#define LANES 32
#define CODES 256
#define FIELD 8 /* values that gather in one word, a byte for each bit of their levels */

size_t ts_pack_s8_scratch_bytes(const ts_pack_s8_layer *layer)
{
    return layer->activation_bits > 1 ? CODES * sizeof(uint32_t) : 0;
}

/* Bits of up to 32 values, the first in bit 0: does it reach the threshold? The last value enters first. */
TS_INNER_LOOP static uint32_t compare_word(const int8_t *values, int32_t count, int32_t threshold)
{
    const int8_t *value = values + count;
    uint32_t missed = 0;
#define ENTER(index) missed = (missed << 1) | (uint32_t)(value[index] < threshold)
    for (; value - values >= 8; value -= 8) {
        ENTER(-1);
        ENTER(-2);
        ENTER(-3);
        ENTER(-4);
        ENTER(-5);
        ENTER(-6);
        ENTER(-7);
        ENTER(-8);
    }
    for (; value != values; --value) {
        ENTER(-1);
    }
#undef ENTER
    return ~missed & (UINT32_MAX >> (LANES - count));
}

/* table[byte]: bit b of the level of that value in bit 8 b. */
static void make_table(uint32_t *table, const ts_pack_s8_layer *layer)
{
    const int32_t last = (1 << layer->activation_bits) - 1;
    int32_t level = 0;
    for (int32_t value = INT8_MIN; value <= INT8_MAX; ++value) {
        while (level < last && value >= layer->thresholds[level]) {
            ++level;
        }
        table[(uint8_t)value] =
            ((uint32_t)level & 1u) | ((uint32_t)level & 2u) << (FIELD - 1) | ((uint32_t)level & 4u) << (2 * FIELD - 2);
    }
}

/* Planes of up to 32 values by table. Eight values gather in one word, value i one bit above value i - 1. */
TS_INNER_LOOP static void look_up_word(const int8_t *values, int32_t count, const uint32_t *table, int32_t bits,
                                       uint32_t *output, int32_t plane_words)
{
    const uint8_t *bytes = (const uint8_t *)values;
    uint32_t ones = 0, twos = 0, fours = 0;
    for (int32_t start = 0; start < count; start += FIELD, bytes += FIELD) {
        uint32_t levels = 0;
        if (count - start >= FIELD) {
            levels = table[bytes[0]] + (table[bytes[1]] << 1) + (table[bytes[2]] << 2) + (table[bytes[3]] << 3) +
                     (table[bytes[4]] << 4) + (table[bytes[5]] << 5) + (table[bytes[6]] << 6) + (table[bytes[7]] << 7);
        } else {
            for (int32_t i = 0; i < count - start; ++i) {
                levels += table[bytes[i]] << i;
            }
        }
        ones |= (levels & 0xffu) << start;
        twos |= (levels >> FIELD & 0xffu) << start;
        fours |= (levels >> (2 * FIELD)) << start;
    }
    output[0] = ones;
    output[plane_words] = twos;
    if (bits > 2) {
        output[2 * plane_words] = fours;
    }
}

void ts_pack_s8(const ts_pack_s8_layer *layer, const int8_t *input, uint32_t *output, void *scratch)
{
    const int32_t words = (layer->channels + LANES - 1) / LANES, bits = layer->activation_bits;
    uint32_t *table = (uint32_t *)scratch;
    if (bits > 1) {
        make_table(table, layer);
    }
    for (int32_t pixel = 0; pixel < layer->pixels; ++pixel, output += (bits - 1) * words) {
        for (int32_t left = layer->channels; left > 0; left -= LANES, input += LANES, ++output) {
            const int32_t count = left < LANES ? left : LANES;
            if (bits == 1) {
                *output = compare_word(input, count, layer->thresholds[0]);
            } else {
                look_up_word(input, count, table, bits, output, words);
            }
        }
        input -= words * LANES - layer->channels;
    }
}
