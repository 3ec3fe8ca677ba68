/* SPDX-License-Identifier: Apache-2.0 */
/* The last windows of a stream, and when a device tells of one: what ts_classes and ts_alarm have in common. The arithmetic is
 * that of tinysearch/metrics/windows.py, which defines it.
 *
 * Range    sums of `smooth` values must fit int64_t. Scratch none; the caller owns the memory.
 */
#ifndef TS_RECENT_H
#define TS_RECENT_H

#include <stdint.h>

enum { TS_RECENT_MOST_SMOOTH = 32 };

typedef struct {
    int64_t *values;      /* [smooth][columns] of the caller */
    uint16_t count, next; /* windows in it, and where the next one goes */
    uint32_t quiet;       /* windows until an event is allowed */
} ts_recent;

/* Forgets all windows: before the first one, and after a gap. */
void ts_recent_reset(ts_recent *recent);

/* Adds a window's values [columns], in the place of the oldest of `smooth`. */
void ts_recent_add(ts_recent *recent, const int64_t *values, uint32_t columns, uint32_t smooth);

/* Sum of a column over the windows that are there. */
int64_t ts_recent_sum(const ts_recent *recent, uint32_t column, uint32_t columns);

/* A sum as a mean over the windows that are there, rounded down. */
int64_t ts_recent_mean(const ts_recent *recent, int64_t sum);

/* Whether a window is an event: it has something to tell, and the last event is more than `hold_off` windows ago. To be called
 * once a window. */
int ts_recent_event(ts_recent *recent, int tells, uint32_t hold_off);

#endif
