/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_once_mul_s8.h"

size_t ts_once_mul_s8_scratch_bytes(const ts_once_mul_s8_layer *layer)
{
    (void)layer;
    return 0;
}

static void multiply(const ts_once_mul_s8_layer *layer, const int8_t *left, const int8_t *right, int8_t *output)
{
    const int32_t left_zero = layer->zero[0], right_zero = layer->zero[1], raised = INT32_C(1) << layer->raised;
    const int32_t zero = layer->range.zero, low = layer->range.low, high = layer->range.high;
    const int8_t *const end = left + layer->period;
    const ts_once r = layer->rounding;
    for (; left < end; ++left, ++right, ++output) {
        const int32_t product = (*left - left_zero) * (*right - right_zero);
        *output = (int8_t)ts_clamp(ts_once_rounded(product * raised, r) + zero, low, high);
    }
}

void ts_once_mul_s8(const ts_once_mul_s8_layer *layer, const int8_t *input, const int8_t *input2, int8_t *output,
                   void *scratch)
{
    (void)scratch;
    for (int32_t first = 0; first < layer->count; first += layer->period) {
        multiply(layer, input + first, input2, output + first);
    }
}
