/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_add_f32.h"

size_t ts_add_f32_scratch_bytes(const ts_add_f32_layer *layer)
{
    (void)layer;
    return 0;
}

void ts_add_f32(const ts_add_f32_layer *layer, const float *input, const float *input2, float *output, void *scratch)
{
    (void)scratch;
    for (int32_t index = 0; index < layer->count; ++index) {
        const float sum = input[index] + input2[index];
        output[index] = layer->relu && sum < 0.0f ? 0.0f : sum;
    }
}
