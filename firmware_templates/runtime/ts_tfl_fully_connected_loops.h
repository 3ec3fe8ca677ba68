/* SPDX-License-Identifier: Apache-2.0 */
/* An int8 fully connected layer, for the kernels that include it: they differ in how a sum becomes an output. Before it
 * must be defined
 *     KERNEL              the name of the kernel,
 *     LAYER               the type of its layer, with the members of ts_tfl_fully_connected_s8_layer that are read here,
 *     OUTPUT(sum, out)    output number `out` of `layer` from its sum.
 */
#ifndef TS_TFL_FULLY_CONNECTED_LOOPS_H
#define TS_TFL_FULLY_CONNECTED_LOOPS_H

#include "ts_multiply_eight.h"

static void multiply_row(const LAYER *layer, const int8_t *input, int8_t *output)
{
    const int8_t *weights = layer->weights;
    int32_t sums[OUTPUTS];
    for (int32_t first = 0; first < layer->out_count; first += OUTPUTS) {
        const int32_t last = ts_tfl_smaller(first + OUTPUTS, layer->out_count);
        multiply_eight(input, weights, layer->in_count, layer->bias + first, sums);
        weights += layer->in_count * OUTPUTS;
        for (int32_t out = first; out < last; ++out) {
            output[out] = OUTPUT(sums[out - first], out);
        }
    }
}

void KERNEL(const LAYER *layer, const int8_t *input, int8_t *output, void *scratch)
{
    (void)scratch;
    for (int32_t row = 0; row < layer->rows; ++row, input += layer->in_count, output += layer->out_count) {
        multiply_row(layer, input, output);
    }
}

#endif
