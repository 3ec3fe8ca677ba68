/* SPDX-License-Identifier: Apache-2.0 */
/* An int8 pool, for the kernels that include it: they differ in what becomes of the pixels of a window. Before it must be
 * defined
 *     KERNEL                            the name of the kernel,
 *     LAYER                             the type of its layer, with the members `window`, `low` and `high`,
 *     POOLED(corner, rows, columns)     the value, not clamped, of one channel over so many pixels from `corner` on; it may
 *                                       use `layer`, the number of `channels`, and the `pitch` of rows.
 */
#ifndef TS_TFL_POOL_LOOPS_H
#define TS_TFL_POOL_LOOPS_H

void KERNEL(const LAYER *layer, const int8_t *input, int8_t *output, void *scratch)
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
                const int32_t value = POOLED(corner + channel, rows, columns);
                *output++ = (int8_t)ts_clamp(value, layer->low, layer->high);
            }
        }
    }
}

#endif
