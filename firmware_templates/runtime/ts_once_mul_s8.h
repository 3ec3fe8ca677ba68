/* SPDX-License-Identifier: Apache-2.0 */
/* int8 product of two tensors as ts_tfl_mul_s8, whose layout, aliasing and scratch it has; rounded once, as ts_once does.
 */
#ifndef TS_ONCE_MUL_S8_H
#define TS_ONCE_MUL_S8_H

#include "ts_once.h"

typedef struct {
    int32_t count, period;
    int32_t zero[2]; /* zero points of the inputs */
    int32_t raised;  /* bits by which products are shifted to the left before they are rounded */
    ts_once rounding;
    ts_tfl_range range;
} ts_once_mul_s8_layer;

size_t ts_once_mul_s8_scratch_bytes(const ts_once_mul_s8_layer *layer);
void ts_once_mul_s8(const ts_once_mul_s8_layer *layer, const int8_t *input, const int8_t *input2, int8_t *output,
                    void *scratch);

#endif
