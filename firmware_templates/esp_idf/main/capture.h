/* SPDX-License-Identifier: Apache-2.0 */
/* From the world to a network's input: sensors on a chip, files on linux. */
#ifndef CAPTURE_H
#define CAPTURE_H

#include <stdint.h>

#include "ts_model.h"

enum { CAPTURE_ALONE = -1 };

/* What a capture fills. The arena is free memory until the network runs, but for the input, which may lie in it. */
typedef struct {
    const ts_model *model;
    int8_t *input;
    uint8_t *arena;
    unsigned branch;
    long window; /* of a stream, from 0: each begins a hop after the one before it; or CAPTURE_ALONE */
} capture_target;

/* The answer, compared by its address, where a stream has no further window. */
extern const char capture_end[];

/* Memory of the front-ends of all branches. NULL, or what is missing. */
const char *capture_prepare(void);

/* Opens the sensors of all branches, the first time, and prints a line for each. The application goes on without those
 * that fail, and asks again only after a restart. */
void capture_open(void);

/* Prints what a person must do for the sensor of a branch to see or hear them, where it has one. */
void capture_prompt(unsigned branch);

/* Whether only one sensor can be open: then captures must not run at once. */
int capture_in_turns(void);

/* Fills target->input from the branch's sensor, or from a file where path is not NULL. NULL, or why not.
 * Runs on a worker's task: does not print. */
const char *capture(const capture_target *target, const char *path);

/* A file as its kind reads it, see input.h. Only names that end in .raw or .pcm are read without a header: as samples, or
 * as one input where they have the size of one; .inputs holds inputs. Inputs are as they are, a byte - 128 each. */
const char *files_capture(const capture_target *target, const char *path);

#endif
