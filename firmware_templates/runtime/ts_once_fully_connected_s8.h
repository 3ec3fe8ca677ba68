/* SPDX-License-Identifier: Apache-2.0 */
/* int8 fully connected layer over the rows of its input, sums rounded once, as ts_once does.
 *
 * Layout   input [rows][in_count], output [rows][out_count].
 * Range    sums of products stay below 2^31 in magnitude; real biases are part of the addends.
 * Aliasing none: output and input are apart.
 * Scratch  none.
 */
#ifndef TS_ONCE_FULLY_CONNECTED_S8_H
#define TS_ONCE_FULLY_CONNECTED_S8_H

#include "ts_once.h"

typedef struct {
    int32_t rows, in_count, out_count;
    ts_tfl_range range;
    const int8_t *weights;     /* [ceil(out_count / 8)][in_count][8] */
    const int32_t *bias;       /* [out_count rounded up to 8]: minus the input's zero point times the sum of the weights */
    int32_t ties;              /* as in ts_once, of all outputs */
    const int32_t *multiplier; /* [out_count]: of ts_once, as the next two */
    const int32_t *addend;     /* [out_count][2] */
    const int8_t *shift;       /* [out_count] */
} ts_once_fully_connected_s8_layer;

size_t ts_once_fully_connected_s8_scratch_bytes(const ts_once_fully_connected_s8_layer *layer);
void ts_once_fully_connected_s8(const ts_once_fully_connected_s8_layer *layer, const int8_t *input, int8_t *output,
                                void *scratch);

#endif
