/* SPDX-License-Identifier: Apache-2.0 */
/* float max pool with a stride equal to its side; rows and columns left over are dropped.
 *
 * Layout   input [in_height][in_width][channels], output [in_height / pool][in_width / pool][channels].
 * Aliasing output may equal input: nothing is written before the last read of its place.
 * Scratch  none.
 */
#ifndef TS_MAX_POOL_F32_H
#define TS_MAX_POOL_F32_H

#include "ts_arithmetic.h"

typedef struct {
    int32_t in_height, in_width, channels, pool;
    int32_t relu; /* 1: clamp at zero */
} ts_max_pool_f32_layer;

size_t ts_max_pool_f32_scratch_bytes(const ts_max_pool_f32_layer *layer);
void ts_max_pool_f32(const ts_max_pool_f32_layer *layer, const float *input, float *output, void *scratch);

#endif
