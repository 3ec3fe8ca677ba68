/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_lookup_s8.h"

size_t ts_lookup_s8_scratch_bytes(const ts_lookup_s8_layer *layer)
{
    (void)layer;
    return 0;
}

void ts_lookup_s8(const ts_lookup_s8_layer *layer, const int8_t *input, int8_t *output, void *scratch)
{
    const int8_t *const middle = layer->table + 128;
    (void)scratch;
    for (const int8_t *const end = input + layer->count; input < end; ++input, ++output) {
        *output = middle[*input];
    }
}
