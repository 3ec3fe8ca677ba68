/* SPDX-License-Identifier: Apache-2.0 */
#include "sleep.h"

#include "candidate.h"
#include "commands.h"
#include "port.h"
#include "sdkconfig.h"

#if CONFIG_TS_SLEEP_DEEP
enum { DEEP = 1, SLEEPS = 1 };
#elif CONFIG_TS_SLEEP_LIGHT
enum { DEEP = 0, SLEEPS = 1 };
#else
enum { DEEP = 0, SLEEPS = 0 };
#endif
enum { LOOK_MS = 500 };

static int64_t awake_until_us = (int64_t)CONFIG_TS_AWAKE_S * 1000000;
static int stirred;

int sleep_woken(void)
{
    return DEEP && !stirred && port_woken();
}

void sleep_stir(void)
{
    stirred = 1;
    awake_until_us = port_us() + (int64_t)CONFIG_TS_AWAKE_S * 1000000;
}

int sleep_try(int64_t ms)
{
    const int somebody = !sleep_woken() && port_us() < awake_until_us;
    return SLEEPS && !somebody && port_sleep(DEEP, ms, CONFIG_TS_BUTTON_GPIO) == 0;
}

/* After a light sleep that the button ended, its task sees the press. */
static int nap(void)
{
    port_lock();
    sleep_try(-1);
    port_unlock();
    return LOOK_MS;
}

void sleep_between_presses(void)
{
    if (!SLEEPS || !CANDIDATE_BUTTON) {
        return;
    }
    if (sleep_woken()) {
        commands_button();
    }
    port_repeat(nap);
}
