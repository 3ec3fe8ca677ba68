/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of a float network by the dot product of ESP-DSP (managed component espressif/esp-dsp). It adds in another order than
 * the portable kernels: results differ in their last bits.
 *
 * Layout   tensors [height][width][channels], as the portable kernels have them. A fully connected layer is a convolution of
 *          one pixel.
 * Aliasing the output is apart from the input.
 * Scratch  ts_esp_dsp_scratch_bytes, aligned to 16, contents undefined before and after.
 *
 * A program without ESP-DSP links all the same: ts_esp_dsp_scratch_bytes then says so, and nothing else may be called. */
#ifndef TS_ESP_DSP_H
#define TS_ESP_DSP_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    int32_t in_height, in_width, in_channels;
    int32_t out_height, out_width, out_channels;
    int32_t kernel, stride, padding;
    int32_t row;          /* kernel * kernel * in_channels, rounded up to 4 */
    int32_t relu;         /* 1: clamp at zero */
    const float *weights; /* [out_channels][row]: [kernel][kernel][in_channels], then zeros; aligned to 16 */
    const float *bias;    /* [out_channels] */
} ts_esp_dsp_layer;

/* Bytes of scratch that the steps need, or -1 where ESP-DSP is not in this program. */
int32_t ts_esp_dsp_scratch_bytes(const ts_esp_dsp_layer *const *layers, unsigned count);

/* One step; `unused` is there for backends with steps of two inputs. */
void ts_esp_dsp_step(const ts_esp_dsp_layer *layer, const void *input, const void *unused, void *output, void *scratch);

#endif
