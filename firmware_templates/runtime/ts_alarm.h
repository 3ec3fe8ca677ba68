/* SPDX-License-Identifier: Apache-2.0 */
/* From the distances of windows that follow each other to alarms and to events: the arithmetic of
 * tinysearch/metrics/windows.py, which defines it.
 *
 * A window's distance is the sum of those of its branches (ts_normal.h). The mean over the last `smooth` windows, rounded
 * down, is an alarm where it reaches the threshold; an alarm is an event where the last one is more than `hold_off` windows
 * ago.
 *
 * Range    0 <= distance < 2^53, smooth 1 .. TS_RECENT_MOST_SMOOTH. Scratch none; the caller owns the state.
 */
#ifndef TS_ALARM_H
#define TS_ALARM_H

#include <stdint.h>

#include "ts_recent.h"

typedef struct {
    int64_t threshold; /* at least 1 */
    uint16_t smooth;
    uint32_t hold_off; /* windows */
} ts_alarm_layer;

typedef struct {
    int64_t distance;  /* mean over the windows that were added, rounded down */
    int alarm;
    int event;
} ts_alarm_result;

/* Adds a window's distance to `recent`, which has one column. */
ts_alarm_result ts_alarm_add(const ts_alarm_layer *layer, ts_recent *recent, int64_t distance);

#endif
