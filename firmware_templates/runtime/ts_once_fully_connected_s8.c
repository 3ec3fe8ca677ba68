/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_once_fully_connected_s8.h"

size_t ts_once_fully_connected_s8_scratch_bytes(const ts_once_fully_connected_s8_layer *layer)
{
    (void)layer;
    return 0;
}

static int8_t output_of(const ts_once_fully_connected_s8_layer *layer, int32_t sum, int32_t out)
{
    const ts_once r = ts_once_of(layer->multiplier[out], layer->shift[out], layer->addend + 2 * out, layer->ties);
    return (int8_t)ts_clamp(ts_once_rounded(sum, r) + layer->range.zero, layer->range.low, layer->range.high);
}

#define OUTPUT(sum, out) output_of(layer, sum, out)
#define KERNEL ts_once_fully_connected_s8
#define LAYER ts_once_fully_connected_s8_layer
#include "ts_tfl_fully_connected_loops.h"
