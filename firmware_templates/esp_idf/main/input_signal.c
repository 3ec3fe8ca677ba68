/* SPDX-License-Identifier: Apache-2.0 */
#include "input_signal.h"

#include "sdkconfig.h"

const input_kind input_signal = {
    .name = "signal",
    .show = input_show_range,
    .prepare = window_prepare,
    .judge = window_judge,
#if CONFIG_IDF_TARGET_LINUX
    .file = window_file,
#endif
#if CONFIG_TS_CAPTURE_HARDWARE
    .open = signal_open,
    .take = signal_capture,
    .close = signal_close,
#endif
};
