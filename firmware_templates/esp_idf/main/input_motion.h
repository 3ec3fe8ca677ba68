/* SPDX-License-Identifier: Apache-2.0 */
/* A motion sensor. Its drivers stand in motion.c, on a chip alone. */
#ifndef INPUT_MOTION_H
#define INPUT_MOTION_H

#include "window.h"

extern const input_kind input_motion;

const char *motion_open(void);
const char *motion_capture(const capture_target *target);
void motion_close(void);

#endif
