#include "ts_conv_bwn_s8.h"

#include "ts_conv_s8.h"

static ts_conv_s8_layer expanded(const ts_conv_bwn_s8_layer *layer, const int8_t *weights)
{
    const ts_conv_s8_layer result = {
        .in_height = layer->in_height,
        .in_width = layer->in_width,
        .in_channels = layer->in_channels,
        .out_height = layer->out_height,
        .out_width = layer->out_width,
        .out_channels = layer->out_channels,
        .kernel = layer->kernel,
        .stride = layer->stride,
        .padding = layer->padding,
        .pool = layer->pool,
        .in_zero = layer->in_zero,
        .out_zero = layer->out_zero,
        .low = layer->low,
        .weights = weights,
        .bias = layer->bias,
        .multiplier = layer->multiplier,
        .shift = layer->shift,
    };
    return result;
}

/* A multiple of four, so that what follows in scratch stays aligned. */
static int32_t weight_count(const ts_conv_bwn_s8_layer *layer)
{
    return (layer->out_channels + 3) / 4 * 4 * layer->kernel * layer->kernel * layer->in_channels;
}

size_t ts_conv_bwn_s8_scratch_bytes(const ts_conv_bwn_s8_layer *layer)
{
    const ts_conv_s8_layer whole = expanded(layer, NULL);
    return (size_t)weight_count(layer) + ts_conv_s8_scratch_bytes(&whole);
}

static void expand(const ts_conv_bwn_s8_layer *layer, int8_t *weights)
{
    const int32_t bits = layer->weight_bits, mask = (1 << bits) - 1;
    const uint8_t *packed = layer->weights;
    for (int32_t left = weight_count(layer); left > 0; left -= 8 / bits) {
        int32_t codes = *packed++;
        for (int32_t index = 0; index < 8 / bits && index < left; ++index, codes >>= bits)
            *weights++ = (int8_t)(2 * (codes & mask) - mask);
    }
}

void ts_conv_bwn_s8(const ts_conv_bwn_s8_layer *layer, const int8_t *input, int8_t *output, void *scratch)
{
    int8_t *const weights = scratch;
    const ts_conv_s8_layer whole = expanded(layer, weights);
    expand(layer, weights);
    ts_conv_s8(&whole, input, output, weights + weight_count(layer));
}
