/* SPDX-License-Identifier: Apache-2.0 */
/* Golden vectors: inputs one after the other, and what the oracle makes of them. */
#ifndef GOLDEN_H
#define GOLDEN_H

#include <stdint.h>

extern const uint32_t golden_count;
extern const uint8_t golden_inputs[];  /* [golden_count][NETWORK_INPUT_BYTES] */
extern const uint8_t golden_outputs[]; /* [golden_count][NETWORK_OUTPUT_BYTES] */

#endif
