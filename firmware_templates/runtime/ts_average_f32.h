/* SPDX-License-Identifier: Apache-2.0 */
/* float mean over height and width with fused ReLU.
 *
 * Layout   input [pixels][channels], output [channels]; pixels < 2^24.
 * Aliasing output may equal input: channel c only overwrites a place of channel c that was read.
 * Scratch  none.
 */
#ifndef TS_AVERAGE_F32_H
#define TS_AVERAGE_F32_H

#include "ts_arithmetic.h"

typedef struct {
    int32_t pixels, channels;
    int32_t relu; /* 1: clamp at zero */
} ts_average_f32_layer;

size_t ts_average_f32_scratch_bytes(const ts_average_f32_layer *layer);
void ts_average_f32(const ts_average_f32_layer *layer, const float *input, float *output, void *scratch);

#endif
