/* SPDX-License-Identifier: Apache-2.0 */
/* Pauses between decisions, where the task's schedule has them: the device sleeps as CONFIG_TS_SLEEP_LIGHT or
 * CONFIG_TS_SLEEP_DEEP say, unless somebody is there. Deep sleep forgets all but variables that are PORT_KEPT. */
#ifndef SLEEP_H
#define SLEEP_H

#include <stdint.h>

/* Whether this start ended a deep sleep: then nobody is there, and the device decides at once. */
int sleep_woken(void);

/* Somebody is there: the device stays awake for CONFIG_TS_AWAKE_S, as it does after a start of another kind. */
void sleep_stir(void);

/* Sleeps until `ms` are over or the button is pressed; negative: until the button is. Whether it did: not where somebody is there,
 * sleep is off or nothing could wake it. No command may run. */
int sleep_try(int64_t ms);

/* After READY, of a device that decides when the button is pressed: decides if that woke it, and sleeps whenever it may. */
void sleep_between_presses(void);

#endif
