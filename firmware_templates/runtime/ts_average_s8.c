/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_average_s8.h"

size_t ts_average_s8_scratch_bytes(const ts_average_s8_layer *layer)
{
    (void)layer;
    return 0;
}

void ts_average_s8(const ts_average_s8_layer *layer, const int8_t *input, int8_t *output, void *scratch)
{
    const int32_t channels = layer->channels, pixels = layer->pixels;
    (void)scratch;
    for (int32_t channel = 0; channel < channels; ++channel) {
        const int8_t *value = input + channel;
        int32_t sum = 0;
        for (int32_t left = pixels; left > 0; --left, value += channels) {
            sum += *value;
        }
        const int32_t mean = (sum < 0 ? sum - pixels / 2 : sum + pixels / 2) / pixels; /* C truncates towards zero */
        output[channel] = (int8_t)(mean > layer->low ? mean : layer->low);
    }
}
