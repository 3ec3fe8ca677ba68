/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_add_s8.h"

/* Each input has only 256 values, so its half of the arithmetic comes from a table. */
enum { VALUES = 256, LEFT_SHIFT = 20 };

size_t ts_add_s8_scratch_bytes(const ts_add_s8_layer *layer)
{
    (void)layer;
    return 2 * VALUES * sizeof(int32_t);
}

/* table[value & 255] = the scaled value. */
static void tabulate(const ts_add_s8_layer *layer, int32_t side, int32_t *table)
{
    const int32_t zero = layer->zero[side], multiplier = layer->multiplier[side], shift = layer->shift[side];
    for (int32_t value = INT8_MIN; value <= INT8_MAX; ++value) {
        const int32_t raised = (value - zero) * (INT32_C(1) << LEFT_SHIFT);
        table[value & (VALUES - 1)] = ts_rounding_shift_right(ts_doubling_high_multiply(raised, multiplier), shift);
    }
}

static TS_INNER_LOOP void add(const ts_add_s8_layer *layer, const uint8_t *left, const uint8_t *right, int8_t *output,
                              const int32_t *left_table, const int32_t *right_table)
{
    const ts_requantizer r = ts_requantizer_of(layer->multiplier[2], layer->shift[2]);
    const int32_t zero = layer->out_zero, low = layer->low;
    for (const uint8_t *const end = left + layer->count; left < end; ++left, ++right, ++output) {
        const int32_t sum = left_table[*left] + right_table[*right];
        *output = (int8_t)ts_clamp(ts_requantize(sum, r) + zero, low, INT8_MAX);
    }
}

void ts_add_s8(const ts_add_s8_layer *layer, const int8_t *input, const int8_t *input2, int8_t *output, void *scratch)
{
    int32_t *const left_table = scratch, *const right_table = left_table + VALUES;
    tabulate(layer, 0, left_table);
    tabulate(layer, 1, right_table);
    add(layer, (const uint8_t *)input, (const uint8_t *)input2, output, left_table, right_table);
}
