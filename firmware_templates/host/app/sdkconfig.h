/* SPDX-License-Identifier: Apache-2.0 */
/* What menuconfig would choose for the linux target; -D changes it. Off: CONFIG_TS_FEED, CONFIG_TS_DEBUG_SCORES. */
#ifndef SDKCONFIG_H
#define SDKCONFIG_H

#define CONFIG_IDF_TARGET_LINUX 1
#define CONFIG_TS_CAPTURE_FILE 1
#define CONFIG_TS_SELFTEST_AT_START 1
#define CONFIG_TS_BUTTON_GPIO (-1)
#define CONFIG_TS_EVENT_GPIO (-1)
#define CONFIG_TS_STREAM_AT_START 1
#ifndef CONFIG_TS_AWAKE_S
#define CONFIG_TS_AWAKE_S 60
#endif
#ifndef CONFIG_TS_THRESHOLD
#define CONFIG_TS_THRESHOLD 0
#endif
#ifndef CONFIG_TS_STRICTER
#define CONFIG_TS_STRICTER 0
#endif
#ifndef CONFIG_TS_ATTEMPTS
#define CONFIG_TS_ATTEMPTS 5
#endif
#ifndef CONFIG_TS_LOCKOUT_S
#define CONFIG_TS_LOCKOUT_S 30
#endif
#ifndef CONFIG_TS_OPEN_S
#define CONFIG_TS_OPEN_S 120
#endif

#endif
