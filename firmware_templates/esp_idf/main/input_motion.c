/* SPDX-License-Identifier: Apache-2.0 */
#include "input_motion.h"

#include "sdkconfig.h"

const input_kind input_motion = {
    .name = "motion sensor",
    .prompt = "move now",
    .show = input_show_range,
    .prepare = window_prepare,
    .judge = window_judge,
#if CONFIG_IDF_TARGET_LINUX
    .file = window_file,
#endif
#if CONFIG_TS_CAPTURE_HARDWARE
    .open = motion_open,
    .take = motion_capture,
    .close = motion_close,
#endif
};
