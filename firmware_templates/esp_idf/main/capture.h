/* SPDX-License-Identifier: Apache-2.0 */
/* From the world to a network's input: sensors on a chip, files on linux. */
#ifndef CAPTURE_H
#define CAPTURE_H

#include <stdint.h>

#include "ts_model.h"

/* What a capture fills. The arena is free memory until the network runs, but for the input, which may lie in it. */
typedef struct {
    const ts_model *model;
    int8_t *input;
    uint8_t *arena;
} capture_target;

/* Opens the sensors of all branches, the first time, and prints a line for each. The application goes on without those
 * that fail, and asks again only after a restart. */
void capture_open(void);

/* Prints what a person must do for the sensor of a branch to see or hear them, where it has one. */
void capture_prompt(const char *branch);

/* Whether only one sensor can be open: then captures must not run at once. */
int capture_in_turns(void);

/* Fills target->input from the branch's sensor, or from a file where path is not NULL. NULL, or why not.
 * Runs on a worker's task: does not print. */
const char *capture(const capture_target *target, const char *path);

/* Sensors: NULL, or why not; only one that was opened is closed. Each exists only in projects with that branch. */
const char *camera_open(void);
const char *camera_capture(const capture_target *target);
void camera_close(void);
const char *microphone_open(void);
const char *microphone_capture(const capture_target *target);
void microphone_close(void);

/* Memory of the front-ends. NULL, or what is missing. */
const char *frontend_open(void);

/* A picture or a recording becomes an input; the numbers are those of the training data. format: ts_pixel_format. */
const char *frontend_image(const capture_target *target, const uint8_t *pixels, uint32_t width, uint32_t height,
                           int format);

/* Where a recording of frontend_clip_samples() values at 16 kHz goes. */
int16_t *frontend_clip(void);
uint32_t frontend_clip_samples(void);
const char *frontend_sound(const capture_target *target); /* refuses one without signal */

/* A file: the bytes of an input (byte - 128), a binary PPM or PGM picture, 16-bit mono PCM or such a WAV. */
const char *files_capture(const capture_target *target, const char *path);

#endif
