/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_max_pool_f32.h"

size_t ts_max_pool_f32_scratch_bytes(const ts_max_pool_f32_layer *layer)
{
    (void)layer;
    return 0;
}

void ts_max_pool_f32(const ts_max_pool_f32_layer *layer, const float *input, float *output, void *scratch)
{
    const int32_t side = layer->pool, channels = layer->channels, row_values = layer->in_width * channels;
    const int32_t rows = layer->in_height / side, columns = layer->in_width / side;
    (void)scratch;
    for (int32_t y = 0; y < rows; ++y) {
        for (int32_t x = 0; x < columns; ++x) {
            const float *window = input + y * side * row_values + x * side * channels;
            for (int32_t channel = 0; channel < channels; ++channel, ++window) {
                float largest = window[0];
                for (int32_t index = 1; index < side * side; ++index) {
                    const float value = window[index / side * row_values + index % side * channels];
                    if (value > largest) {
                        largest = value;
                    }
                }
                *output++ = layer->relu && largest < 0.0f ? 0.0f : largest;
            }
        }
    }
}
