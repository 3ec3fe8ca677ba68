/* SPDX-License-Identifier: Apache-2.0 */
/* From the scores of windows that follow each other to a class, or to none, and to events: the arithmetic of
 * tinysearch/metrics/windows.py, which defines it.
 *
 * A window's score for a class is the sum of its branches' cosines to the prototypes of that class, 20 fraction bits
 * each. Scores are added over the last `smooth` windows; the class with the largest sum is the nearest, of equal ones the
 * first. It is the answer where the mean over the windows that were added, rounded down, reaches the class's threshold, else
 * nothing is (TS_CLASSES_UNKNOWN). An answer is an event where its class is one to tell of and the last event is more than
 * `hold_off` windows ago.
 *
 * Range    |score| < 2^31, smooth 1 .. TS_RECENT_MOST_SMOOTH, so that sums are exact. Scratch none; the caller owns the state.
 */
#ifndef TS_CLASSES_H
#define TS_CLASSES_H

#include <stdint.h>

#include "ts_recent.h"

enum { TS_CLASSES_UNKNOWN = -1 };

typedef struct {
    const int32_t *thresholds; /* [classes] */
    const uint8_t *told;       /* [classes]: whether an answer is worth an event */
    uint16_t classes;
    uint16_t smooth;
    uint32_t hold_off;         /* windows */
} ts_classes_layer;

typedef struct {
    int32_t nearest;           /* class of the largest sum */
    int32_t answer;            /* the same, or TS_CLASSES_UNKNOWN */
    int32_t score;             /* its mean over the windows that were added, rounded down */
    int event;
} ts_classes_result;

/* Adds a window's scores [classes] to `recent`, whose columns are the classes. */
ts_classes_result ts_classes_add(const ts_classes_layer *layer, ts_recent *recent, const int64_t *scores);

#endif
