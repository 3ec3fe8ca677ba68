/* SPDX-License-Identifier: Apache-2.0 */
/* Sound at 16 kHz. The driver stands in microphone.c, on a chip alone. */
#ifndef INPUT_MICROPHONE_H
#define INPUT_MICROPHONE_H

#include "input.h"

extern const input_kind input_microphone;

const char *microphone_open(void);
const char *microphone_capture(const capture_target *target);
void microphone_close(void);

/* Where a branch's recording of microphone_samples() values goes; it stays there until the next capture. */
int16_t *microphone_clip(unsigned branch);
uint32_t microphone_samples(unsigned branch);

/* The recording becomes an input; one without signal is refused. */
const char *microphone_sound(const capture_target *target);

#endif
