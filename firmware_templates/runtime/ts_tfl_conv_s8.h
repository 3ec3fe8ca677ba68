/* SPDX-License-Identifier: Apache-2.0 */
/* int8 convolution with any kernel, stride, dilation and padding, a requantization of its own for every channel.
 *
 * Layout   input [in_height][in_width][in_channels], output [out_height][out_width][out_channels].
 * Range    sums of products with the bias stay below 2^31 in magnitude, also shifted to the left (the packer checks).
 * Aliasing the output may start so many bytes before the input that it stays behind what is still read: four pixels are
 *          gathered, then written (tinysearch/networks/operators/convolution.py computes the distance; 0 for 1x1 with
 *          out_channels <= in_channels). With `backward` the last pixels come first, and the output may start so many
 *          bytes after the input that it stays behind what is still read (0 for 1x1 with out_channels >= in_channels).
 * Scratch  ts_tfl_conv_s8_scratch_bytes(layer), owned by the caller, contents undefined before and after.
 */
#ifndef TS_TFL_CONV_S8_H
#define TS_TFL_CONV_S8_H

#include "ts_tfl_arithmetic.h"

typedef struct {
    ts_tfl_window window;
    int32_t in_zero; /* zero point of the input: value of the padding */
    ts_tfl_range range;
    int32_t backward;          /* 1: from the last pixels to the first, else 0 */
    const int8_t *weights;     /* [ceil(out_channels / 4)][kernel_height][kernel_width][in_channels][4] */
    const int32_t *bias;       /* [out_channels rounded up to 4], less in_zero times the sum of the weights */
    const int32_t *multiplier; /* [out_channels] */
    const int8_t *shift;       /* [out_channels], to the right, -31 .. 31 */
} ts_tfl_conv_s8_layer;

size_t ts_tfl_conv_s8_scratch_bytes(const ts_tfl_conv_s8_layer *layer);
void ts_tfl_conv_s8(const ts_tfl_conv_s8_layer *layer, const int8_t *input, int8_t *output, void *scratch);

#endif
