/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_average_f32.h"

size_t ts_average_f32_scratch_bytes(const ts_average_f32_layer *layer)
{
    (void)layer;
    return 0;
}

void ts_average_f32(const ts_average_f32_layer *layer, const float *input, float *output, void *scratch)
{
    const int32_t channels = layer->channels, pixels = layer->pixels;
    (void)scratch;
    for (int32_t channel = 0; channel < channels; ++channel) {
        const float *value = input + channel;
        float sum = 0.0f;
        for (int32_t left = pixels; left > 0; --left, value += channels) {
            sum += *value;
        }
        const float mean = sum / (float)pixels;
        output[channel] = layer->relu && mean < 0.0f ? 0.0f : mean;
    }
}
