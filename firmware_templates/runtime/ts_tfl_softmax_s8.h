/* SPDX-License-Identifier: Apache-2.0 */
/* int8 softmax of every row: outputs of scale 1/256 and zero point -128.
 *
 * Layout   input and output [rows][depth], depth below 4096.
 * Aliasing output may equal input or start before it.
 * Scratch  none.
 */
#ifndef TS_TFL_SOFTMAX_S8_H
#define TS_TFL_SOFTMAX_S8_H

#include "ts_tfl_arithmetic.h"

typedef struct {
    int32_t rows, depth;
    const int32_t *exponentials; /* [256]: exp of minus the distance to the row's maximum, 31 fraction bits; 0: nothing */
} ts_tfl_softmax_s8_layer;

size_t ts_tfl_softmax_s8_scratch_bytes(const ts_tfl_softmax_s8_layer *layer);
void ts_tfl_softmax_s8(const ts_tfl_softmax_s8_layer *layer, const int8_t *input, int8_t *output, void *scratch);

#endif
