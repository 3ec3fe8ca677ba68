/* SPDX-License-Identifier: Apache-2.0 */
/* Copies a box of int8 values with up to four axes into an output, part of which may be set to one value before:
 * padding, parts of a concatenation, strided slices.
 *
 * Layout   value (a, b, c, d) of the box lies at in_first + a * in_steps[0] + .. + d * in_steps[3] of the input, and
 *          likewise in the output.
 * Aliasing none: output and input are apart.
 * Scratch  none.
 */
#ifndef TS_TFL_COPY_S8_H
#define TS_TFL_COPY_S8_H

#include "ts_tfl_arithmetic.h"

typedef struct {
    int32_t counts[4];
    int32_t in_steps[4], out_steps[4];
    int32_t in_first, out_first;
    int32_t fill_count, fill_value; /* so many of the output's first values are set to this */
} ts_tfl_copy_s8_layer;

size_t ts_tfl_copy_s8_scratch_bytes(const ts_tfl_copy_s8_layer *layer);
void ts_tfl_copy_s8(const ts_tfl_copy_s8_layer *layer, const int8_t *input, int8_t *output, void *scratch);

#endif
