/* SPDX-License-Identifier: Apache-2.0 */
/* int8 values as they are where positive, times a slope of their own channel where negative.
 *
 * Layout   input and output hold `count` values in any one order, slopes `period`, a divisor of `count`; they repeat.
 * Aliasing output may equal input or start before it.
 * Scratch  none.
 */
#ifndef TS_TFL_PRELU_S8_H
#define TS_TFL_PRELU_S8_H

#include "ts_tfl_arithmetic.h"

typedef struct {
    int32_t count, period;
    int32_t zero[2];                 /* zero points of input and slopes */
    int32_t multiplier[2], shift[2]; /* of positive values, and of products with a slope; shift to the right, -14 .. 31 */
    int32_t out_zero;
    const int8_t *slopes; /* [period] */
} ts_tfl_prelu_s8_layer;

size_t ts_tfl_prelu_s8_scratch_bytes(const ts_tfl_prelu_s8_layer *layer);
void ts_tfl_prelu_s8(const ts_tfl_prelu_s8_layer *layer, const int8_t *input, int8_t *output, void *scratch);

#endif
