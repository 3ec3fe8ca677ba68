/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_tfl_fully_connected_s8.h"

#include "ts_multiply_eight.h"

size_t ts_tfl_fully_connected_s8_scratch_bytes(const ts_tfl_fully_connected_s8_layer *layer)
{
    (void)layer;
    return 0;
}

static void multiply_row(const ts_tfl_fully_connected_s8_layer *layer, const int8_t *input, int8_t *output)
{
    const int8_t *weights = layer->weights;
    int32_t sums[OUTPUTS];
    for (int32_t first = 0; first < layer->out_count; first += OUTPUTS) {
        const int32_t last = ts_tfl_smaller(first + OUTPUTS, layer->out_count);
        multiply_eight(input, weights, layer->in_count, layer->bias + first, sums);
        weights += layer->in_count * OUTPUTS;
        for (int32_t out = first; out < last; ++out) {
            output[out] = ts_tfl_output(sums[out - first], layer->multiplier[out], layer->shift[out], &layer->range);
        }
    }
}

void ts_tfl_fully_connected_s8(const ts_tfl_fully_connected_s8_layer *layer, const int8_t *input, int8_t *output,
                               void *scratch)
{
    (void)scratch;
    for (int32_t row = 0; row < layer->rows; ++row, input += layer->in_count, output += layer->out_count) {
        multiply_row(layer, input, output);
    }
}
