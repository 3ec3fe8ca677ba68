/* SPDX-License-Identifier: Apache-2.0 */
/* int8 long short-term memory over a sequence: four gates of 16 bits, a cell of 16 bits, an int8 output a step.
 *
 * Gates    input, forget, cell and output, in this order; numbers of 12 fraction bits become sigmoids (the cell gate: a
 *          hyperbolic tangent) of 15 by interpolation in a table.
 * Layout   input [steps][inputs], output [steps][units], hidden and cell [units].
 * States   hidden and cell are what the last run left and are written; NULL for both starts every run at zero.
 * Aliasing none.
 * Scratch  4 gates, rounded up to 8 values, of 16 bits, and hidden and cell.
 */
#ifndef TS_TFL_LSTM_S8_H
#define TS_TFL_LSTM_S8_H

#include "ts_tfl_arithmetic.h"

/* Shifts to the right, -30 .. 31. */
typedef struct {
    int32_t multiplier, shift;
} ts_tfl_factor;

typedef struct {
    int32_t steps, inputs, units;
    int32_t hidden_zero;
    int32_t cell_shift;                           /* of the cell to 12 fraction bits, to the left, -12 .. 12 */
    int32_t cell_clip;                            /* 0: none */
    ts_tfl_factor keep, add, show;                /* forget gate * cell, input gate * cell gate, output gate * tangent */
    const int32_t *input_factors, *hidden_factors; /* [4][2]: multiplier and shift of sums of products, by gate */
    const int8_t *input_weights, *hidden_weights; /* [4 * units / 8][inputs or units][8], the last ones filled up */
    const int32_t *input_bias, *hidden_bias;      /* [4 * units], filled up to 8 */
    const uint16_t *sigmoid;                      /* [256]: of i / 24, 16 fraction bits */
} ts_tfl_lstm_s8_layer;

size_t ts_tfl_lstm_s8_scratch_bytes(const ts_tfl_lstm_s8_layer *layer);
void ts_tfl_lstm_s8(const ts_tfl_lstm_s8_layer *layer, const int8_t *input, int8_t *hidden, int16_t *cell,
                    int8_t *output, void *scratch);

#endif
