#include "ts_xnor_conv_s8.h"

#include "ts_arithmetic.h"
#include "ts_xnor_window.h"

#define LANES 32
#define HALF 16
#define FRACTION_BITS 8 /* XNOR_FRACTION_BITS of core/quantization.py */

static ts_xnor_shape shape_of(const ts_xnor_conv_s8_layer *layer)
{
    const ts_xnor_shape shape = {
        .input_height = layer->input_height,
        .input_width = layer->input_width,
        .input_channels = layer->input_channels,
        .output_width = layer->output_width,
        .output_channels = layer->output_channels,
        .kernel_height = layer->kernel_height,
        .kernel_width = layer->kernel_width,
        .stride = layer->stride,
        .padding = layer->padding,
        .activation_bits = layer->activation_bits,
        .weight_bits = layer->weight_bits,
        .weights = layer->weights,
    };
    return shape;
}

size_t ts_xnor_conv_s8_scratch_bytes(const ts_xnor_conv_s8_layer *layer)
{
    const ts_xnor_shape shape = shape_of(layer);
    return ts_xnor_window_scratch_bytes(&shape);
}

/* Transpose two 16 x 16 bit matrices, side by side in 16 words: planes of 32 counters become the counters, word k holding
 * those of lanes k (low half) and k + 16 (high half). */
TS_INNER_LOOP static void transpose(uint32_t *block)
{
#define SWAP(low, high, distance, mask)                                                   \
    do {                                                                                  \
        const uint32_t changed = ((block[low] >> (distance)) ^ block[high]) & (mask);      \
        block[high] ^= changed;                                                           \
        block[low] ^= changed << (distance);                                              \
    } while (0)
    for (int32_t k = 0; k < 8; ++k)
        SWAP(k, k + 8, 8, UINT32_C(0x00ff00ff));
    for (int32_t k = 0; k < 16; k += 8)
        for (int32_t i = k; i < k + 4; ++i)
            SWAP(i, i + 4, 4, UINT32_C(0x0f0f0f0f));
    for (int32_t k = 0; k < 16; k += 4) {
        SWAP(k, k + 2, 2, UINT32_C(0x33333333));
        SWAP(k + 1, k + 3, 2, UINT32_C(0x33333333));
    }
    for (int32_t k = 0; k < 16; k += 2)
        SWAP(k, k + 1, 1, UINT32_C(0x55555555));
#undef SWAP
}

/* The 32 counters of a group out of its planes: counts[k] for k < 16 in the low halves, k + 16 in the high halves; where
 * they have more than 16 bits, upper[] holds the rest in the same way. */
static void read_counters(uint32_t *counts, uint32_t *upper, const uint32_t *planes, int32_t count)
{
    for (int32_t p = 0; p < HALF; ++p)
        counts[p] = p < count ? planes[p] : 0u;
    transpose(counts);
    if (count <= HALF)
        return;
    for (int32_t p = 0; p < HALF; ++p)
        upper[p] = p + HALF < count ? planes[p + HALF] : 0u;
    transpose(upper);
}

/* core/quantization.py's requantize, exact for every int32 x: with twice the multiplier, the first rounding is the high
 * word of the product plus the top bit of the low one; the second rounds halves away from zero in two steps, which cannot
 * overflow. */
static int32_t requantize(int32_t x, uint32_t doubled_multiplier, uint32_t shift_less_one)
{
    const int64_t product = (int64_t)x * doubled_multiplier;
    const int32_t first = (int32_t)(product >> 32) + (int32_t)((uint32_t)product >> 31);
    return (((first + (first >> 31)) >> shift_less_one) + 1) >> 1;
}

static int8_t output_of(const ts_xnor_conv_s8_layer *layer, uint32_t count, int32_t constant, int32_t channel)
{
    const int32_t x = (int32_t)((count << (FRACTION_BITS + 1)) + (uint32_t)(layer->bias[channel] - constant));
    const int32_t scaled = requantize(x, layer->multiplier[channel], layer->shift[channel]);
    return (int8_t)ts_clamp(layer->output_zero + scaled, layer->output_low, INT8_MAX);
}

void ts_xnor_conv_s8(const ts_xnor_conv_s8_layer *layer, const uint32_t *input, int8_t *output, void *scratch)
{
    const ts_xnor_shape shape = shape_of(layer);
    const int32_t planes = ts_xnor_bit_length(ts_xnor_window_limit(&shape));
    ts_xnor_window window;
    ts_xnor_window_start(&window, &shape, input, scratch);
    for (int32_t y = 0; y < layer->output_height; ++y) {
        ts_xnor_window_row(&window, y);
        for (int32_t x = 0; x < layer->output_width; ++x, output += layer->output_channels) {
            const int32_t constant = ts_xnor_window_sum(&window, x) << FRACTION_BITS;
            const uint32_t *sums = window.sums;
            for (int32_t first = 0; first < layer->output_channels; first += LANES, sums += window.sum_planes) {
                const int32_t lanes = layer->output_channels - first;
                uint32_t counts[HALF], upper[HALF] = {0};
                read_counters(counts, upper, sums, planes);
                for (int32_t k = 0; k < HALF && k < lanes; ++k) {
                    const uint32_t low = (counts[k] & 0xffffu) | (upper[k] << HALF);
                    const uint32_t high = (counts[k] >> HALF) | (upper[k] >> HALF << HALF);
                    output[first + k] = output_of(layer, low, constant, first + k);
                    if (k + HALF < lanes)
                        output[first + k + HALF] = output_of(layer, high, constant, first + k + HALF);
                }
            }
        }
    }
}
