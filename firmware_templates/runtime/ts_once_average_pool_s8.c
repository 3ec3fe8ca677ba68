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

void ts_once_average_pool_s8(const ts_once_average_pool_s8_layer *layer, const int8_t *input, int8_t *output,
                            void *scratch)
{
    const ts_tfl_window *const window = &layer->window;
    const int32_t channels = window->in_channels, pitch = window->in_width * channels;
    (void)scratch;
    for (int32_t y = 0; y < window->out_height; ++y) {
        const int32_t row = y * window->stride_y - window->top, top = ts_tfl_larger(row, 0);
        const int32_t rows = ts_tfl_smaller(row + window->kernel_height, window->in_height) - top;
        for (int32_t x = 0; x < window->out_width; ++x) {
            const int32_t column = x * window->stride_x - window->left, left = ts_tfl_larger(column, 0);
            const int32_t columns = ts_tfl_smaller(column + window->kernel_width, window->in_width) - left;
            const int8_t *const corner = input + top * pitch + left * channels;
            for (int32_t channel = 0; channel < channels; ++channel) {
                const int32_t value = mean(layer, corner + channel, rows, columns) + layer->zero;
                *output++ = (int8_t)ts_clamp(value, layer->low, layer->high);
            }
        }
    }
}
