/* SPDX-License-Identifier: Apache-2.0 */
/* int8 depthwise convolution (one filter a channel) of 3x3 with a padding of 1, a stride of 1 or 2 and fused ReLU.
 *
 * Layout   input [in_height][in_width][channels], output [out_height][out_width][channels].
 * Range    sums of products with the bias stay below 2^30 in magnitude (the packer checks).
 * Aliasing output may equal input: with stride 1 a row is kept before an output can land on it, with stride 2 an output
 *          lands on nothing that is still to be read.
 * Scratch  ts_depthwise_3x3_s8_scratch_bytes(layer): a row of one channel with stride 1, none with stride 2.
 */
#ifndef TS_DEPTHWISE_3X3_S8_H
#define TS_DEPTHWISE_3X3_S8_H

#include "ts_arithmetic.h"

typedef struct {
    int32_t in_height, in_width, channels;
    int32_t out_height, out_width;
    int32_t stride;
    int32_t cut;               /* rows of the padding above that this part of a map has not: 0 for a whole one */
    int32_t in_zero;           /* zero point of the input: value of the padding */
    int32_t out_zero;          /* zero point of the output */
    int32_t low;               /* lower clamp: out_zero for a fused ReLU, else -128 */
    const int8_t *weights;     /* [channels][3][3] */
    const int32_t *bias;       /* [channels], less in_zero times the sum of the weights */
    const int32_t *multiplier; /* [channels] */
    const uint8_t *shift;      /* [channels], 1 .. 31 */
} ts_depthwise_3x3_s8_layer;

size_t ts_depthwise_3x3_s8_scratch_bytes(const ts_depthwise_3x3_s8_layer *layer);
void ts_depthwise_3x3_s8(const ts_depthwise_3x3_s8_layer *layer, const int8_t *input, int8_t *output, void *scratch);

#endif
