/* SPDX-License-Identifier: Apache-2.0 */
/* int8 max pool with a stride equal to its side; rows and columns left over are dropped. Scale and zero point stay.
 *
 * Layout   input [in_height][in_width][channels], output [in_height / pool][in_width / pool][channels].
 * Aliasing output may equal input: nothing is written before the last read of its place.
 * Scratch  none.
 */
#ifndef TS_MAX_POOL_S8_H
#define TS_MAX_POOL_S8_H

#include "ts_arithmetic.h"

typedef struct {
    int32_t in_height, in_width, channels, pool;
    int32_t low; /* lower clamp: the zero point for a fused ReLU, else -128 */
} ts_max_pool_s8_layer;

size_t ts_max_pool_s8_scratch_bytes(const ts_max_pool_s8_layer *layer);
void ts_max_pool_s8(const ts_max_pool_s8_layer *layer, const int8_t *input, int8_t *output, void *scratch);

#endif
