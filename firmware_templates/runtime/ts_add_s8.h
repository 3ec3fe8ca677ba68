/* SPDX-License-Identifier: Apache-2.0 */
/* int8 addition of two tensors with fused ReLU, TensorFlow Lite's arithmetic with a left shift of 20.
 *
 * Layout   input, input2 and output hold `count` values in any one order.
 * Aliasing output may equal input or input2, and these may equal each other.
 * Scratch  ts_add_s8_scratch_bytes(layer): two tables of 256 words, 4-byte aligned.
 */
#ifndef TS_ADD_S8_H
#define TS_ADD_S8_H

#include "ts_arithmetic.h"

typedef struct {
    int32_t count;
    int32_t zero[2];       /* zero points of the inputs */
    int32_t multiplier[3]; /* left, right, output */
    int32_t shift[3];      /* 0 .. 31 for the inputs, 1 .. 31 for the output */
    int32_t out_zero;      /* zero point of the output */
    int32_t low;           /* lower clamp: out_zero for a fused ReLU, else -128 */
} ts_add_s8_layer;

size_t ts_add_s8_scratch_bytes(const ts_add_s8_layer *layer);
void ts_add_s8(const ts_add_s8_layer *layer, const int8_t *input, const int8_t *input2, int8_t *output, void *scratch);

#endif
