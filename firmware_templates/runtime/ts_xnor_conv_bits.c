/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_xnor_conv_bits.h"

#include "ts_arithmetic.h"
#include "ts_xnor_window.h"

static ts_xnor_shape shape_of(const ts_xnor_conv_bits_layer *layer)
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
        .beside = layer->flat ? 0 : layer->padding,
        .activation_bits = layer->activation_bits,
        .weight_bits = layer->weight_bits,
        .plane_multiple = 1,
        .weights = layer->weights,
    };
    return shape;
}

size_t ts_xnor_conv_bits_scratch_bytes(const ts_xnor_conv_bits_layer *layer)
{
    const ts_xnor_shape shape = shape_of(layer);
    return ts_xnor_window_scratch_bytes(&shape);
}

/* Compare 32 accumulators with their thresholds, both bit-sliced and with the limit added. An accumulator reaches a
 * threshold where subtracting that leaves no borrow: the carry out of accumulator + ~threshold + 1, in each plane the
 * majority of accumulator, ~threshold and carry. */
#define COMPARE(COUNT, EACH)                                                                                       \
    TS_INNER_LOOP static void compare_##COUNT(uint32_t *reached, const uint32_t *sums, const uint32_t *thresholds,  \
                                              int32_t planes)                                                      \
    {                                                                                                              \
        const uint32_t *end = sums + planes;                                                                       \
        EACH(START)                                                                                                \
        for (; sums != end; ++sums, thresholds += (COUNT)) {                                                       \
            const uint32_t value = *sums;                                                                          \
            EACH(MAJORITY)                                                                                         \
        }                                                                                                          \
        EACH(STORE)                                                                                                \
    }
#define START(t) uint32_t carry_##t = UINT32_MAX;
#define MAJORITY(t)                                                                          \
    {                                                                                        \
        const uint32_t complement = thresholds[t];                                           \
        carry_##t = ((value ^ complement) & (carry_##t ^ complement)) ^ complement;          \
    }
#define STORE(t) reached[t] = carry_##t;
#define EACH_1(DO) DO(0)
#define EACH_3(DO) DO(0) DO(1) DO(2)
#define EACH_7(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6)

COMPARE(1, EACH_1)
COMPARE(3, EACH_3)
COMPARE(7, EACH_7)

/* Thresholds reached, a run of ones from the first, as a number: bit k is the parity of every 2^k-th. */
static void write_levels(uint32_t *output, const uint32_t *reached, int32_t bits, int32_t stride)
{
    switch (bits) {
    case 1:
        output[0] = reached[0];
        break;
    case 2:
        output[0] = reached[0] ^ reached[1] ^ reached[2];
        output[stride] = reached[1];
        break;
    default:
        output[0] = reached[0] ^ reached[1] ^ reached[2] ^ reached[3] ^ reached[4] ^ reached[5] ^ reached[6];
        output[stride] = reached[1] ^ reached[3] ^ reached[5];
        output[2 * stride] = reached[3];
        break;
    }
}

void ts_xnor_conv_bits(const ts_xnor_conv_bits_layer *layer, const uint32_t *input, uint32_t *output, void *scratch)
{
    typedef void (*compare_function)(uint32_t *, const uint32_t *, const uint32_t *, int32_t);
    static const compare_function functions[] = {compare_1, compare_3, compare_7};
    const compare_function compare = functions[layer->output_bits - 1];
    const int32_t group_thresholds = layer->threshold_planes * ((1 << layer->output_bits) - 1);
    const ts_xnor_shape shape = shape_of(layer);
    ts_xnor_window window;
    ts_xnor_window_start(&window, &shape, input, scratch);
    for (int32_t y = 0; y < layer->output_height; ++y) {
        ts_xnor_window_row(&window, y);
        for (int32_t x = 0; x < layer->output_width; ++x) {
            const uint32_t *thresholds = layer->thresholds, *sums = window.sums;
            ts_xnor_window_sum(&window, x);
            for (int32_t group = 0; group < window.groups; ++group) {
                uint32_t reached[7];
                compare(reached, sums, thresholds, layer->threshold_planes);
                write_levels(output + group, reached, layer->output_bits, window.groups);
                thresholds += group_thresholds;
                sums += window.sum_planes;
            }
            output += layer->output_bits * window.groups;
        }
    }
}
