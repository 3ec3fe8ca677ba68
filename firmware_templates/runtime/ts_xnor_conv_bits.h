/* SPDX-License-Identifier: Apache-2.0 */
/* Binary convolution, bit planes to bit planes: level = number of thresholds that the accumulator reaches.
 *
 * input: bit planes [input_height, input_width, activation_bits, ceil(input_channels / 32)], channel 32 w + i in bit i
 *     of word w, unused bits zero (a set unused bit reads outside the weights). Pixels outside the map are level 0.
 * output: bit planes [output_height, output_width, output_bits, ceil(output_channels / 32)], unused bits zero.
 * weights: [kernel_width, kernel_height, input_channels, weight_bits, ceil(output_channels / 32)] words, output channel
 *     32 g + i in bit i of word g, then weight_bits * ceil(output_channels / 32) words of zeros.
 * thresholds: bit-sliced like the weights, [ceil(output_channels / 32), threshold_planes, 2^output_bits - 1] words:
 *     plane p holds bit p of ~(threshold + limit), limit = ts_xnor_window_limit, threshold within [-limit, limit + 1],
 *     ascending; threshold_planes = bits of 2 limit. Channels beyond output_channels have the threshold limit + 1.
 * Ranges: activation_bits, output_bits 1 .. 3, weight_bits 1 .. 2; 2 limit + 1 fits int32. Any kernel, stride, padding.
 * A fully connected layer is the convolution whose kernel is the whole map.
 * Aliasing: none of input, output and scratch may overlap.
 * Scratch: the caller's, ts_xnor_conv_bits_scratch_bytes bytes, 4-byte aligned, undefined before and after.
 */
#ifndef TS_XNOR_CONV_BITS_H
#define TS_XNOR_CONV_BITS_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    int32_t input_height, input_width, input_channels;
    int32_t output_height, output_width, output_channels;
    int32_t kernel_height, kernel_width, stride, padding;
    int32_t flat;            /* 1: not padded beside, as of series; else 0 */
    int32_t activation_bits, weight_bits, output_bits;
    int32_t threshold_planes;
    const uint32_t *weights;
    const uint32_t *thresholds;
} ts_xnor_conv_bits_layer;

size_t ts_xnor_conv_bits_scratch_bytes(const ts_xnor_conv_bits_layer *layer);

void ts_xnor_conv_bits(const ts_xnor_conv_bits_layer *layer, const uint32_t *input, uint32_t *output, void *scratch);

#endif
