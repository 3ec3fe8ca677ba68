/* SPDX-License-Identifier: Apache-2.0 */
/* The fixed pseudo-random input of the self-test, and what the oracle makes of it. */
#ifndef SELFTEST_H
#define SELFTEST_H

#include <stdint.h>

extern const uint32_t selftest_crc; /* CRC-32 of all outputs */

/* Byte by byte: state = state * 1664525 + 1013904223 from 1 on, its high byte less 128; four of them are a float of that
 * value / 32. */
void selftest_fill(uint8_t *arena);

#endif
