/* SPDX-License-Identifier: Apache-2.0 */
/* Any other series. Whoever has such a sensor writes the three functions, in a file that is built for chips. */
#ifndef INPUT_SIGNAL_H
#define INPUT_SIGNAL_H

#include "window.h"

extern const input_kind input_signal;

const char *signal_open(void);
const char *signal_capture(const capture_target *target);
void signal_close(void);

#endif
