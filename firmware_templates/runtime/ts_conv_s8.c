/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_conv_s8.h"

#include "ts_tile_multiply.h"
#include "ts_tile_s8.h"

/* Four pixels and four output channels at a time: their 16 sums stay in registers, and one byte of a pixel or a weight
 * is loaded for four products. The four receptive fields are gathered into scratch first, interleaved as the weights
 * are, so that the inner loop walks two pointers whatever the kernel, stride and padding. */
enum { PIXELS = TS_TILE_PIXELS, CHANNELS = 4 };

static int32_t depth_of(const ts_conv_s8_layer *layer)
{
    return layer->kernel * (layer->flat ? 1 : layer->kernel) * layer->in_channels;
}

static int32_t padded_channels(const ts_conv_s8_layer *layer)
{
    return (layer->out_channels + CHANNELS - 1) / CHANNELS * CHANNELS;
}

/* Maxima of a pooled pixel first, then the gathered receptive fields. */
static size_t maxima_bytes(const ts_conv_s8_layer *layer)
{
    return layer->pool > 1 ? (size_t)padded_channels(layer) * sizeof(int32_t) : 0;
}

size_t ts_conv_s8_scratch_bytes(const ts_conv_s8_layer *layer)
{
    return maxima_bytes(layer) + (size_t)depth_of(layer) * PIXELS;
}

static int32_t smaller(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static void convolve(const ts_conv_s8_layer *layer, const int8_t *input, int8_t *output, int8_t *fields)
{
    const int32_t count = layer->out_height * layer->out_width, depth = depth_of(layer);
    int32_t sums[PIXELS * CHANNELS];
    for (int32_t pixel = 0; pixel < count; pixel += PIXELS) {
        const int32_t pixels = smaller(PIXELS, count - pixel);
        for (int32_t slot = 0; slot < PIXELS; ++slot) {
            const int32_t at = smaller(pixel + slot, count - 1);
            ts_tile_gather(layer, input, at / layer->out_width, at % layer->out_width, fields + slot);
        }
        const int8_t *weights = layer->weights;
        for (int32_t channel = 0; channel < layer->out_channels; channel += CHANNELS) {
            multiply_tile(fields, weights, depth, layer->bias + channel, sums);
            const int32_t channels = smaller(CHANNELS, layer->out_channels - channel);
            ts_tile_store(layer, sums, PIXELS, channel, channels, pixels, output);
            weights += depth * CHANNELS;
        }
        output += pixels * layer->out_channels;
    }
}

static void keep_maxima(const int32_t *sums, int32_t *maxima)
{
    for (int32_t channel = 0; channel < CHANNELS; ++channel, sums += PIXELS) {
        for (int32_t pixel = 0; pixel < PIXELS; ++pixel) {
            if (sums[pixel] > maxima[channel]) {
                maxima[channel] = sums[pixel];
            }
        }
    }
}

/* Largest sums over the window of one pooled pixel. Requantization is monotone, so it commutes with the maximum. */
static void pool_window(const ts_conv_s8_layer *layer, const int8_t *input, int32_t y, int32_t x, int32_t *maxima,
                        int8_t *fields)
{
    const int32_t side = layer->pool, count = side * side, depth = depth_of(layer);
    int32_t sums[PIXELS * CHANNELS];
    for (int32_t channel = 0; channel < padded_channels(layer); ++channel) {
        maxima[channel] = INT32_MIN;
    }
    for (int32_t pixel = 0; pixel < count; pixel += PIXELS) {
        for (int32_t slot = 0; slot < PIXELS; ++slot) {
            const int32_t at = smaller(pixel + slot, count - 1);
            ts_tile_gather(layer, input, y * side + at / side, x * side + at % side, fields + slot);
        }
        const int8_t *weights = layer->weights;
        for (int32_t channel = 0; channel < layer->out_channels; channel += CHANNELS) {
            multiply_tile(fields, weights, depth, layer->bias + channel, sums);
            keep_maxima(sums, maxima + channel);
            weights += depth * CHANNELS;
        }
    }
}

static void convolve_and_pool(const ts_conv_s8_layer *layer, const int8_t *input, int8_t *output, int32_t *maxima,
                              int8_t *fields)
{
    for (int32_t y = 0; y < layer->out_height; ++y) {
        for (int32_t x = 0; x < layer->out_width; ++x, output += layer->out_channels) {
            pool_window(layer, input, y, x, maxima, fields);
            ts_tile_store(layer, maxima, 1, 0, layer->out_channels, 1, output);
        }
    }
}

void ts_conv_s8(const ts_conv_s8_layer *layer, const int8_t *input, int8_t *output, void *scratch)
{
    int8_t *const fields = (int8_t *)scratch + maxima_bytes(layer);
    if (layer->pool > 1) {
        convolve_and_pool(layer, input, output, scratch, fields);
    } else {
        convolve(layer, input, output, fields);
    }
}
