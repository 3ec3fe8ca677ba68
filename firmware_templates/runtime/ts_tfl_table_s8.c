/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_tfl_table_s8.h"

size_t ts_tfl_table_s8_scratch_bytes(const ts_tfl_table_s8_layer *layer)
{
    (void)layer;
    return 0;
}

void ts_tfl_table_s8(const ts_tfl_table_s8_layer *layer, const int8_t *input, int8_t *output, void *scratch)
{
    const int8_t *const table = layer->table;
    (void)scratch;
    for (int32_t index = 0; index < layer->count; ++index) {
        output[index] = table[(uint8_t)input[index]];
    }
}
