/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_tfl_mean_s8.h"

size_t ts_tfl_mean_s8_scratch_bytes(const ts_tfl_mean_s8_layer *layer)
{
    (void)layer;
    return 0;
}

void ts_tfl_mean_s8(const ts_tfl_mean_s8_layer *layer, const int8_t *input, int8_t *output, void *scratch)
{
    const int32_t inner = layer->inner;
    (void)scratch;
    for (int32_t row = 0; row < layer->outer; ++row, input += layer->reduced * inner) {
        for (int32_t index = 0; index < inner; ++index) {
            const int8_t *value = input + index;
            int32_t sum = -layer->offset;
            for (int32_t left = layer->reduced; left > 0; --left, value += inner)
                sum += *value;
            *output++ = ts_tfl_output(sum, layer->multiplier, layer->shift, &layer->range);
        }
    }
}
