/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_tfl_quantize_f32.h"

static const float BEYOND = 1000.0f; /* any larger quotient is clamped, too */

size_t ts_tfl_quantize_f32_scratch_bytes(const ts_tfl_quantize_f32_layer *layer)
{
    (void)layer;
    return 0;
}

/* To the nearest whole number, halves away from zero; |x| <= BEYOND. */
static int32_t rounded(float x)
{
    const int32_t whole = (int32_t)x; /* towards zero */
    const float rest = x - (float)whole;
    return whole + (rest >= 0.5f) - (rest <= -0.5f);
}

void ts_tfl_quantize_f32(const ts_tfl_quantize_f32_layer *layer, const float *input, int8_t *output, void *scratch)
{
    (void)scratch;
    for (int32_t index = 0; index < layer->count; ++index) {
        float quotient = input[index] / layer->scale;
        if (!(quotient >= -BEYOND)) {
            quotient = -BEYOND;
        }
        if (quotient > BEYOND) {
            quotient = BEYOND;
        }
        output[index] = (int8_t)ts_clamp(rounded(quotient) + layer->zero, INT8_MIN, INT8_MAX);
    }
}
