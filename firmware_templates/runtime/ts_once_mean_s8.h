/* SPDX-License-Identifier: Apache-2.0 */
/* int8 mean over any axes, its sum rounded once, as ts_once does; halves as ts_halves.
 *
 * Layout   input [outer][blocks][kept][reduced][inner], output [outer][kept][inner].
 * Aliasing none: output and input are apart.
 * Scratch  none.
 */
#ifndef TS_ONCE_MEAN_S8_H
#define TS_ONCE_MEAN_S8_H

#include "ts_halves.h"
#include "ts_once.h"

typedef struct {
    int32_t outer, blocks, kept, reduced, inner;
    int32_t in_zero; /* zero point of the input */
    int32_t raised;  /* bits by which sums are shifted to the left before they are rounded */
    ts_once rounding;
    float scale, inverse; /* as in ts_halves; an inverse of 0 unless blocks is 1 and reduced below 512 */
    ts_tfl_range range;
} ts_once_mean_s8_layer;

size_t ts_once_mean_s8_scratch_bytes(const ts_once_mean_s8_layer *layer);
void ts_once_mean_s8(const ts_once_mean_s8_layer *layer, const int8_t *input, int8_t *output, void *scratch);

#endif
