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

void ts_tfl_average_pool_s8(const ts_tfl_average_pool_s8_layer *layer, const int8_t *input, int8_t *output,
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
                *output++ = (int8_t)ts_clamp(mean(corner + channel, rows, columns, channels, pitch), layer->low,
                                             layer->high);
            }
        }
    }
}
