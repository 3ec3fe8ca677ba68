/* SPDX-License-Identifier: Apache-2.0 */
/* First convolution of an XNOR network: int8 input, weights of 1 bit (-1, 1) or 2 bits (-3, -1, 1, 3), int8 output,
 * with fused max pool and ReLU.
 *
 * Layout   input [in_height][in_width][in_channels], output [out_height][out_width][out_channels].
 * Range    sums of products with the bias stay below 2^30 in magnitude (the packer checks).
 * Aliasing output may equal input if kernel is 1, padding 0, pool 1 and out_channels <= in_channels; else they are
 *          apart.
 * Scratch  ts_conv_bwn_s8_scratch_bytes(layer), 4-byte aligned, owned by the caller, contents undefined.
 */
#ifndef TS_CONV_BWN_S8_H
#define TS_CONV_BWN_S8_H

#include "ts_arithmetic.h"

typedef struct {
    int32_t in_height, in_width, in_channels;
    int32_t out_height, out_width, out_channels; /* after the pool */
    int32_t kernel, stride, padding, flat, pool, in_zero, out_zero, low; /* as in ts_conv_s8_layer */
    int32_t weight_bits;       /* 1 or 2 */
    const uint8_t *weights;    /* [weight_bits][out_channels][ceil(kernel * kernel * in_channels / 4)], ones, then twos:
                                  signs of four weights in four bits, 1 for plus, two of these a byte, first one low */
    const int32_t *bias;       /* [out_channels], less in_zero times the sum of the weights */
    const int32_t *multiplier; /* [out_channels] */
    const uint8_t *shift;      /* [out_channels], 1 .. 31 */
} ts_conv_bwn_s8_layer;

size_t ts_conv_bwn_s8_scratch_bytes(const ts_conv_bwn_s8_layer *layer);
void ts_conv_bwn_s8(const ts_conv_bwn_s8_layer *layer, const int8_t *input, int8_t *output, void *scratch);

#endif
