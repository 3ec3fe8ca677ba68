/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a capture holds a signal at all: the rule, the constants and the verdicts of tinysearch/data/capture_signal.py,
 * which defines them. What fails it would give everybody the same embedding. */
#ifndef CAPTURE_SIGNAL_H
#define CAPTURE_SIGNAL_H

#include <stdint.h>

enum {
    PICTURE_CONTRAST = 16,
    PICTURE_SIDE = 32,
    PICTURE_GRID = 8,
    PICTURE_STUCK_BLOCKS = 48,
    PICTURE_RAIL = 4,
    CLIP_BLOCK = 160, /* 10 ms at 16 kHz */
    CLIP_RANGE = 64,
    CLIP_RAIL = 32512,
    CLIP_RUN = 3,
    CLIP_NEAR = 256,
};

typedef enum { SIGNAL_GOOD, SIGNAL_FLAT, SIGNAL_SILENT, SIGNAL_STUCK, SIGNAL_CLIPPED } capture_signal;

/* A network's input [height][width][channels], byte - 128, channels 1 or 3. Not reentrant: it counts in static memory. */
capture_signal capture_judge_picture(const int8_t *image, uint32_t height, uint32_t width, uint32_t channels);

/* A mono recording at 16 kHz. */
capture_signal capture_judge_clip(const int16_t *clip, uint32_t samples);

/* NULL for a good one, else why it is not to be used. */
const char *capture_signal_problem(capture_signal verdict);

#endif
