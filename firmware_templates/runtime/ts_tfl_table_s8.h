/* SPDX-License-Identifier: Apache-2.0 */
/* Any function of one int8 value, looked up: activations, and requantization.
 *
 * Layout   input and output hold `count` values in any one order.
 * Aliasing output may equal input or start before it.
 * Scratch  none.
 */
#ifndef TS_TFL_TABLE_S8_H
#define TS_TFL_TABLE_S8_H

#include "ts_tfl_arithmetic.h"

typedef struct {
    int32_t count;
    const int8_t *table; /* [256] by the value's byte */
} ts_tfl_table_s8_layer;

size_t ts_tfl_table_s8_scratch_bytes(const ts_tfl_table_s8_layer *layer);
void ts_tfl_table_s8(const ts_tfl_table_s8_layer *layer, const int8_t *input, int8_t *output, void *scratch);

#endif
