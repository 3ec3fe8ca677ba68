#include "ts_pack_s8.h"

#include "ts_arithmetic.h"

#define LANES 32
#define CODES 256
#define FIELD 8 /* values that gather in one word, a byte for each bit of their levels */

size_t ts_pack_s8_scratch_bytes(const ts_pack_s8_layer *layer)
{
    return layer->activation_bits > 1 ? CODES * sizeof(uint32_t) : 0;
}

/* One threshold: bit i of the result tells whether value i reaches it. The last value enters first. */
TS_INNER_LOOP static uint32_t reach(const int8_t *values, int32_t count, int32_t threshold)
{
    const int8_t *value = values + count;
    uint32_t missed = 0;
    for (; value - values >= 4; value -= 4) {
        missed = (missed << 1) | (uint32_t)(value[-1] < threshold);
        missed = (missed << 1) | (uint32_t)(value[-2] < threshold);
        missed = (missed << 1) | (uint32_t)(value[-3] < threshold);
        missed = (missed << 1) | (uint32_t)(value[-4] < threshold);
    }
    for (; value != values; --value)
        missed = (missed << 1) | (uint32_t)(value[-1] < threshold);
    return ~missed & (UINT32_MAX >> (LANES - count));
}

/* table[byte]: bit b of the level of that value in bit 8 b. */
static void make_table(uint32_t *table, const ts_pack_s8_layer *layer)
{
    const int32_t last = (1 << layer->activation_bits) - 1;
    int32_t level = 0;
    for (int32_t value = INT8_MIN; value <= INT8_MAX; ++value) {
        while (level < last && value >= layer->thresholds[level])
            ++level;
        table[(uint8_t)value] =
            ((uint32_t)level & 1u) | ((uint32_t)level & 2u) << (FIELD - 1) | ((uint32_t)level & 4u) << (2 * FIELD - 2);
    }
}

/* Levels of 1 .. 8 values, bit b of value i in bit 8 b + i. */
TS_INNER_LOOP static uint32_t look_up(const int8_t *values, int32_t count, const uint32_t *table)
{
    const uint8_t *bytes = (const uint8_t *)values;
    uint32_t levels = 0;
    if (count == FIELD)
        return table[bytes[0]] + (table[bytes[1]] << 1) + (table[bytes[2]] << 2) + (table[bytes[3]] << 3) +
               (table[bytes[4]] << 4) + (table[bytes[5]] << 5) + (table[bytes[6]] << 6) + (table[bytes[7]] << 7);
    for (int32_t i = 0; i < count; ++i)
        levels += table[bytes[i]] << i;
    return levels;
}

void ts_pack_s8(const ts_pack_s8_layer *layer, const int8_t *input, uint32_t *output, void *scratch)
{
    const int32_t words = (layer->channels + LANES - 1) / LANES;
    const int32_t bits = layer->activation_bits;
    uint32_t *table = (uint32_t *)scratch;
    if (bits > 1)
        make_table(table, layer);
    for (int32_t pixel = 0; pixel < layer->pixels; ++pixel, output += bits * words) {
        for (int32_t word = 0; word < words; ++word) {
            const int32_t left = layer->channels - LANES * word, count = left < LANES ? left : LANES;
            uint32_t planes[3] = {0, 0, 0};
            if (bits == 1)
                planes[0] = reach(input, count, layer->thresholds[0]);
            for (int32_t i = 0; bits > 1 && i < count; i += FIELD) {
                const uint32_t levels = look_up(input + i, count - i < FIELD ? count - i : FIELD, table);
                planes[0] |= (levels & 0xffu) << i;
                planes[1] |= (levels >> FIELD & 0xffu) << i;
                planes[2] |= (levels >> (2 * FIELD)) << i;
            }
            for (int32_t plane = 0; plane < bits; ++plane)
                output[plane * words + word] = planes[plane];
            input += count;
        }
    }
}
