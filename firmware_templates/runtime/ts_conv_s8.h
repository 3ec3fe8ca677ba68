/* SPDX-License-Identifier: Apache-2.0 */
/* int8 convolution with fused max pool and ReLU, any square or one-column kernel, stride, padding and
 * channel count.
 *
 * Layout   input [in_height][in_width][in_channels], output [out_height][out_width][out_channels].
 * Range    sums of products with the bias stay below 2^30 in magnitude (the packer checks).
 * Aliasing output may equal input if kernel is 1, padding 0, pool 1 and out_channels <= in_channels; else they are
 *          apart.
 * Scratch  ts_conv_s8_scratch_bytes(layer), owned by the caller, contents undefined before and after.
 */
#ifndef TS_CONV_S8_H
#define TS_CONV_S8_H

#include "ts_arithmetic.h"

typedef struct {
    int32_t in_height, in_width, in_channels;
    int32_t out_height, out_width, out_channels; /* after the pool */
    int32_t kernel, stride, padding;
    int32_t cut;               /* rows of the padding above that this part of a map has not: 0 for a whole one */
    int32_t flat;              /* 1: windows are one column wide and not padded beside, as of series; else 0 */
    int32_t pool;              /* side and stride of the max pool, 1 for none; leftover rows and columns are dropped */
    int32_t in_zero;           /* zero point of the input: value of the padding */
    int32_t out_zero;          /* zero point of the output */
    int32_t low;               /* lower clamp: out_zero for a fused ReLU, else -128 */
    const int8_t *weights;     /* [ceil(out_channels / 4)][kernel][kernel][in_channels][4] */
    const int32_t *bias;       /* [out_channels rounded up to 4], less in_zero times the sum of the weights */
    const int32_t *multiplier; /* [out_channels] */
    const uint8_t *shift;      /* [out_channels], 1 .. 31 */
} ts_conv_s8_layer;

size_t ts_conv_s8_scratch_bytes(const ts_conv_s8_layer *layer);
void ts_conv_s8(const ts_conv_s8_layer *layer, const int8_t *input, int8_t *output, void *scratch);

#endif
