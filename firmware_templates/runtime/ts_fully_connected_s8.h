/* SPDX-License-Identifier: Apache-2.0 */
/* int8 fully connected layer with fused ReLU.
 *
 * Layout   input [in_count], output [out_count].
 * Range    sums of products with the bias stay below 2^30 in magnitude (the packer checks).
 * Aliasing none: output and input are apart.
 * Scratch  none.
 */
#ifndef TS_FULLY_CONNECTED_S8_H
#define TS_FULLY_CONNECTED_S8_H

#include "ts_arithmetic.h"

typedef struct {
    int32_t in_count, out_count;
    int32_t out_zero;          /* zero point of the output */
    int32_t low;               /* lower clamp: out_zero for a fused ReLU, else -128 */
    const int8_t *weights;     /* [ceil(out_count / 8)][in_count][8] */
    const int32_t *bias;       /* [out_count rounded up to 8], less the input's zero point times the sum of weights */
    const int32_t *multiplier; /* [out_count] */
    const uint8_t *shift;      /* [out_count], 1 .. 31 */
} ts_fully_connected_s8_layer;

size_t ts_fully_connected_s8_scratch_bytes(const ts_fully_connected_s8_layer *layer);
void ts_fully_connected_s8(const ts_fully_connected_s8_layer *layer, const int8_t *input, int8_t *output,
                           void *scratch);

#endif
