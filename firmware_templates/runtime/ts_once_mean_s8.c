/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_once_mean_s8.h"

size_t ts_once_mean_s8_scratch_bytes(const ts_once_mean_s8_layer *layer)
{
    (void)layer;
    return 0;
}

/* Sum of the values that one output stands for, from the first on. */
static int32_t sum_of(const ts_once_mean_s8_layer *layer, const int8_t *first)
{
    const int32_t inner = layer->inner, pitch = layer->kept * layer->reduced * inner;
    int32_t sum = -layer->in_zero * layer->blocks * layer->reduced;
    for (int32_t block = layer->blocks; block > 0; --block, first += pitch) {
        const int8_t *value = first;
        for (int32_t left = layer->reduced; left > 0; --left, value += inner) {
            sum += *value;
        }
    }
    return sum;
}

/* Every `step`-th real value from the first on, `count` of them: four sums in turn, what is left over to the first. */
static float sum_in_turn(const ts_once_mean_s8_layer *layer, const int8_t *first, int32_t step, int32_t count)
{
    float sums[4] = {0.0f, 0.0f, 0.0f, 0.0f};
    for (int32_t number = 0; number < count; ++number, first += step) {
        sums[number < count / 4 * 4 ? number % 4 : 0] += (float)(*first - layer->in_zero) * layer->scale;
    }
    return sums[0] + sums[1] + sums[2] + sums[3];
}

/* PyTorch's sum: eight lanes, then what is left over and the lanes in order. */
static float real_sum(const ts_once_mean_s8_layer *layer, const int8_t *first)
{
    const int32_t inner = layer->inner, count = layer->reduced, lanes = count < 8 ? 1 : 8, turns = count / lanes;
    float sum = 0.0f;
    for (int32_t rest = turns * lanes; rest < count; ++rest) {
        sum += (float)(first[rest * inner] - layer->in_zero) * layer->scale;
    }
    for (int32_t lane = 0; lane < lanes; ++lane) {
        sum += sum_in_turn(layer, first + lane * inner, lanes * inner, turns);
    }
    return sum;
}

static int32_t mean(const ts_once_mean_s8_layer *layer, const int8_t *first)
{
    const int64_t sum = ts_once_sum(sum_of(layer, first) * (INT32_C(1) << layer->raised), layer->rounding);
    const int32_t result = (int32_t)(sum >> 32) >> layer->rounding.shift;
    if (!ts_once_is_tie(sum, layer->rounding)) {
        return result;
    }
    if (layer->inverse > 0.0f) {
        const ts_halves halves = {layer->scale, layer->inverse};
        return ts_halves_mean(real_sum(layer, first), layer->reduced, halves);
    }
    return result - (result & 1);
}

void ts_once_mean_s8(const ts_once_mean_s8_layer *layer, const int8_t *input, int8_t *output, void *scratch)
{
    const int32_t row = layer->reduced * layer->inner, rows = layer->kept * row;
    const int32_t zero = layer->range.zero, low = layer->range.low, high = layer->range.high;
    (void)scratch;
    for (int32_t outer = layer->outer; outer > 0; --outer, input += layer->blocks * rows) {
        for (const int8_t *start = input; start < input + rows; start += row) {
            for (int32_t index = 0; index < layer->inner; ++index) {
                *output++ = (int8_t)ts_clamp(mean(layer, start + index) + zero, low, high);
            }
        }
    }
}
