/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_max_pool_s8.h"

size_t ts_max_pool_s8_scratch_bytes(const ts_max_pool_s8_layer *layer)
{
    (void)layer;
    return 0;
}

/* Channel k of a 2x2 window. */
#define POOL2X2(k)                                                                                                     \
    do {                                                                                                               \
        int32_t largest = low;                                                                                         \
        if (a[k] > largest) {                                                                                          \
            largest = a[k];                                                                                            \
        }                                                                                                              \
        if (b[k] > largest) {                                                                                          \
            largest = b[k];                                                                                            \
        }                                                                                                              \
        if (c[k] > largest) {                                                                                          \
            largest = c[k];                                                                                            \
        }                                                                                                              \
        if (d[k] > largest) {                                                                                          \
            largest = d[k];                                                                                            \
        }                                                                                                              \
        output[k] = (int8_t)largest;                                                                                   \
    } while (0)

/* All channels of a 2x2 window. */
static TS_INNER_LOOP void pool2x2(const int8_t *a, int32_t row_bytes, int32_t channels, int32_t low, int8_t *output)
{
    const int8_t *b = a + channels, *c = a + row_bytes, *d = c + channels;
    for (; channels >= 4; channels -= 4, a += 4, b += 4, c += 4, d += 4, output += 4) {
        POOL2X2(0);
        POOL2X2(1);
        POOL2X2(2);
        POOL2X2(3);
    }
    for (; channels > 0; --channels, ++a, ++b, ++c, ++d, ++output) {
        POOL2X2(0);
    }
}

static void pool_any(const int8_t *input, int32_t row_bytes, int32_t channels, int32_t low, int8_t *output,
                     int32_t side)
{
    for (const int8_t *const end = input + channels; input < end; ++input) {
        int32_t largest = low;
        for (int32_t y = 0; y < side; ++y) {
            for (int32_t x = 0; x < side; ++x) {
                if (input[y * row_bytes + x * channels] > largest) {
                    largest = input[y * row_bytes + x * channels];
                }
            }
        }
        *output++ = (int8_t)largest;
    }
}

void ts_max_pool_s8(const ts_max_pool_s8_layer *layer, const int8_t *input, int8_t *output, void *scratch)
{
    const int32_t side = layer->pool, channels = layer->channels, row_bytes = layer->in_width * channels;
    const int32_t rows = layer->in_height / side, columns = layer->in_width / side;
    (void)scratch;
    for (int32_t y = 0; y < rows; ++y) {
        const int8_t *window = input + y * side * row_bytes;
        for (int32_t x = 0; x < columns; ++x, window += side * channels, output += channels) {
            if (side == 2) {
                pool2x2(window, row_bytes, channels, layer->low, output);
            } else {
                pool_any(window, row_bytes, channels, layer->low, output, side);
            }
        }
    }
}
