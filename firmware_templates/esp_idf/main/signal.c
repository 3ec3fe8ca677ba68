/* SPDX-License-Identifier: Apache-2.0 */
/* Where the driver of a sensor of your own goes: fill window_samples(target->branch) as motion.c does, at the rate and in
 * the counts of the task, and return window_image(target). Until then the device says that there is none. */
#include "input_signal.h"

const char *signal_open(void)
{
    return "no driver was written for this signal; see main/signal.c";
}

const char *signal_capture(const capture_target *target)
{
    (void)target;
    return "no driver was written for this signal; see main/signal.c";
}

void signal_close(void)
{
}
