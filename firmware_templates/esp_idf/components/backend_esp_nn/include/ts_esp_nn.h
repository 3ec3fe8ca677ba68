/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of an int8 network by ESP-NN (managed component espressif/esp-nn), whose arithmetic is that of the portable kernels.
 *
 * Layout   tensors [height][width][channels], as the portable kernels have them.
 * Aliasing the output is apart from the inputs; of an addition it may equal one of them.
 * Scratch  ts_esp_nn_scratch_bytes, aligned to 16, contents undefined before and after. ESP-NN keeps its address in variables
 *          of its own, so that only one task at a time may compute such steps.
 *
 * A program without ESP-NN links all the same: ts_esp_nn_scratch_bytes then says so, and nothing else may be called. */
#ifndef TS_ESP_NN_H
#define TS_ESP_NN_H

#include <stddef.h>
#include <stdint.h>

typedef enum {
    TS_ESP_NN_CONV,
    TS_ESP_NN_DEPTHWISE,
    TS_ESP_NN_FULLY_CONNECTED,
    TS_ESP_NN_ADD,
    TS_ESP_NN_MAX_POOL
} ts_esp_nn_operator;

typedef struct {
    ts_esp_nn_operator op;
    int32_t in_height, in_width, in_channels;
    int32_t out_height, out_width, out_channels;
    int32_t kernel, stride, padding; /* of a max pool, kernel and stride are its side */
    int32_t in_zero[2];              /* zero points of the inputs; the second of an addition only */
    int32_t out_zero;
    int32_t low;                     /* lower clamp: out_zero for a fused ReLU, else -128 */
    const int8_t *weights;           /* [out][kernel][kernel][in], [kernel][kernel][channels], [out][in]; aligned to 16 */
    const int32_t *bias;             /* [out_channels] */
    const int32_t *multiplier;       /* [out_channels]; of an addition both inputs' and the output's */
    const int32_t *shift;            /* the same number; 0 or below: to the right */
} ts_esp_nn_layer;

/* Bytes of scratch that the steps need, or -1 where ESP-NN is not in this program. */
int32_t ts_esp_nn_scratch_bytes(const ts_esp_nn_layer *const *layers, unsigned count);

/* One step; `right` is the second input of an addition, else NULL. */
void ts_esp_nn_step(const ts_esp_nn_layer *layer, const int8_t *left, const int8_t *right, int8_t *output, void *scratch);

#endif
