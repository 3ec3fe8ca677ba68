/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_normal.h"

#include <math.h>

enum { LARGEST_DEVIATION = 1 << 19 };

size_t ts_normal_scratch_bytes(const ts_normal_layer *layer)
{
    return layer->values * (sizeof(int32_t) + sizeof(int8_t));
}

static void turn(const ts_normal_layer *layer, const int8_t *embedding, int32_t *places)
{
    const int16_t *row = layer->matrix;
    const int32_t half = (int32_t)1 << layer->shift >> 1;
    for (uint32_t r = 0; r < layer->values; ++r) {
        int32_t sum = half;
        for (uint32_t e = 0; e <= r; ++e) {
            sum += (int32_t)row[e] * embedding[e];
        }
        places[r] = sum >> layer->shift; /* arithmetic, as gcc and clang define it: rounds down */
        row += r + 1;
    }
}

static int64_t apart(const ts_normal_layer *layer, const int32_t *places, const int32_t *center)
{
    int64_t sum = 0;
    for (uint32_t r = 0; r < layer->values; ++r) {
        int64_t t = (int64_t)places[r] - center[r];
        t = t < -LARGEST_DEVIATION ? -LARGEST_DEVIATION : t > LARGEST_DEVIATION - 1 ? LARGEST_DEVIATION - 1 : t;
        sum += t * t;
    }
    return sum;
}

int64_t ts_normal_s8(const ts_normal_layer *layer, const int8_t *embedding, int32_t *scratch)
{
    int64_t least = INT64_MAX;
    turn(layer, embedding, scratch);
    for (uint32_t k = 0; k < layer->center_count; ++k) {
        const int64_t found = apart(layer, scratch, layer->centers + (size_t)k * layer->values);
        least = found < least ? found : least;
    }
    return least;
}

int64_t ts_normal_f32(const ts_normal_layer *layer, const float *embedding, int32_t *scratch)
{
    int8_t *bytes = (int8_t *)(scratch + layer->values);
    for (uint32_t e = 0; e < layer->values; ++e) {
        const float scaled = ldexpf(embedding[e], layer->exponent);
        bytes[e] = (int8_t)lrintf(fminf(fmaxf(scaled, -128.0f), 127.0f));
    }
    return ts_normal_s8(layer, bytes, scratch);
}
