/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_tfl_add_s8.h"

size_t ts_tfl_add_s8_scratch_bytes(const ts_tfl_add_s8_layer *layer)
{
    (void)layer;
    return 0;
}

static TS_INNER_LOOP void add(const ts_tfl_add_s8_layer *layer, const uint8_t *left, const uint8_t *right,
                              int8_t *output)
{
    const int32_t *const left_table = layer->left, *const right_table = layer->right;
    const int32_t zero = layer->range.zero, low = layer->range.low, high = layer->range.high;
    const uint8_t *const end = left + layer->period;
    if (layer->shift > 0) {
        const ts_requantizer r = ts_requantizer_of(layer->multiplier, layer->shift);
        for (; left < end; ++left, ++right, ++output) {
            *output = (int8_t)ts_clamp(ts_requantize(left_table[*left] + right_table[*right], r) + zero, low, high);
        }
    } else {
        for (; left < end; ++left, ++right, ++output) {
            *output = ts_tfl_output(left_table[*left] + right_table[*right], layer->multiplier, 0, &layer->range);
        }
    }
}

void ts_tfl_add_s8(const ts_tfl_add_s8_layer *layer, const int8_t *input, const int8_t *input2, int8_t *output,
                   void *scratch)
{
    (void)scratch;
    for (int32_t first = 0; first < layer->count; first += layer->period) {
        add(layer, (const uint8_t *)input + first, (const uint8_t *)input2, output + first);
    }
}
