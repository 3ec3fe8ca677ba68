/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_pie.h"

/* On a PC the kernels are there where a model of the instructions stands in for the chip: TS_PIE_MODEL. */
#if __has_include("sdkconfig.h")
#include "sdkconfig.h"
#endif

#if defined(CONFIG_IDF_TARGET_ESP32S3) || defined(TS_PIE_MODEL)

typedef void kernel(const void *layer, const void *left, const void *right, void *output, void *scratch);

kernel ts_pie_add_s8, ts_pie_average_s8, ts_pie_conv_s8, ts_pie_depthwise_s8, ts_pie_fully_connected_s8, ts_pie_max_pool_s8,
    ts_pie_pack_s8, ts_pie_xnor_conv;

static kernel *const kernels[TS_PIE_OPERATORS] = {
    [TS_PIE_CONV_S8] = ts_pie_conv_s8,
    [TS_PIE_FULLY_CONNECTED_S8] = ts_pie_fully_connected_s8,
    [TS_PIE_XNOR_CONV] = ts_pie_xnor_conv,
    [TS_PIE_DEPTHWISE_S8] = ts_pie_depthwise_s8,
    [TS_PIE_ADD_S8] = ts_pie_add_s8,
    [TS_PIE_MAX_POOL_S8] = ts_pie_max_pool_s8,
    [TS_PIE_AVERAGE_S8] = ts_pie_average_s8,
    [TS_PIE_PACK_S8] = ts_pie_pack_s8,
};

int32_t ts_pie_scratch_bytes(const ts_pie_layer *const *layers, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (((uintptr_t)layers[i]->block & 15u) != 0) {
            return -1; /* a vector load would drop the low bits of the address without a word */
        }
    }
    return 0;
}

void ts_pie_step(const ts_pie_layer *layer, const void *left, const void *right, void *output, void *scratch)
{
    kernels[layer->op](layer->block, left, right, output, scratch);
}

#else

int32_t ts_pie_scratch_bytes(const ts_pie_layer *const *layers, unsigned count)
{
    (void)layers;
    (void)count;
    return -1;
}

void ts_pie_step(const ts_pie_layer *layer, const void *left, const void *right, void *output, void *scratch)
{
    (void)layer;
    (void)left;
    (void)right;
    (void)output;
    (void)scratch;
}

#endif
