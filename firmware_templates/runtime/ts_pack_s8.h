/* SPDX-License-Identifier: Apache-2.0 */
/* int8 to bit planes: level = number of thresholds that a value reaches.
 *
 * input: int8 [pixels, channels].
 * output: bit planes [pixels, activation_bits, ceil(channels / 32)] words, channel 32 w + i in bit i of word w, unused
 *     bits zero.
 * thresholds: int32 [2^activation_bits - 1], ascending, any value.
 * Ranges: activation_bits 1 .. 3.
 * Aliasing: input and output may not overlap.
 * Scratch: the caller's, ts_pack_s8_scratch_bytes bytes (none for activation_bits 1, NULL allowed), 4-byte aligned.
 */
#ifndef TS_PACK_S8_H
#define TS_PACK_S8_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    int32_t pixels, channels;
    int32_t activation_bits;
    const int32_t *thresholds;
} ts_pack_s8_layer;

size_t ts_pack_s8_scratch_bytes(const ts_pack_s8_layer *layer);

void ts_pack_s8(const ts_pack_s8_layer *layer, const int8_t *input, uint32_t *output, void *scratch);

#endif
