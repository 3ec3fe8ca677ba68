/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_tfl_copy_s8.h"

size_t ts_tfl_copy_s8_scratch_bytes(const ts_tfl_copy_s8_layer *layer)
{
    (void)layer;
    return 0;
}

static void copy_row(const int8_t *input, int32_t in_step, int8_t *output, int32_t out_step, int32_t count)
{
    for (; count > 0; --count, input += in_step, output += out_step) {
        *output = *input;
    }
}

static void copy_axis(const ts_tfl_copy_s8_layer *layer, int32_t axis, const int8_t *input, int8_t *output)
{
    const int32_t in_step = layer->in_steps[axis], out_step = layer->out_steps[axis];
    if (axis == 3) {
        copy_row(input, in_step, output, out_step, layer->counts[axis]);
        return;
    }
    for (int32_t left = layer->counts[axis]; left > 0; --left, input += in_step, output += out_step) {
        copy_axis(layer, axis + 1, input, output);
    }
}

void ts_tfl_copy_s8(const ts_tfl_copy_s8_layer *layer, const int8_t *input, int8_t *output, void *scratch)
{
    (void)scratch;
    for (int32_t index = 0; index < layer->fill_count; ++index) {
        output[index] = (int8_t)layer->fill_value;
    }
    copy_axis(layer, 0, input + layer->in_first, output + layer->out_first);
}
