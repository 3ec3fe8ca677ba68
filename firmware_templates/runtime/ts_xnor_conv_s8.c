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
 * those of lanes k (low half) and k + 16 (high half). Written out so that all 16 words stay in registers. */
TS_INNER_LOOP static void transpose(uint32_t *block)
{
    uint32_t a0 = block[0], a1 = block[1], a2 = block[2], a3 = block[3], a4 = block[4], a5 = block[5], a6 = block[6];
    uint32_t a7 = block[7], a8 = block[8], a9 = block[9], a10 = block[10], a11 = block[11], a12 = block[12];
    uint32_t a13 = block[13], a14 = block[14], a15 = block[15], changed;
#define SWAP(low, high, distance, mask)                                   \
    changed = ((a##low >> (distance)) ^ a##high) & UINT32_C(mask);        \
    a##high ^= changed;                                                   \
    a##low ^= changed << (distance);
#define STORE(k) block[k] = a##k;
    SWAP(0, 8, 8, 0x00ff00ff) SWAP(1, 9, 8, 0x00ff00ff) SWAP(2, 10, 8, 0x00ff00ff) SWAP(3, 11, 8, 0x00ff00ff)
    SWAP(4, 12, 8, 0x00ff00ff) SWAP(5, 13, 8, 0x00ff00ff) SWAP(6, 14, 8, 0x00ff00ff) SWAP(7, 15, 8, 0x00ff00ff)
    SWAP(0, 4, 4, 0x0f0f0f0f) SWAP(1, 5, 4, 0x0f0f0f0f) SWAP(2, 6, 4, 0x0f0f0f0f) SWAP(3, 7, 4, 0x0f0f0f0f)
    SWAP(8, 12, 4, 0x0f0f0f0f) SWAP(9, 13, 4, 0x0f0f0f0f) SWAP(10, 14, 4, 0x0f0f0f0f) SWAP(11, 15, 4, 0x0f0f0f0f)
    SWAP(0, 2, 2, 0x33333333) SWAP(1, 3, 2, 0x33333333) SWAP(4, 6, 2, 0x33333333) SWAP(5, 7, 2, 0x33333333)
    SWAP(8, 10, 2, 0x33333333) SWAP(9, 11, 2, 0x33333333) SWAP(12, 14, 2, 0x33333333) SWAP(13, 15, 2, 0x33333333)
    SWAP(0, 1, 1, 0x55555555) SWAP(2, 3, 1, 0x55555555) SWAP(4, 5, 1, 0x55555555) SWAP(6, 7, 1, 0x55555555)
    SWAP(8, 9, 1, 0x55555555) SWAP(10, 11, 1, 0x55555555) SWAP(12, 13, 1, 0x55555555) SWAP(14, 15, 1, 0x55555555)
    STORE(0) STORE(1) STORE(2) STORE(3) STORE(4) STORE(5) STORE(6) STORE(7)
    STORE(8) STORE(9) STORE(10) STORE(11) STORE(12) STORE(13) STORE(14) STORE(15)
#undef SWAP
#undef STORE
}

/* The 32 counters of a group, accumulator + limit, out of its planes. */
static void read_counters(uint32_t *counters, const uint32_t *planes, int32_t count)
{
    uint32_t low[HALF], high[HALF];
    for (int32_t p = 0; p < HALF; ++p)
        low[p] = p < count ? planes[p] : 0u;
    transpose(low);
    for (int32_t k = 0; k < HALF; ++k) {
        counters[k] = low[k] & 0xffffu;
        counters[k + HALF] = low[k] >> HALF;
    }
    if (count <= HALF)
        return;
    for (int32_t p = 0; p < HALF; ++p)
        high[p] = p + HALF < count ? planes[p + HALF] : 0u;
    transpose(high);
    for (int32_t k = 0; k < HALF; ++k) {
        counters[k] |= high[k] << HALF;
        counters[k + HALF] |= high[k] >> HALF << HALF;
    }
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

void ts_xnor_conv_s8(const ts_xnor_conv_s8_layer *layer, const uint32_t *input, int8_t *output, void *scratch)
{
    const ts_xnor_shape shape = shape_of(layer);
    const int32_t planes = ts_xnor_window_planes(&shape);
    const int32_t zero = layer->output_zero, low = layer->output_low;
    ts_xnor_window window;
    ts_xnor_window_start(&window, &shape, input, scratch);
    for (int32_t y = 0; y < layer->output_height; ++y) {
        ts_xnor_window_row(&window, y);
        for (int32_t x = 0; x < layer->output_width; ++x) {
            const int32_t *bias = layer->bias;
            const uint32_t *multiplier = layer->multiplier, *sums = window.sums;
            const uint8_t *shift = layer->shift;
            ts_xnor_window_sum(&window, x);
            for (int32_t left = layer->output_channels; left > 0; left -= LANES, sums += window.sum_planes) {
                const int8_t *end = output + (left < LANES ? left : LANES);
                uint32_t counters[LANES];
                const uint32_t *counter = counters;
                read_counters(counters, sums, planes);
                while (output != end) {
                    const int32_t value = (int32_t)((*counter++ << FRACTION_BITS) + (uint32_t)*bias++);
                    *output++ = (int8_t)ts_clamp(zero + requantize(value, *multiplier++, *shift++), low, INT8_MAX);
                }
            }
        }
    }
}
