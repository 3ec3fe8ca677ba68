/* SPDX-License-Identifier: Apache-2.0 */
/* Any function of one int8 value: sigmoid, tanh, hard swish and the like, by a table of all 256 results.
 *
 * Layout   input and output hold `count` values in any one order; table[value + 128] is the result.
 * Aliasing output may equal input.
 * Scratch  none.
 */
#ifndef TS_LOOKUP_S8_H
#define TS_LOOKUP_S8_H

#include "ts_arithmetic.h"

typedef struct {
    int32_t count;
    const int8_t *table; /* 256 values */
} ts_lookup_s8_layer;

size_t ts_lookup_s8_scratch_bytes(const ts_lookup_s8_layer *layer);
void ts_lookup_s8(const ts_lookup_s8_layer *layer, const int8_t *input, int8_t *output, void *scratch);

#endif
