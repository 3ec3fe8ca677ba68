/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_esp_dsp.h"

/* dsps_dotprod.h asks sdkconfig.h for the chip. Its version in C is no faster than the portable kernels: good for a test on
 * a PC, and on a chip as if it were not there. */
#if __has_include("sdkconfig.h")
#include "sdkconfig.h"
#endif

#if __has_include("dsps_dotprod.h") && (!defined(CONFIG_IDF_TARGET) || defined(CONFIG_DSP_OPTIMIZED))
#include <string.h>

#include "dsps_dotprod.h"

int32_t ts_esp_dsp_scratch_bytes(const ts_esp_dsp_layer *const *layers, unsigned count)
{
    int32_t most = 0;
    for (unsigned i = 0; i < count; i++) {
        most = layers[i]->row > most ? layers[i]->row : most;
    }
    return most * (int32_t)sizeof(float);
}

/* The inputs of one output pixel, zeros outside of the picture. */
static void gather(const ts_esp_dsp_layer *layer, const float *input, int32_t y, int32_t x, float *window)
{
    const size_t pixel = (size_t)layer->in_channels * sizeof(float);
    for (int32_t ky = 0; ky < layer->kernel; ky++) {
        const int32_t row = y * layer->stride + ky - layer->padding;
        for (int32_t kx = 0; kx < layer->kernel; kx++, window += layer->in_channels) {
            const int32_t column = x * layer->stride + kx - layer->padding;
            if (row < 0 || row >= layer->in_height || column < 0 || column >= layer->in_width) {
                memset(window, 0, pixel);
            } else {
                memcpy(window, input + (row * layer->in_width + column) * layer->in_channels, pixel);
            }
        }
    }
}

static void pixel_outputs(const ts_esp_dsp_layer *layer, const float *window, float *output)
{
    for (int32_t channel = 0; channel < layer->out_channels; channel++) {
        float sum = 0.0f;
        dsps_dotprod_f32(window, layer->weights + channel * layer->row, &sum, layer->row);
        sum += layer->bias[channel];
        output[channel] = layer->relu && sum < 0.0f ? 0.0f : sum;
    }
}

void ts_esp_dsp_step(const ts_esp_dsp_layer *layer, const void *input, const void *unused, void *output, void *scratch)
{
    (void)unused;
    float *window = scratch, *result = output;
    const int32_t length = layer->kernel * layer->kernel * layer->in_channels;
    memset(window + length, 0, (size_t)(layer->row - length) * sizeof(float));
    for (int32_t y = 0; y < layer->out_height; y++) {
        for (int32_t x = 0; x < layer->out_width; x++, result += layer->out_channels) {
            gather(layer, input, y, x, window);
            pixel_outputs(layer, window, result);
        }
    }
}

#else

int32_t ts_esp_dsp_scratch_bytes(const ts_esp_dsp_layer *const *layers, unsigned count)
{
    (void)layers;
    (void)count;
    return -1;
}

void ts_esp_dsp_step(const ts_esp_dsp_layer *layer, const void *input, const void *unused, void *output, void *scratch)
{
    (void)layer;
    (void)input;
    (void)unused;
    (void)output;
    (void)scratch;
}

#endif
