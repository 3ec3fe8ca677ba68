/* SPDX-License-Identifier: Apache-2.0 */
/* An int8 convolution, for the kernels that include it behind ts_tfl_gather.h: they differ in how a sum becomes an
 * output. Before it must be defined
 *     KERNEL    the name of the kernel,
 *     LAYER     the type of its layer, with the members of ts_tfl_conv_s8_layer that are read here,
 *     store     a function (layer, sums, channel, pixels, output): outputs from sums[4 * c + pixel] of four channels c
 *               from `channel` on and of the first `pixels` pixels.
 */
#ifndef TS_TFL_CONV_LOOPS_H
#define TS_TFL_CONV_LOOPS_H

void KERNEL(const LAYER *layer, const int8_t *input, int8_t *output, void *scratch)
{
    const ts_tfl_window *const window = &layer->window;
    const int32_t count = window->out_height * window->out_width, depth = depth_of(window);
    int32_t sums[TILE_PIXELS * TILE_CHANNELS];
    const int32_t step = layer->backward ? -TILE_PIXELS : TILE_PIXELS;
    const int32_t first = layer->backward ? (count - 1) / TILE_PIXELS * TILE_PIXELS : 0;
    for (int32_t pixel = first; pixel >= 0 && pixel < count; pixel += step) {
        const int32_t pixels = ts_tfl_smaller(TILE_PIXELS, count - pixel);
        const int8_t *weights = layer->weights;
        int8_t *const out = output + pixel * window->out_channels;
        gather_tile(layer, input, pixel, scratch);
        for (int32_t channel = 0; channel < window->out_channels; channel += TILE_CHANNELS) {
            multiply_tile(scratch, weights, depth, layer->bias + channel, sums);
            store(layer, sums, channel, pixels, out);
            weights += depth * TILE_CHANNELS;
        }
    }
}

#endif
