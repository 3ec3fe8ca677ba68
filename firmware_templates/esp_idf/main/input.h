/* SPDX-License-Identifier: Apache-2.0 */
/* A kind of input behind one record, as InputKind is in Python: input_<kind>.c defines input_<kind>. */
#ifndef INPUT_H
#define INPUT_H

#include <stddef.h>
#include <stdint.h>

#include "capture.h"

/* NULL, or what went wrong, is what all of these return. */
typedef struct {
    const char *name;   /* of the sensor, for people */
    const char *prompt; /* what somebody must do at a capture, or NULL */
    /* Prints what was captured last: one line of how bright or loud it was, or all of it. NULL where nothing is told. */
    void (*show)(unsigned branch, int all);
    /* Takes the memory that a branch's front-end needs. */
    const char *(*prepare)(unsigned branch);
    /* What keeps a network's input from being computed. */
    const char *(*judge)(const ts_model *model, const int8_t *input);
    /* The bytes of a file become an input; on linux alone. For a stream: window number target->window, or capture_end.
     * Bytes without a header are samples only where the file's name says so (`raw`). */
    const char *(*file)(const capture_target *target, const uint8_t *bytes, size_t size, int raw);
    /* The sensor; on a chip alone. Only one that was opened is closed. */
    const char *(*open)(void);
    const char *(*take)(const capture_target *target);
    void (*close)(void);
} input_kind;

/* Scratch memory of a front-end: beside the input in its arena where there is room, else taken at start. */
int input_reserve(unsigned branch, size_t bytes); /* 0, or -1 where there is no memory */
void *input_scratch(const capture_target *target, size_t bytes);

/* Mean, smallest and largest value of an input. */
typedef struct {
    int mean;
    int least;
    int most;
} input_range;
input_range input_range_of(const int8_t *input, uint32_t bytes);

/* For kinds that have nothing better to show. */
void input_show_range(unsigned branch, int all);

/* For kinds that have nothing better to say: an input that is the same everywhere is of no use. */
const char *input_judge_any(const ts_model *model, const int8_t *input);

/* Where a window of `length` samples begins in a file of `have`: of a stream a hop after the one before it, else in the
 * middle. -1 where the stream ends. */
long input_window_start(const capture_target *target, size_t have, size_t length);

#endif
