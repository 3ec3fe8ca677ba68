/* First convolution of an XNOR network: int8 input, weights of 1 bit (-1, 1) or 2 bits (-3, -1, 1, 3), int8 output.
 * The arithmetic is that of ts_conv_s8; weights lie packed in flash and are expanded into scratch at every call.
 *
 * Layout   input [in_height][in_width][in_channels], output [out_height][out_width][out_channels].
 * Range    sums of products with the bias stay below 2^30 in magnitude (the packer checks).
 * Aliasing as ts_conv_s8.
 * Scratch  ts_conv_bwn_s8_scratch_bytes(layer): the expanded weights and what ts_conv_s8 needs.
 */
#ifndef TS_CONV_BWN_S8_H
#define TS_CONV_BWN_S8_H

#include "ts_arithmetic.h"

typedef struct {
    int32_t in_height, in_width, in_channels;
    int32_t out_height, out_width, out_channels; /* after the pool */
    int32_t kernel, stride, padding, pool, in_zero, out_zero, low; /* as in ts_conv_s8_layer */
    int32_t weight_bits;       /* 1 or 2 */
    const uint8_t *weights;    /* codes (weight + 2^bits - 1) / 2 in the order of ts_conv_s8, lowest bits first */
    const int32_t *bias;       /* [out_channels rounded up to 4], less in_zero times the sum of the weights */
    const int32_t *multiplier; /* [out_channels] */
    const uint8_t *shift;      /* [out_channels], 1 .. 31 */
} ts_conv_bwn_s8_layer;

size_t ts_conv_bwn_s8_scratch_bytes(const ts_conv_bwn_s8_layer *layer);
void ts_conv_bwn_s8(const ts_conv_bwn_s8_layer *layer, const int8_t *input, int8_t *output, void *scratch);

#endif
