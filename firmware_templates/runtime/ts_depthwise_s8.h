/* SPDX-License-Identifier: Apache-2.0 */
/* int8 depthwise convolution (one filter a channel) with fused max pool and ReLU; with a 1x1 kernel, a scale and shift
 * of every channel. ts_depthwise_3x3_s8 is for 3x3.
 *
 * Layout   input [in_height][in_width][channels], output [out_height][out_width][channels].
 * Range    sums of products with the bias stay below 2^30 in magnitude (the packer checks).
 * Aliasing output may equal input unless it is the larger: a channel is copied before it is overwritten, and the output
 *          of a channel only lands on places of the same channel.
 * Scratch  ts_depthwise_s8_scratch_bytes(layer): one padded plane; none for a plain 1x1.
 */
#ifndef TS_DEPTHWISE_S8_H
#define TS_DEPTHWISE_S8_H

#include "ts_arithmetic.h"

typedef struct {
    int32_t in_height, in_width, channels;
    int32_t out_height, out_width; /* after the pool */
    int32_t kernel, stride, padding;
    int32_t cut;               /* rows of the padding above that this part of a map has not: 0 for a whole one */
    int32_t flat;              /* 1: windows are one column wide and not padded beside, as of series; else 0 */
    int32_t pool;              /* side and stride of the max pool, 1 for none; leftover rows and columns are dropped */
    int32_t in_zero;           /* zero point of the input: value of the padding */
    int32_t out_zero;          /* zero point of the output */
    int32_t low;               /* lower clamp: out_zero for a fused ReLU, else -128 */
    const int8_t *weights;     /* [channels][kernel][kernel] */
    const int32_t *bias;       /* [channels], less in_zero times the sum of the weights */
    const int32_t *multiplier; /* [channels] */
    const uint8_t *shift;      /* [channels], 1 .. 31 */
} ts_depthwise_s8_layer;

size_t ts_depthwise_s8_scratch_bytes(const ts_depthwise_s8_layer *layer);
void ts_depthwise_s8(const ts_depthwise_s8_layer *layer, const int8_t *input, int8_t *output, void *scratch);

#endif
