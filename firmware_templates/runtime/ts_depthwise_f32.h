/* SPDX-License-Identifier: Apache-2.0 */
/* float depthwise convolution (one filter a channel) with fused max pool and ReLU; with a 1x1 kernel, a scale and shift
 * of every channel. The input is float, or int8 standing for value / 128 (the first layer).
 *
 * Layout   input [in_height][in_width][channels], output [out_height][out_width][channels].
 * Aliasing output may equal a float input for a plain 1x1 (stride 1, padding 0, pool 1); else they are apart.
 * Scratch  none.
 */
#ifndef TS_DEPTHWISE_F32_H
#define TS_DEPTHWISE_F32_H

#include "ts_arithmetic.h"

typedef struct {
    int32_t in_height, in_width, channels;
    int32_t out_height, out_width; /* after the pool */
    int32_t kernel, stride, padding;
    int32_t flat;              /* 1: windows are one column wide and not padded beside, as of series; else 0 */
    int32_t pool;         /* side and stride of the max pool, 1 for none; leftover rows and columns are dropped */
    int32_t input_is_s8;  /* 1: the input is int8; its scale is part of the weights */
    int32_t relu;         /* 1: clamp at zero */
    const float *weights; /* [kernel][kernel][channels] */
    const float *bias;    /* [channels] */
} ts_depthwise_f32_layer;

size_t ts_depthwise_f32_scratch_bytes(const ts_depthwise_f32_layer *layer);
void ts_depthwise_f32(const ts_depthwise_f32_layer *layer, const void *input, float *output, void *scratch);

#endif
