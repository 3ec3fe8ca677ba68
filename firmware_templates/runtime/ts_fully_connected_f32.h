/* SPDX-License-Identifier: Apache-2.0 */
/* float fully connected layer with fused ReLU. The input is float, or int8 standing for value / 128.
 *
 * Layout   input [in_count], output [out_count].
 * Aliasing none: output and input are apart.
 * Scratch  none.
 */
#ifndef TS_FULLY_CONNECTED_F32_H
#define TS_FULLY_CONNECTED_F32_H

#include "ts_arithmetic.h"

typedef struct {
    int32_t in_count, out_count;
    int32_t input_is_s8;  /* 1: the input is int8; its scale is part of the weights */
    int32_t relu;         /* 1: clamp at zero */
    const float *weights; /* [ceil(out_count / 4)][in_count][4] */
    const float *bias;    /* [out_count rounded up to 4] */
} ts_fully_connected_f32_layer;

size_t ts_fully_connected_f32_scratch_bytes(const ts_fully_connected_f32_layer *layer);
void ts_fully_connected_f32(const ts_fully_connected_f32_layer *layer, const void *input, float *output,
                            void *scratch);

#endif
