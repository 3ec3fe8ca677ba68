/* SPDX-License-Identifier: Apache-2.0 */
/* Windows one after the other, and one JSON line for each: {"window":3,"ms":81723, what the application says}. */
#ifndef STREAM_H
#define STREAM_H

#include "candidate.h"

/* What the application does with a window. */
typedef struct {
    /* The embeddings have been computed: prints the members of the line's object, without its braces. */
    void (*judge)(void);
    /* Forgets all windows: before the first, and after a gap. */
    void (*reset)(void);
} stream_application;

/* One capture by itself, from files where words name them. */
void stream_once(const stream_application *application, char *const *words);

/* All windows of files, or those of the sensors until words say off. */
void stream_run(const stream_application *application, char *const *words);

/* As stream_run of the sensors, where the task and the configuration ask for it. */
void stream_start(const stream_application *application);

#endif
