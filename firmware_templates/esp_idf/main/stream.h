/* SPDX-License-Identifier: Apache-2.0 */
/* Windows one after the other, and one JSON line for each: {"window":3,"ms":81723, what the application says}. */
#ifndef STREAM_H
#define STREAM_H

#include <stdint.h>

#include "candidate.h"
#include "ts_recent.h"

/* What an application tells of a window. */
typedef struct {
    const char *event; /* its name; NULL where there is none */
    int32_t score;     /* see event_tell */
} stream_told;

/* The application, of app_classify.c or app_anomaly.c; stream.c opens and starts it (application.h). */
typedef struct {
    /* The embeddings have been computed: adds the window to `recent`, and prints the members of the line's object, without
     * its braces. */
    stream_told (*judge)(void);
    ts_recent *recent; /* forgotten before the first window and after a gap */
} stream_application;

extern const stream_application application_stream;

/* Command: one capture by itself, from files where words name them. */
void stream_once(char *const *words);

/* Command: all windows of files, or those of the sensors until words say off. */
void stream_run(char *const *words);

#endif
