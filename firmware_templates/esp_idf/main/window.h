/* SPDX-License-Identifier: Apache-2.0 */
/* Windows of samples: what input_motion.c and input_signal.c have in common. Counts are int16, as a sensor of 16 bits
 * gives them: 32768 are the range that it is set to. */
#ifndef WINDOW_H
#define WINDOW_H

#include "input.h"
#include "ts_window.h"

/* See input.h. A file is counts, little-endian, [samples][axes]; the window is its middle, or of a stream goes on. */
const char *window_prepare(unsigned branch);
const char *window_judge(const ts_model *model, const int8_t *input);
const char *window_file(const capture_target *target, const uint8_t *bytes, size_t size, int raw);

/* Where the counts of a branch's window go, [samples][axes]; they stay there until the next capture. */
int16_t *window_samples(unsigned branch);
const ts_window_layer *window_layer(unsigned branch);

/* Makes room at the end of a window for what is new in it, all of it or a hop. Samples that are to be read, from
 * *first on. */
uint32_t window_advance(const capture_target *target, int16_t **first);

/* The window becomes an input; one without signal is refused: all axes stand still to the last bit. */
const char *window_image(const capture_target *target);

#endif
