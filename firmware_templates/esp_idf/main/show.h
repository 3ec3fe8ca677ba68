/* SPDX-License-Identifier: Apache-2.0 */
/* What the sensors deliver, told over the console: so that a person sees whether they are right. */
#ifndef SHOW_H
#define SHOW_H

#include "input.h"

/* Captures with every sensor and prints how bright or loud it was. NULL, or what failed last. */
const char *show_signals(void);

/* Captures for the first branch of a kind, from its sensor, or from a file where path is not NULL, and prints all of it.
 * NULL, or why not. */
const char *show_all(const char *kind, const char *path);

#endif
