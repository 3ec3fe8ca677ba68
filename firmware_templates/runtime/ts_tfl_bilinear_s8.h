/* SPDX-License-Identifier: Apache-2.0 */
/* int8 image of another size: every pixel from the four around its place, by weights of 10 fraction bits.
 *
 * Layout   input [in_height][in_width][channels], output [out_height][out_width][channels].
 * Aliasing none.
 * Scratch  none.
 */
#ifndef TS_TFL_BILINEAR_S8_H
#define TS_TFL_BILINEAR_S8_H

#include "ts_tfl_arithmetic.h"

/* Where the pixels of an axis lie on the input: the first one, and how far the next; 10 fraction bits. */
typedef struct {
    int32_t inputs, outputs;
    int32_t first, step;
} ts_tfl_bilinear_axis;

typedef struct {
    int32_t channels;
    ts_tfl_bilinear_axis vertical, horizontal;
} ts_tfl_bilinear_s8_layer;

size_t ts_tfl_bilinear_s8_scratch_bytes(const ts_tfl_bilinear_s8_layer *layer);
void ts_tfl_bilinear_s8(const ts_tfl_bilinear_s8_layer *layer, const int8_t *input, int8_t *output, void *scratch);

#endif
