/* SPDX-License-Identifier: Apache-2.0 */
/* The score from which a person is accepted: that of the point that was emitted, or what menuconfig says instead. */
#ifndef THRESHOLD_H
#define THRESHOLD_H

#include "candidate.h"
#include "sdkconfig.h"

#if CONFIG_TS_THRESHOLD
#define ACCEPTING_SCORE INT32_C(CONFIG_TS_THRESHOLD)
#elif CONFIG_TS_STRICTER
#define ACCEPTING_SCORE CANDIDATE_STRICTER_THRESHOLD
#else
#define ACCEPTING_SCORE CANDIDATE_THRESHOLD
#endif

#endif
