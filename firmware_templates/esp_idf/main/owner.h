/* SPDX-License-Identifier: Apache-2.0 */
/* Who may change who is enrolled: for CONFIG_TS_OPEN_S after an accepted verification, a right PIN, or the first
 * enrollment of an empty device. The PIN is kept as a salted hash, and never printed. */
#ifndef OWNER_H
#define OWNER_H

typedef enum { OWNER_PIN_NONE, OWNER_PIN_SET, OWNER_PIN_DAMAGED } owner_pin_state;

void owner_open(void);
void owner_close(void);
int owner_is_open(void);

/* Whether the store has a PIN. One that cannot be read or is damaged lets nobody in, and is not none. */
owner_pin_state owner_pin(void);

/* Whether a PIN has 6 to 16 digits. */
int owner_pin_ok(const char *pin);

/* Whether this is the PIN; takes the same time for every wrong one. Slow on purpose, half a second on a chip. */
int owner_is_pin(const char *pin);

/* Replaces the PIN. NULL, or why not. */
const char *owner_set_pin(const char *pin);

#endif
