/* SPDX-License-Identifier: Apache-2.0 */
/* int8 fully connected layer over the rows of its input, a requantization of its own for every output.
 *
 * Layout   input [rows][in_count], output [rows][out_count].
 * Range    sums of products with the bias stay below 2^31 in magnitude, also shifted to the left (the packer checks).
 * Aliasing none: output and input are apart.
 * Scratch  none.
 */
#ifndef TS_TFL_FULLY_CONNECTED_S8_H
#define TS_TFL_FULLY_CONNECTED_S8_H

#include "ts_tfl_arithmetic.h"

typedef struct {
    int32_t rows, in_count, out_count;
    ts_tfl_range range;
    const int8_t *weights;     /* [ceil(out_count / 8)][in_count][8] */
    const int32_t *bias;       /* [out_count rounded up to 8], less the input's zero point times the sum of weights */
    const int32_t *multiplier; /* [out_count] */
    const int8_t *shift;       /* [out_count], to the right, -31 .. 31 */
} ts_tfl_fully_connected_s8_layer;

size_t ts_tfl_fully_connected_s8_scratch_bytes(const ts_tfl_fully_connected_s8_layer *layer);
void ts_tfl_fully_connected_s8(const ts_tfl_fully_connected_s8_layer *layer, const int8_t *input, int8_t *output,
                               void *scratch);

#endif
