/* SPDX-License-Identifier: Apache-2.0 */
/* float addition of two tensors with fused ReLU.
 *
 * Layout   input, input2 and output hold `count` values in any one order.
 * Aliasing output may equal input or input2, and these may equal each other.
 * Scratch  none.
 */
#ifndef TS_ADD_F32_H
#define TS_ADD_F32_H

#include "ts_arithmetic.h"

typedef struct {
    int32_t count;
    int32_t relu; /* 1: clamp at zero */
} ts_add_f32_layer;

size_t ts_add_f32_scratch_bytes(const ts_add_f32_layer *layer);
void ts_add_f32(const ts_add_f32_layer *layer, const float *input, const float *input2, float *output, void *scratch);

#endif
