/* SPDX-License-Identifier: Apache-2.0 */
/* int8 convolution as ts_tfl_conv_s8, whose layout, aliasing and scratch it has; sums are rounded once, as ts_once does.
 *
 * Range    sums of products stay below 2^31 in magnitude; real biases are part of the addends.
 */
#ifndef TS_ONCE_CONV_S8_H
#define TS_ONCE_CONV_S8_H

#include "ts_once.h"

typedef struct {
    ts_tfl_window window;
    int32_t in_zero; /* zero point of the input: value of the padding */
    ts_tfl_range range;
    int32_t backward;          /* 1: from the last pixels to the first, else 0 */
    const int8_t *weights;     /* [ceil(out_channels / 4)][kernel_height][kernel_width][in_channels][4] */
    const int32_t *bias;       /* [out_channels rounded up to 4]: minus in_zero times the sum of the weights */
    int32_t ties;              /* as in ts_once, of all channels */
    const int32_t *multiplier; /* [out_channels]: of ts_once, as the next two */
    const int32_t *addend;     /* [out_channels][2] */
    const int8_t *shift;       /* [out_channels] */
} ts_once_conv_s8_layer;

size_t ts_once_conv_s8_scratch_bytes(const ts_once_conv_s8_layer *layer);
void ts_once_conv_s8(const ts_once_conv_s8_layer *layer, const int8_t *input, int8_t *output, void *scratch);

#endif
