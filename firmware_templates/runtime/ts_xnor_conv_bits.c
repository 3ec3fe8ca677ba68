#include "ts_xnor_conv_bits.h"

#include "ts_arithmetic.h"
#include "ts_xnor_window.h"

#define MAX_PLANES 32

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
        .activation_bits = layer->activation_bits,
        .weight_bits = layer->weight_bits,
        .weights = layer->weights,
    };
    return shape;
}

size_t ts_xnor_conv_bits_scratch_bytes(const ts_xnor_conv_bits_layer *layer)
{
    const ts_xnor_shape shape = shape_of(layer);
    return ts_xnor_window_scratch_bytes(&shape);
}

/* Compare 32 accumulators with their thresholds, all bit-sliced.
 *
 * accumulator + limit = 2 S + (limit - P) is never negative. Its planes are made on the fly by a ripple-carry adder of the
 * counters S and the constant limit - P, the same in every lane. It reaches a threshold where subtracting that leaves no
 * borrow, which is the carry of adding the threshold's complement. */
#define COMPARE(COUNT)                                                                                    \
    TS_INNER_LOOP static void compare_##COUNT(uint32_t *reached, const uint32_t *sums, const uint32_t *pixel, \
                                              const uint32_t *thresholds, int32_t planes)                  \
    {                                                                                                     \
        uint32_t carry[COUNT];                                                                            \
        uint32_t value = pixel[0], adder_carry = 0;                                                       \
        int32_t p, t;                                                                                     \
        for (t = 0; t < (COUNT); ++t)                                                                     \
            carry[t] = value | thresholds[t];                                                             \
        for (p = 1; p < planes; ++p) {                                                                    \
            const uint32_t count = *sums++, constant = pixel[p], half_sum = count ^ constant;              \
            value = half_sum ^ adder_carry;                                                               \
            adder_carry = (half_sum & (adder_carry ^ constant)) ^ constant;                               \
            thresholds += (COUNT);                                                                        \
            for (t = 0; t < (COUNT); ++t) {                                                               \
                const uint32_t complement = thresholds[t];                                                \
                carry[t] = ((value ^ complement) & (carry[t] ^ complement)) ^ complement;                 \
            }                                                                                             \
        }                                                                                                 \
        for (t = 0; t < (COUNT); ++t)                                                                     \
            reached[t] = carry[t];                                                                        \
    }

COMPARE(1)
COMPARE(3)
COMPARE(7)

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
    typedef void (*compare_function)(uint32_t *, const uint32_t *, const uint32_t *, const uint32_t *, int32_t);
    static const compare_function functions[] = {compare_1, compare_3, compare_7};
    const compare_function compare = functions[layer->output_bits - 1];
    const int32_t planes = layer->threshold_planes;
    const int32_t group_thresholds = planes * ((1 << layer->output_bits) - 1);
    const ts_xnor_shape shape = shape_of(layer);
    const int32_t limit = ts_xnor_window_limit(&shape);
    ts_xnor_window window;
    ts_xnor_window_start(&window, &shape, input, scratch);
    for (int32_t y = 0; y < layer->output_height; ++y) {
        ts_xnor_window_row(&window, y);
        for (int32_t x = 0; x < layer->output_width; ++x) {
            const int32_t constant = limit - ts_xnor_window_sum(&window, x);
            const uint32_t *thresholds = layer->thresholds;
            uint32_t pixel[MAX_PLANES], reached[7];
            for (int32_t p = 0; p < planes; ++p)
                pixel[p] = 0u - (((uint32_t)constant >> p) & 1u);
            for (int32_t group = 0; group < window.groups; ++group, thresholds += group_thresholds) {
                compare(reached, window.sums + group * window.sum_planes, pixel, thresholds, planes);
                write_levels(output + group, reached, layer->output_bits, window.groups);
            }
            output += layer->output_bits * window.groups;
        }
    }
}
