/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_fully_connected_f32.h"

/* Four outputs at a time: one load of an input for four products. */
enum { OUTPUTS = 4 };

size_t ts_fully_connected_f32_scratch_bytes(const ts_fully_connected_f32_layer *layer)
{
    (void)layer;
    return 0;
}

static void multiply_four(const ts_fully_connected_f32_layer *layer, const void *input, const float *weights,
                          const float *bias, float *sums)
{
    float s0 = bias[0], s1 = bias[1], s2 = bias[2], s3 = bias[3];
    const int8_t *bytes = input;
    const float *floats = input;
    for (int32_t left = layer->in_count; left > 0; --left, weights += OUTPUTS) {
        const float x = layer->input_is_s8 ? (float)*bytes++ : *floats++;
        s0 += x * weights[0], s1 += x * weights[1], s2 += x * weights[2], s3 += x * weights[3];
    }
    sums[0] = s0, sums[1] = s1, sums[2] = s2, sums[3] = s3;
}

void ts_fully_connected_f32(const ts_fully_connected_f32_layer *layer, const void *input, float *output, void *scratch)
{
    const float *weights = layer->weights;
    float sums[OUTPUTS];
    (void)scratch;
    for (int32_t first = 0; first < layer->out_count; first += OUTPUTS, weights += layer->in_count * OUTPUTS) {
        multiply_four(layer, input, weights, layer->bias + first, sums);
        for (int32_t index = 0; index < OUTPUTS && first + index < layer->out_count; ++index) {
            output[first + index] = layer->relu && sums[index] < 0.0f ? 0.0f : sums[index];
        }
    }
}
