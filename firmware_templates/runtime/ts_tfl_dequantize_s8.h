/* SPDX-License-Identifier: Apache-2.0 */
/* The real numbers that int8 values stand for, looked up.
 *
 * Layout   input int8 and output float hold `count` values in any one order.
 * Aliasing none: output and input are apart.
 * Scratch  none.
 */
#ifndef TS_TFL_DEQUANTIZE_S8_H
#define TS_TFL_DEQUANTIZE_S8_H

#include "ts_tfl_arithmetic.h"

typedef struct {
    int32_t count;
    const float *reals; /* [256] by the value's byte */
} ts_tfl_dequantize_s8_layer;

size_t ts_tfl_dequantize_s8_scratch_bytes(const ts_tfl_dequantize_s8_layer *layer);
void ts_tfl_dequantize_s8(const ts_tfl_dequantize_s8_layer *layer, const int8_t *input, float *output, void *scratch);

#endif
