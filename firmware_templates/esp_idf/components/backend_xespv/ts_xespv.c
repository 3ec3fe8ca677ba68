/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_xespv.h"

/* On a PC the kernels are there where a model of the instructions stands in for the chip: TS_XESPV_MODEL. */
#if __has_include("sdkconfig.h")
#include "sdkconfig.h"
#endif

#if defined(CONFIG_IDF_TARGET_ESP32P4) || defined(CONFIG_IDF_TARGET_ESP32S31) || defined(TS_XESPV_MODEL)

typedef void kernel(const void *layer, const void *left, const void *right, void *output, void *scratch);

kernel ts_xespv_add_s8, ts_xespv_average_s8, ts_xespv_conv_s8, ts_xespv_depthwise_s8, ts_xespv_max_pool_s8, ts_xespv_pack_s8,
    ts_xespv_xnor_conv;

static kernel *const kernels[TS_XESPV_OPERATORS] = {
    [TS_XESPV_CONV_S8] = ts_xespv_conv_s8,
    [TS_XESPV_DEPTHWISE_S8] = ts_xespv_depthwise_s8,
    [TS_XESPV_MAX_POOL_S8] = ts_xespv_max_pool_s8,
    [TS_XESPV_AVERAGE_S8] = ts_xespv_average_s8,
    [TS_XESPV_XNOR_CONV] = ts_xespv_xnor_conv,
    [TS_XESPV_ADD_S8] = ts_xespv_add_s8,
    [TS_XESPV_PACK_S8] = ts_xespv_pack_s8,
};

int32_t ts_xespv_scratch_bytes(const ts_xespv_layer *const *layers, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (((uintptr_t)layers[i]->block & 15u) != 0) {
            return -1; /* a vector load at such an address is a matter of the unit's mode */
        }
    }
    return 0;
}

void ts_xespv_step(const ts_xespv_layer *layer, const void *left, const void *right, void *output, void *scratch)
{
    kernels[layer->op](layer->block, left, right, output, scratch);
}

#else

int32_t ts_xespv_scratch_bytes(const ts_xespv_layer *const *layers, unsigned count)
{
    (void)layers;
    (void)count;
    return -1;
}

void ts_xespv_step(const ts_xespv_layer *layer, const void *left, const void *right, void *output, void *scratch)
{
    (void)layer;
    (void)left;
    (void)right;
    (void)output;
    (void)scratch;
}

#endif
