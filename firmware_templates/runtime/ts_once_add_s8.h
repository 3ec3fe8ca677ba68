/* SPDX-License-Identifier: Apache-2.0 */
/* int8 addition of two tensors as ts_tfl_add_s8, whose layout, aliasing and scratch it has; rounded once, halves to even.
 */
#ifndef TS_ONCE_ADD_S8_H
#define TS_ONCE_ADD_S8_H

#include "ts_tfl_arithmetic.h"

typedef struct {
    int32_t count, period;
    int32_t fraction; /* fraction bits of the tables, 1 .. 30 */
    ts_tfl_range range;
    const int32_t *left, *right; /* [256] by the value's byte: output steps, one half added in the left one */
} ts_once_add_s8_layer;

size_t ts_once_add_s8_scratch_bytes(const ts_once_add_s8_layer *layer);
void ts_once_add_s8(const ts_once_add_s8_layer *layer, const int8_t *input, const int8_t *input2, int8_t *output,
                    void *scratch);

#endif
