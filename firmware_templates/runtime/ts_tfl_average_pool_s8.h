/* SPDX-License-Identifier: Apache-2.0 */
/* int8 average pool over any windows, with a clamp; padding takes no part.
 *
 * Layout   input [in_height][in_width][in_channels], output [out_height][out_width][in_channels].
 * Aliasing the output may start so many bytes before the input that it stays behind what is still read
 *          (tinysearch/networks/operators/pooling.py computes the distance).
 * Scratch  none.
 */
#ifndef TS_TFL_AVERAGE_POOL_S8_H
#define TS_TFL_AVERAGE_POOL_S8_H

#include "ts_tfl_arithmetic.h"

typedef struct {
    ts_tfl_window window; /* without dilation */
    int32_t low, high;
} ts_tfl_average_pool_s8_layer;

size_t ts_tfl_average_pool_s8_scratch_bytes(const ts_tfl_average_pool_s8_layer *layer);
void ts_tfl_average_pool_s8(const ts_tfl_average_pool_s8_layer *layer, const int8_t *input, int8_t *output, void *scratch);

#endif
