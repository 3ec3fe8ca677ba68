#include "ts_cosine_f32.h"

#include <math.h>

static float dot(const float *left, const float *right, int32_t count)
{
    float sum = 0.0f;
    for (int32_t index = 0; index < count; ++index)
        sum += left[index] * right[index];
    return sum;
}

int32_t ts_cosine_f32(const float *left, const float *right, int32_t count)
{
    const float norms = sqrtf(dot(left, left, count)) * sqrtf(dot(right, right, count));
    if (!(norms > 0.0f))
        return 0;
    const float scaled = dot(left, right, count) / norms * 1048576.0f; /* 2^20 */
    return (int32_t)(scaled < 0.0f ? scaled - 0.5f : scaled + 0.5f);
}
