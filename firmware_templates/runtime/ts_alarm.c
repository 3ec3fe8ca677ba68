/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_alarm.h"

ts_alarm_result ts_alarm_add(const ts_alarm_layer *layer, ts_recent *recent, int64_t distance)
{
    ts_alarm_result result;
    ts_recent_add(recent, &distance, 1, layer->smooth);
    result.distance = ts_recent_mean(recent, ts_recent_sum(recent, 0, 1));
    result.alarm = result.distance >= layer->threshold;
    result.event = ts_recent_event(recent, result.alarm, layer->hold_off);
    return result;
}
