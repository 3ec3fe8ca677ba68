/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_fully_connected_s8.h"

/* Eight outputs at a time: one load of an input for eight products. */
enum { OUTPUTS = 8 };

size_t ts_fully_connected_s8_scratch_bytes(const ts_fully_connected_s8_layer *layer)
{
    (void)layer;
    return 0;
}

#define MULTIPLY_ADD(k)                                                                                                \
    do {                                                                                                               \
        const int32_t x = input[k];                                                                                    \
        const int8_t *const w = weights + OUTPUTS * (k);                                                               \
        s0 += x * w[0], s1 += x * w[1], s2 += x * w[2], s3 += x * w[3];                                                \
        s4 += x * w[4], s5 += x * w[5], s6 += x * w[6], s7 += x * w[7];                                                \
    } while (0)

static TS_INNER_LOOP void multiply_eight(const int8_t *input, const int8_t *weights, int32_t count, const int32_t *bias,
                                         int32_t *sums)
{
    int32_t s0 = bias[0], s1 = bias[1], s2 = bias[2], s3 = bias[3];
    int32_t s4 = bias[4], s5 = bias[5], s6 = bias[6], s7 = bias[7];
    const int8_t *const end = input + count;
    for (; end - input >= 4; input += 4, weights += 4 * OUTPUTS) {
        MULTIPLY_ADD(0);
        MULTIPLY_ADD(1);
        MULTIPLY_ADD(2);
        MULTIPLY_ADD(3);
    }
    for (; input < end; ++input, weights += OUTPUTS)
        MULTIPLY_ADD(0);
    sums[0] = s0, sums[1] = s1, sums[2] = s2, sums[3] = s3;
    sums[4] = s4, sums[5] = s5, sums[6] = s6, sums[7] = s7;
}

void ts_fully_connected_s8(const ts_fully_connected_s8_layer *layer, const int8_t *input, int8_t *output, void *scratch)
{
    const int8_t *weights = layer->weights;
    int32_t sums[OUTPUTS];
    (void)scratch;
    for (int32_t first = 0; first < layer->out_count; first += OUTPUTS) {
        const int32_t last = first + OUTPUTS < layer->out_count ? first + OUTPUTS : layer->out_count;
        multiply_eight(input, weights, layer->in_count, layer->bias + first, sums);
        weights += layer->in_count * OUTPUTS;
        for (int32_t out = first; out < last; ++out) {
            const ts_requantizer r = ts_requantizer_of(layer->multiplier[out], layer->shift[out]);
            const int32_t value = ts_requantize(sums[out - first], r) + layer->out_zero;
            output[out] = (int8_t)ts_clamp(value, layer->low, INT8_MAX);
        }
    }
}
