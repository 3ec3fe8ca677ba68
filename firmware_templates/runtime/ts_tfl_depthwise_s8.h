/* SPDX-License-Identifier: Apache-2.0 */
/* int8 depthwise convolution: `multiples` filters for every input channel, any kernel, stride, dilation and padding.
 *
 * Layout   input [in_height][in_width][in_channels], output [out_height][out_width][in_channels * multiples], the
 *          filters of one input channel side by side.
 * Range    sums of products with the bias stay below 2^31 in magnitude, also shifted to the left (the packer checks).
 * Aliasing output may equal input if `multiples` is 1: a channel is copied before it is overwritten, and the output of a
 *          channel only lands on places of the same channel.
 * Scratch  ts_tfl_depthwise_s8_scratch_bytes(layer): one padded plane.
 */
#ifndef TS_TFL_DEPTHWISE_S8_H
#define TS_TFL_DEPTHWISE_S8_H

#include "ts_tfl_arithmetic.h"

typedef struct {
    ts_tfl_window window;
    int32_t multiples;
    int32_t in_zero; /* zero point of the input: value of the padding */
    ts_tfl_range range;
    const int8_t *weights;     /* [out_channels][kernel_height][kernel_width] */
    const int32_t *bias;       /* [out_channels], less in_zero times the sum of the weights */
    const int32_t *multiplier; /* [out_channels] */
    const int8_t *shift;       /* [out_channels], to the right, -31 .. 31 */
} ts_tfl_depthwise_s8_layer;

size_t ts_tfl_depthwise_s8_scratch_bytes(const ts_tfl_depthwise_s8_layer *layer);
void ts_tfl_depthwise_s8(const ts_tfl_depthwise_s8_layer *layer, const int8_t *input, int8_t *output, void *scratch);

#endif
