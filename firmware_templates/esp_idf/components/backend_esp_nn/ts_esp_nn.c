/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_esp_nn.h"

/* esp_nn.h asks sdkconfig.h for the chip. Its versions in C are slower than the portable kernels: good for a test on a PC,
 * and on a chip as if it were not there. */
#if __has_include("sdkconfig.h")
#include "sdkconfig.h"
#endif

#if __has_include("esp_nn.h") && (!defined(CONFIG_IDF_TARGET) || defined(CONFIG_NN_OPTIMIZED))
#include "esp_nn.h"

enum { HIGH = 127, ADD_LEFT_SHIFT = 20 };

static data_dims_t dims(int32_t height, int32_t width, int32_t channels)
{
    const data_dims_t result = {.width = width, .height = height, .channels = channels, .extra = 1};
    return result;
}

static data_dims_t input_dims(const ts_esp_nn_layer *layer)
{
    return dims(layer->in_height, layer->in_width, layer->in_channels);
}

static data_dims_t output_dims(const ts_esp_nn_layer *layer)
{
    return dims(layer->out_height, layer->out_width, layer->out_channels);
}

static conv_params_t conv_params(const ts_esp_nn_layer *layer)
{
    const conv_params_t result = {
        .in_offset = -layer->in_zero[0],
        .out_offset = layer->out_zero,
        .stride = {layer->stride, layer->stride},
        .padding = {layer->padding, layer->padding},
        .dilation = {1, 1},
        .activation = {layer->low, HIGH},
    };
    return result;
}

static dw_conv_params_t depthwise_params(const ts_esp_nn_layer *layer)
{
    const dw_conv_params_t result = {
        .in_offset = -layer->in_zero[0],
        .out_offset = layer->out_zero,
        .ch_mult = 1,
        .stride = {layer->stride, layer->stride},
        .padding = {layer->padding, layer->padding},
        .dilation = {1, 1},
        .activation = {layer->low, HIGH},
    };
    return result;
}

/* ESP-NN reads both and says so nowhere in its types. */
static quant_data_t quant_data(const ts_esp_nn_layer *layer)
{
    const quant_data_t result = {.shift = (int32_t *)layer->shift, .mult = (int32_t *)layer->multiplier};
    return result;
}

static int32_t scratch_of(const ts_esp_nn_layer *layer)
{
    const data_dims_t input = input_dims(layer), output = output_dims(layer);
    const data_dims_t filter = dims(layer->kernel, layer->kernel, layer->in_channels);
    if (layer->op == TS_ESP_NN_CONV) {
        const conv_params_t params = conv_params(layer);
        return esp_nn_get_conv_scratch_size(&input, &filter, &output, &params);
    }
    if (layer->op == TS_ESP_NN_DEPTHWISE) {
        const dw_conv_params_t params = depthwise_params(layer);
        return esp_nn_get_depthwise_conv_scratch_size(&input, &filter, &output, &params);
    }
    return 0;
}

int32_t ts_esp_nn_scratch_bytes(const ts_esp_nn_layer *const *layers, unsigned count)
{
    int32_t most = 0;
    for (unsigned i = 0; i < count; i++) {
        const int32_t bytes = scratch_of(layers[i]);
        most = bytes > most ? bytes : most;
    }
    return most;
}

static void conv(const ts_esp_nn_layer *layer, const int8_t *source, int8_t *output, void *scratch)
{
    const data_dims_t from = input_dims(layer), to = output_dims(layer);
    const data_dims_t filter = dims(layer->kernel, layer->kernel, layer->in_channels);
    const conv_params_t params = conv_params(layer);
    const quant_data_t quant = quant_data(layer);
    esp_nn_set_conv_scratch_buf(scratch);
    esp_nn_conv_s8(&from, source, &filter, layer->weights, layer->bias, &to, output, &params, &quant);
}

static void depthwise(const ts_esp_nn_layer *layer, const int8_t *source, int8_t *output, void *scratch)
{
    const data_dims_t from = input_dims(layer), to = output_dims(layer);
    const data_dims_t filter = dims(layer->kernel, layer->kernel, layer->in_channels);
    const dw_conv_params_t params = depthwise_params(layer);
    const quant_data_t quant = quant_data(layer);
    esp_nn_set_depthwise_conv_scratch_buf(scratch);
    esp_nn_depthwise_conv_s8(&from, source, &filter, layer->weights, layer->bias, &to, output, &params, &quant);
}

static void add(const ts_esp_nn_layer *layer, const int8_t *left, const int8_t *right, int8_t *output)
{
    const int32_t *multiplier = layer->multiplier, *shift = layer->shift;
    esp_nn_add_elementwise_s8(left, right, -layer->in_zero[0], -layer->in_zero[1], multiplier[0], multiplier[1],
                              shift[0], shift[1], ADD_LEFT_SHIFT, output, layer->out_zero, multiplier[2], shift[2],
                              layer->low, HIGH, layer->out_height * layer->out_width * layer->out_channels);
}

static void max_pool(const ts_esp_nn_layer *layer, const int8_t *source, int8_t *output)
{
    const uint16_t side = (uint16_t)layer->kernel;
    esp_nn_max_pool_s8(source, (uint16_t)layer->in_width, (uint16_t)layer->in_height, output,
                       (uint16_t)layer->out_width, (uint16_t)layer->out_height, side, side, side, side, 0, 0,
                       layer->low, HIGH, (uint16_t)layer->out_channels);
}

void ts_esp_nn_step(const ts_esp_nn_layer *layer, const int8_t *left, const int8_t *right, int8_t *output, void *scratch)
{
    switch (layer->op) {
    case TS_ESP_NN_CONV:
        conv(layer, left, output, scratch);
        break;
    case TS_ESP_NN_DEPTHWISE:
        depthwise(layer, left, output, scratch);
        break;
    case TS_ESP_NN_FULLY_CONNECTED:
        esp_nn_fully_connected_per_ch_s8(left, -layer->in_zero[0], (uint16_t)layer->in_channels, layer->weights, 0,
                                         layer->bias, output, (uint16_t)layer->out_channels, layer->out_zero,
                                         layer->shift, layer->multiplier, layer->low, HIGH);
        break;
    case TS_ESP_NN_ADD:
        add(layer, left, right, output);
        break;
    case TS_ESP_NN_MAX_POOL:
        max_pool(layer, left, output);
        break;
    }
}

#else

int32_t ts_esp_nn_scratch_bytes(const ts_esp_nn_layer *const *layers, unsigned count)
{
    (void)layers;
    (void)count;
    return -1;
}

void ts_esp_nn_step(const ts_esp_nn_layer *layer, const int8_t *left, const int8_t *right, int8_t *output, void *scratch)
{
    (void)layer;
    (void)left;
    (void)right;
    (void)output;
    (void)scratch;
}

#endif
