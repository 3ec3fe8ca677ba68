/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_once_fully_connected_s8.h"

#include "ts_multiply_eight.h"

size_t ts_once_fully_connected_s8_scratch_bytes(const ts_once_fully_connected_s8_layer *layer)
{
    (void)layer;
    return 0;
}

static void multiply_row(const ts_once_fully_connected_s8_layer *layer, const int8_t *input, int8_t *output)
{
    const int8_t *weights = layer->weights;
    int32_t sums[OUTPUTS];
    for (int32_t first = 0; first < layer->out_count; first += OUTPUTS) {
        const int32_t last = ts_tfl_smaller(first + OUTPUTS, layer->out_count);
        multiply_eight(input, weights, layer->in_count, layer->bias + first, sums);
        weights += layer->in_count * OUTPUTS;
        for (int32_t out = first; out < last; ++out) {
            const ts_once r = ts_once_of(layer->multiplier[out], layer->shift[out], layer->addend + 2 * out, layer->ties);
            const int32_t value = ts_once_rounded(sums[out - first], r) + layer->range.zero;
            output[out] = (int8_t)ts_clamp(value, layer->range.low, layer->range.high);
        }
    }
}

void ts_once_fully_connected_s8(const ts_once_fully_connected_s8_layer *layer, const int8_t *input, int8_t *output,
                               void *scratch)
{
    (void)scratch;
    for (int32_t row = 0; row < layer->rows; ++row, input += layer->in_count, output += layer->out_count) {
        multiply_row(layer, input, output);
    }
}
