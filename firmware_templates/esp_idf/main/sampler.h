/* SPDX-License-Identifier: Apache-2.0 */
/* Samples of a sensor by a timer, so that a stream loses nothing while its network computes; windows of them. */
#ifndef SAMPLER_H
#define SAMPLER_H

#include <stdint.h>

#include "capture.h"

enum { SAMPLER_MOST_AXES = 16 };

/* Owned by a sensor's driver, which gives the first two. */
typedef struct {
    int (*read)(int16_t *values); /* one sample [axes]: 0, or -1 where the sensor does not answer; on the timer's task */
    unsigned axes;
    void *timer, *kept;           /* a timer, and samples that wait for whoever captures */
    volatile int lost;            /* whether a sample found no room, or the sensor was silent */
} sampler;

/* Starts at so many thousandths of a sample a second. NULL, or why not. */
const char *sampler_start(sampler *from, uint32_t rate_mhz);

/* Fills a window and makes an input of it. NULL, or why not. */
const char *sampler_capture(sampler *from, const capture_target *target);

void sampler_stop(sampler *from);

#endif
