/* SPDX-License-Identifier: Apache-2.0 */
/* Failed attempts, counted in NVS before each comparison, and lock-outs that double until somebody is accepted. */
#ifndef ATTEMPTS_H
#define ATTEMPTS_H

/* Reads the count; a device that lost power while it was locked starts locked, for the whole time. 0, or -1 where the
 * store neither has a count nor takes one: then no attempt is allowed. */
int attempts_open(void);

/* Seconds that a lock-out still holds, 0 where there is none. */
unsigned attempts_locked_s(void);

/* Counts an attempt as failed, and locks if these are spent. To be called before the comparison, so that cutting the
 * power after it gains nothing. NULL, or why there must be none; attempts_locked_s() must be 0. */
const char *attempts_begin(void);

/* The attempt that was begun is right: the count starts anew. */
void attempts_accept(void);

#endif
