/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_once_add_s8.h"

size_t ts_once_add_s8_scratch_bytes(const ts_once_add_s8_layer *layer)
{
    (void)layer;
    return 0;
}

static TS_INNER_LOOP void add(const ts_once_add_s8_layer *layer, const uint8_t *left, const uint8_t *right,
                              int8_t *output)
{
    const int32_t *const left_table = layer->left, *const right_table = layer->right;
    const int32_t zero = layer->range.zero, low = layer->range.low, high = layer->range.high;
    const int32_t fraction = layer->fraction, rest = (INT32_C(1) << fraction) - 1;
    const uint8_t *const end = left + layer->period;
    for (; left < end; ++left, ++right, ++output) {
        const int32_t sum = left_table[*left] + right_table[*right];
        int32_t result = sum >> fraction;
        if ((sum & rest) == 0) {
            result -= result & 1; /* a half */
        }
        *output = (int8_t)ts_clamp(result + zero, low, high);
    }
}

void ts_once_add_s8(const ts_once_add_s8_layer *layer, const int8_t *input, const int8_t *input2, int8_t *output,
                   void *scratch)
{
    (void)scratch;
    for (int32_t first = 0; first < layer->count; first += layer->period) {
        add(layer, (const uint8_t *)input + first, (const uint8_t *)input2, output + first);
    }
}
