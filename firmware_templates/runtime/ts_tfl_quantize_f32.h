/* SPDX-License-Identifier: Apache-2.0 */
/* int8 values from real numbers: zero point plus the quotient by the scale, halves away from zero, clamped.
 *
 * Layout   input float and output int8 hold `count` values in any one order.
 * Range    what is not a number becomes the least value.
 * Aliasing none: output and input are apart.
 * Scratch  none.
 */
#ifndef TS_TFL_QUANTIZE_F32_H
#define TS_TFL_QUANTIZE_F32_H

#include "ts_tfl_arithmetic.h"

typedef struct {
    int32_t count;
    float scale;
    int32_t zero;
} ts_tfl_quantize_f32_layer;

size_t ts_tfl_quantize_f32_scratch_bytes(const ts_tfl_quantize_f32_layer *layer);
void ts_tfl_quantize_f32(const ts_tfl_quantize_f32_layer *layer, const float *input, int8_t *output, void *scratch);

#endif
