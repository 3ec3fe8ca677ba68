/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_tfl_mean_s8.h"

size_t ts_tfl_mean_s8_scratch_bytes(const ts_tfl_mean_s8_layer *layer)
{
    (void)layer;
    return 0;
}

/* Sum of the values that one output stands for, from the first on. */
static int32_t sum_of(const ts_tfl_mean_s8_layer *layer, const int8_t *first)
{
    const int32_t inner = layer->inner, pitch = layer->kept * layer->reduced * inner;
    int32_t sum = -layer->offset;
    for (int32_t block = layer->blocks; block > 0; --block, first += pitch) {
        const int8_t *value = first;
        for (int32_t left = layer->reduced; left > 0; --left, value += inner) {
            sum += *value;
        }
    }
    return sum;
}

void ts_tfl_mean_s8(const ts_tfl_mean_s8_layer *layer, const int8_t *input, int8_t *output, void *scratch)
{
    const int32_t row = layer->reduced * layer->inner, rows = layer->kept * row;
    (void)scratch;
    for (int32_t outer = layer->outer; outer > 0; --outer, input += layer->blocks * rows) {
        for (const int8_t *start = input; start < input + rows; start += row) {
            for (int32_t index = 0; index < layer->inner; ++index) {
                *output++ = ts_tfl_output(sum_of(layer, start + index), layer->multiplier, layer->shift, &layer->range);
            }
        }
    }
}
