/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_fully_connected_s8.h"

#include "ts_multiply_eight.h"

size_t ts_fully_connected_s8_scratch_bytes(const ts_fully_connected_s8_layer *layer)
{
    (void)layer;
    return 0;
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
