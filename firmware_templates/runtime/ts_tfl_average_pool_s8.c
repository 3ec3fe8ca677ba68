/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_tfl_average_pool_s8.h"

size_t ts_tfl_average_pool_s8_scratch_bytes(const ts_tfl_average_pool_s8_layer *layer)
{
    (void)layer;
    return 0;
}

/* Mean of one channel over `rows` x `columns` pixels from `corner` on, halves away from zero. */
static int32_t mean(const int8_t *corner, int32_t rows, int32_t columns, int32_t channels, int32_t pitch)
{
    const int32_t count = rows * columns;
    int32_t sum = 0;
    for (; rows > 0; --rows, corner += pitch) {
        const int8_t *value = corner;
        for (int32_t left = columns; left > 0; --left, value += channels) {
            sum += *value;
        }
    }
    return (sum < 0 ? sum - count / 2 : sum + count / 2) / count; /* C truncates towards zero */
}

#define KERNEL ts_tfl_average_pool_s8
#define LAYER ts_tfl_average_pool_s8_layer
#define POOLED(corner, rows, columns) mean(corner, rows, columns, channels, pitch)
#include "ts_tfl_pool_loops.h"
