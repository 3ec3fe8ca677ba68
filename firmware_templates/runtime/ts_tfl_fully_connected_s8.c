/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_tfl_fully_connected_s8.h"

size_t ts_tfl_fully_connected_s8_scratch_bytes(const ts_tfl_fully_connected_s8_layer *layer)
{
    (void)layer;
    return 0;
}

#define OUTPUT(sum, out) ts_tfl_output(sum, layer->multiplier[out], layer->shift[out], &layer->range)
#define KERNEL ts_tfl_fully_connected_s8
#define LAYER ts_tfl_fully_connected_s8_layer
#include "ts_tfl_fully_connected_loops.h"
