/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_tfl_mul_s8.h"

size_t ts_tfl_mul_s8_scratch_bytes(const ts_tfl_mul_s8_layer *layer)
{
    (void)layer;
    return 0;
}

void ts_tfl_mul_s8(const ts_tfl_mul_s8_layer *layer, const int8_t *input, const int8_t *input2, int8_t *output,
                   void *scratch)
{
    const int32_t multiplier = layer->multiplier, shift = layer->shift;
    (void)scratch;
    for (int32_t first = 0; first < layer->count; first += layer->period) {
        for (int32_t index = 0; index < layer->period; ++index) {
            const int32_t product = (input[first + index] - layer->zero[0]) * (input2[index] - layer->zero[1]);
            output[first + index] = ts_tfl_output(product, multiplier, shift, &layer->range);
        }
    }
}
