/* SPDX-License-Identifier: Apache-2.0 */
/* int8 mean over height and width with fused ReLU, TensorFlow Lite's AVERAGE_POOL: scale and zero point stay, halves
 * are rounded away from zero.
 *
 * Layout   input [pixels][channels], output [channels]; pixels < 2^23.
 * Aliasing output may equal input: channel c only overwrites a place of channel c that was read.
 * Scratch  none.
 */
#ifndef TS_AVERAGE_S8_H
#define TS_AVERAGE_S8_H

#include "ts_arithmetic.h"

typedef struct {
    int32_t pixels, channels;
    int32_t low; /* lower clamp: the zero point for a fused ReLU, else -128 */
} ts_average_s8_layer;

size_t ts_average_s8_scratch_bytes(const ts_average_s8_layer *layer);
void ts_average_s8(const ts_average_s8_layer *layer, const int8_t *input, int8_t *output, void *scratch);

#endif
