/* SPDX-License-Identifier: Apache-2.0 */
/* What a device does when something happens, besides the line on its console. */
#ifndef EVENT_H
#define EVENT_H

#include <stdint.h>

/* The GPIO of the configuration; prints an error where there is none. */
void event_open(void);

/* Raises the GPIO and calls tinysearch_event. score: of a class, 20 fraction bits a branch; of an
 * anomaly, thousandths of the threshold. */
void event_tell(const char *name, int32_t score);

/* Lowers the GPIO: the time after an event is over. */
void event_end(void);

/* To be replaced: define a function of this name in a component of your own. It runs on the task that streams. */
void tinysearch_event(const char *name, int32_t score);

#endif
