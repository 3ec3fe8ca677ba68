/* SPDX-License-Identifier: Apache-2.0 */
/* int8 mean over any axes, by requantizing its sum: not the rounding of an average pool.
 *
 * Layout   input [outer][blocks][kept][reduced][inner], output [outer][kept][inner].
 * Aliasing none: output and input are apart.
 * Scratch  none.
 */
#ifndef TS_TFL_MEAN_S8_H
#define TS_TFL_MEAN_S8_H

#include "ts_tfl_arithmetic.h"

typedef struct {
    int32_t outer, blocks, kept, reduced, inner;
    int32_t offset;            /* `blocks` * `reduced` times the zero point of the input */
    int32_t multiplier, shift; /* of the sum, one over both included; shift to the right, -31 .. 31 */
    ts_tfl_range range;
} ts_tfl_mean_s8_layer;

size_t ts_tfl_mean_s8_scratch_bytes(const ts_tfl_mean_s8_layer *layer);
void ts_tfl_mean_s8(const ts_tfl_mean_s8_layer *layer, const int8_t *input, int8_t *output, void *scratch);

#endif
