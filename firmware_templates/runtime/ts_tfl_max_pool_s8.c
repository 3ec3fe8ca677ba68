/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_tfl_max_pool_s8.h"

size_t ts_tfl_max_pool_s8_scratch_bytes(const ts_tfl_max_pool_s8_layer *layer)
{
    (void)layer;
    return 0;
}

/* Maximum of one channel over `rows` x `columns` pixels from `corner` on. */
static int32_t maximum(const int8_t *corner, int32_t rows, int32_t columns, int32_t channels, int32_t pitch)
{
    int32_t most = INT8_MIN;
    for (; rows > 0; --rows, corner += pitch) {
        const int8_t *value = corner;
        for (int32_t left = columns; left > 0; --left, value += channels) {
            most = ts_tfl_larger(most, *value);
        }
    }
    return most;
}

#define KERNEL ts_tfl_max_pool_s8
#define LAYER ts_tfl_max_pool_s8_layer
#define POOLED(corner, rows, columns) maximum(corner, rows, columns, channels, pitch)
#include "ts_tfl_pool_loops.h"
