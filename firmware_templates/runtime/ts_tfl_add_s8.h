/* SPDX-License-Identifier: Apache-2.0 */
/* int8 addition of two tensors with a clamp; the second may be shorter and then repeats.
 *
 * Layout   input and output hold `count` values in any one order, input2 `period`, a divisor of `count`.
 * Aliasing output may equal input, and input2 if `period` is `count`, or start before them; they may equal each other.
 * Scratch  none: what every value of an input adds is tabulated in flash.
 */
#ifndef TS_TFL_ADD_S8_H
#define TS_TFL_ADD_S8_H

#include "ts_tfl_arithmetic.h"

typedef struct {
    int32_t count, period;
    int32_t multiplier, shift; /* of the sum; shift to the right, 0 .. 31 */
    ts_tfl_range range;
    const int32_t *left, *right; /* [256] by the value's byte: with 20 more fraction bits, scaled to the larger scale */
} ts_tfl_add_s8_layer;

size_t ts_tfl_add_s8_scratch_bytes(const ts_tfl_add_s8_layer *layer);
void ts_tfl_add_s8(const ts_tfl_add_s8_layer *layer, const int8_t *input, const int8_t *input2, int8_t *output,
                   void *scratch);

#endif
