/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_classes.h"

#include <stddef.h>

void ts_classes_reset(ts_classes_state *state)
{
    state->count = 0;
    state->next = 0;
    state->quiet = 0;
}

static void keep(const ts_classes_layer *layer, ts_classes_state *state, const int32_t *scores)
{
    int32_t *row = state->recent + (size_t)state->next * layer->classes;
    for (uint32_t index = 0; index < layer->classes; ++index)
        row[index] = scores[index];
    state->next = (uint16_t)((state->next + 1U) % layer->smooth);
    if (state->count < layer->smooth)
        ++state->count;
}

/* Every row in use counts the same, so that their order does not matter. */
static int32_t sum_of(const ts_classes_layer *layer, const ts_classes_state *state, uint32_t index)
{
    int32_t sum = 0;
    for (uint32_t row = 0; row < state->count; ++row)
        sum += state->recent[(size_t)row * layer->classes + index];
    return sum;
}

static int32_t rounded_down(int32_t sum, int32_t count)
{
    return sum / count - (sum % count < 0);
}

ts_classes_result ts_classes_add(const ts_classes_layer *layer, ts_classes_state *state, const int32_t *scores)
{
    ts_classes_result result = {0, TS_CLASSES_UNKNOWN, 0, 0};
    int32_t largest = INT32_MIN;
    keep(layer, state, scores);
    for (uint32_t index = 0; index < layer->classes; ++index) {
        const int32_t sum = sum_of(layer, state, index);
        if (sum > largest) {
            largest = sum;
            result.nearest = (int32_t)index;
        }
    }
    result.score = rounded_down(largest, state->count);
    if (result.score >= layer->thresholds[result.nearest]) /* the same as sum >= threshold * count */
        result.answer = result.nearest;
    if (state->quiet > 0) {
        --state->quiet;
    } else if (result.answer >= 0 && layer->told[result.answer]) {
        result.event = 1;
        state->quiet = layer->hold_off;
    }
    return result;
}
