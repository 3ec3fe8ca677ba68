#include "ts_pack_s8.h"

#include "ts_arithmetic.h"

#define LANES 32

/* Bit i of missed[t]: value i lies below threshold t. The last value enters first, so that the first ends in bit 0. */
#define COMPARE(COUNT)                                                                                               \
    TS_INNER_LOOP static void compare_##COUNT(uint32_t *missed, const int8_t *values, int32_t count,                 \
                                              const int32_t *thresholds)                                             \
    {                                                                                                                \
        uint32_t words[COUNT] = {0};                                                                                 \
        for (const int8_t *value = values + count; value != values;) {                                               \
            const int32_t x = *--value;                                                                              \
            for (int32_t t = 0; t < (COUNT); ++t)                                                                    \
                words[t] = (words[t] << 1) | (uint32_t)(x < thresholds[t]);                                          \
        }                                                                                                            \
        for (int32_t t = 0; t < (COUNT); ++t)                                                                        \
            missed[t] = words[t];                                                                                    \
    }

COMPARE(1)
COMPARE(3)
COMPARE(7)

size_t ts_pack_s8_scratch_bytes(const ts_pack_s8_layer *layer)
{
    (void)layer;
    return 0;
}

void ts_pack_s8(const ts_pack_s8_layer *layer, const int8_t *input, uint32_t *output, void *scratch)
{
    const int32_t words = (layer->channels + LANES - 1) / LANES;
    (void)scratch;
    for (int32_t pixel = 0; pixel < layer->pixels; ++pixel) {
        for (int32_t word = 0; word < words; ++word, ++output) {
            const int32_t left = layer->channels - LANES * word, count = left < LANES ? left : LANES;
            const uint32_t used = UINT32_MAX >> (LANES - count);
            uint32_t missed[7];
            /* Thresholds missed are a run of ones up to the last: bit k of the level is the parity of every 2^k-th
             * threshold reached, and where an odd number enters, that of the missed ones inverted. */
            switch (layer->activation_bits) {
            case 1:
                compare_1(missed, input, count, layer->thresholds);
                output[0] = ~missed[0] & used;
                break;
            case 2:
                compare_3(missed, input, count, layer->thresholds);
                output[0] = ~(missed[0] ^ missed[1] ^ missed[2]) & used;
                output[words] = ~missed[1] & used;
                break;
            default:
                compare_7(missed, input, count, layer->thresholds);
                output[0] =
                    ~(missed[0] ^ missed[1] ^ missed[2] ^ missed[3] ^ missed[4] ^ missed[5] ^ missed[6]) & used;
                output[words] = ~(missed[1] ^ missed[3] ^ missed[5]) & used;
                output[2 * words] = ~missed[3] & used;
                break;
            }
            input += count;
        }
        output += (layer->activation_bits - 1) * words;
    }
}
