/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_classes.h"

ts_classes_result ts_classes_add(const ts_classes_layer *layer, ts_recent *recent, const int64_t *scores)
{
    ts_classes_result result = {0, TS_CLASSES_UNKNOWN, 0, 0};
    int64_t largest = INT64_MIN;
    ts_recent_add(recent, scores, layer->classes, layer->smooth);
    for (uint32_t index = 0; index < layer->classes; ++index) {
        const int64_t sum = ts_recent_sum(recent, index, layer->classes);
        if (sum > largest) {
            largest = sum;
            result.nearest = (int32_t)index;
        }
    }
    result.score = (int32_t)ts_recent_mean(recent, largest);
    if (result.score >= layer->thresholds[result.nearest]) {
        result.answer = result.nearest;
    }
    result.event = ts_recent_event(recent, result.answer >= 0 && layer->told[result.answer], layer->hold_off);
    return result;
}
