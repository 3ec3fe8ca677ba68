/* SPDX-License-Identifier: Apache-2.0 */
#include "event.h"

#include <stdio.h>

#include "port.h"
#include "sdkconfig.h"

static int wired;

void event_open(void)
{
    if (CONFIG_TS_EVENT_GPIO >= 0) {
        wired = port_output_open(CONFIG_TS_EVENT_GPIO) == 0;
        if (!wired) {
            printf("ERR event: GPIO %d\n", CONFIG_TS_EVENT_GPIO);
        }
    }
}

void event_tell(const char *name, int32_t score)
{
    if (wired) {
        port_output(CONFIG_TS_EVENT_GPIO, 1);
    }
    tinysearch_event(name, score);
}

void event_end(void)
{
    if (wired) {
        port_output(CONFIG_TS_EVENT_GPIO, 0);
    }
}

__attribute__((weak)) void tinysearch_event(const char *name, int32_t score)
{
    (void)name;
    (void)score;
}
