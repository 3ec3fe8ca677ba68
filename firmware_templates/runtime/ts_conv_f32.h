/* SPDX-License-Identifier: Apache-2.0 */
/* float convolution with fused max pool and ReLU, any square kernel, stride, padding and channel count. The input is
 * float, or int8 standing for value / 128 (the first layer).
 *
 * Layout   input [in_height][in_width][in_channels], output [out_height][out_width][out_channels].
 * Range    finite values; sums are taken in the order kernel row, kernel column, channel, starting from the bias.
 * Aliasing output may equal a float input if kernel is 1, padding 0, pool 1 and out_channels <= in_channels; else they
 *          are apart.
 * Scratch  ts_conv_f32_scratch_bytes(layer), 4-byte aligned, owned by the caller, contents undefined.
 */
#ifndef TS_CONV_F32_H
#define TS_CONV_F32_H

#include "ts_arithmetic.h"

typedef struct {
    int32_t in_height, in_width, in_channels;
    int32_t out_height, out_width, out_channels; /* after the pool */
    int32_t kernel, stride, padding;
    int32_t flat;              /* 1: windows are one column wide and not padded beside, as of series; else 0 */
    int32_t pool;         /* side and stride of the max pool, 1 for none; leftover rows and columns are dropped */
    int32_t input_is_s8;  /* 1: the input is int8; its scale is part of the weights */
    int32_t relu;         /* 1: clamp at zero */
    const float *weights; /* [ceil(out_channels / 4)][kernel][kernel][in_channels][4] */
    const float *bias;    /* [out_channels rounded up to 4] */
} ts_conv_f32_layer;

size_t ts_conv_f32_scratch_bytes(const ts_conv_f32_layer *layer);
void ts_conv_f32(const ts_conv_f32_layer *layer, const void *input, float *output, void *scratch);

#endif
