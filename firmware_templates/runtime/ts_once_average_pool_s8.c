/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_once_average_pool_s8.h"

size_t ts_once_average_pool_s8_scratch_bytes(const ts_once_average_pool_s8_layer *layer)
{
    (void)layer;
    return 0;
}

/* A half as PyTorch's sum of one value after another has it. */
static int32_t half(const ts_once_average_pool_s8_layer *layer, const int8_t *corner, int32_t rows, int32_t columns)
{
    const int32_t channels = layer->window.in_channels, pitch = layer->window.in_width * channels;
    const ts_halves halves = {layer->scale, layer->inverse};
    const int32_t count = rows * columns;
    float sum = 0.0f;
    for (; rows > 0; --rows, corner += pitch) {
        for (int32_t column = 0; column < columns; ++column) {
            sum += (float)(corner[column * channels] - layer->zero) * layer->scale;
        }
    }
    return ts_halves_mean(sum, count, halves);
}

/* Mean of one channel over `rows` x `columns` pixels from `corner` on, less the zero point. */
static int32_t mean(const ts_once_average_pool_s8_layer *layer, const int8_t *corner, int32_t rows, int32_t columns)
{
    const int32_t channels = layer->window.in_channels, pitch = layer->window.in_width * channels;
    const int32_t count = rows * columns;
    const int8_t *row = corner;
    int32_t sum = -count * layer->zero, rest, result;
    for (int32_t left = rows; left > 0; --left, row += pitch) {
        for (int32_t column = 0; column < columns; ++column) {
            sum += row[column * channels];
        }
    }
    rest = sum % count, result = sum / count; /* C truncates towards zero */
    if (2 * rest == count || 2 * rest == -count) {
        return layer->inverse > 0.0f ? half(layer, corner, rows, columns)
                                     : result + (result % 2 == 0 ? 0 : rest > 0 ? 1 : -1);
    }
    return result + (2 * rest > count) - (2 * rest < -count);
}

#define KERNEL ts_once_average_pool_s8
#define LAYER ts_once_average_pool_s8_layer
#define POOLED(corner, rows, columns) (mean(layer, corner, rows, columns) + layer->zero)
#include "ts_tfl_pool_loops.h"
