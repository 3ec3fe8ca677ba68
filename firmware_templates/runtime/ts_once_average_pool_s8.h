/* SPDX-License-Identifier: Apache-2.0 */
/* int8 average pool as ts_tfl_average_pool_s8, whose layout, aliasing and scratch it has; means less the zero point are
 * rounded once, halves to even or as ts_halves.
 */
#ifndef TS_ONCE_AVERAGE_POOL_S8_H
#define TS_ONCE_AVERAGE_POOL_S8_H

#include "ts_halves.h"
#include "ts_tfl_arithmetic.h"

typedef struct {
    ts_tfl_window window; /* without dilation */
    int32_t zero, low, high;
    float scale, inverse; /* as in ts_halves */
} ts_once_average_pool_s8_layer;

size_t ts_once_average_pool_s8_scratch_bytes(const ts_once_average_pool_s8_layer *layer);
void ts_once_average_pool_s8(const ts_once_average_pool_s8_layer *layer, const int8_t *input, int8_t *output,
                             void *scratch);

#endif
