/* SPDX-License-Identifier: Apache-2.0 */
/* A line that somebody types: characters in, what to echo out. */
#ifndef LINE_H
#define LINE_H

#include <stddef.h>

typedef struct {
    char *text;
    size_t size; /* of text, the end included; what is typed beyond is dropped */
    size_t length;
} line;

/* Takes one character: return ends a line, backspace and delete take back, others are added. echo is what a terminal
 * must show for it: a star instead of each character where hidden. Returns the length of a line that ended and is not
 * empty, else -1. */
int line_take(line *line, char c, int hidden, const char **echo);

#endif
