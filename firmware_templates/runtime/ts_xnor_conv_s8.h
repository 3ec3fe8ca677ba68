/* SPDX-License-Identifier: Apache-2.0 */
/* Binary convolution, bit planes to int8: clamp(output_zero + requantize((accumulator << 8) + bias)).
 *
 * input, weights: as in ts_xnor_conv_bits.h. A fully connected layer is the convolution whose kernel is the whole map.
 * output: int8 [output_height, output_width, output_channels].
 * bias: int32 [output_channels], stored less 256 * limit, limit = ts_xnor_window_limit; 256 * limit + |bias| fits
 *     int32.
 * multiplier: [output_channels] twice the 31-bit multiplier; shift: [output_channels] the right shift less one, 0 .. 30
 *     (core/quantization.py: requantize, whose result this equals).
 * Ranges: activation_bits 1 .. 3, weight_bits 1 .. 2, output_low 127 or less: the zero point under a ReLU, else -128.
 * Aliasing: none of input, output and scratch may overlap.
 * Scratch: the caller's, ts_xnor_conv_s8_scratch_bytes bytes, 4-byte aligned, undefined before and after.
 */
#ifndef TS_XNOR_CONV_S8_H
#define TS_XNOR_CONV_S8_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    int32_t input_height, input_width, input_channels;
    int32_t output_height, output_width, output_channels;
    int32_t kernel_height, kernel_width, stride, padding;
    int32_t flat;            /* 1: not padded beside, as of series; else 0 */
    int32_t activation_bits, weight_bits;
    int32_t output_zero, output_low;
    const uint32_t *weights;
    const int32_t *bias;
    const uint32_t *multiplier;
    const uint8_t *shift;
} ts_xnor_conv_s8_layer;

size_t ts_xnor_conv_s8_scratch_bytes(const ts_xnor_conv_s8_layer *layer);

void ts_xnor_conv_s8(const ts_xnor_conv_s8_layer *layer, const uint32_t *input, int8_t *output, void *scratch);

#endif
