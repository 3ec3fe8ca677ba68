/* SPDX-License-Identifier: Apache-2.0 */
/* The inner loop of int8 convolutions, for the files that include it: multiply_tile(pixels, weights, depth, bias, sums)
 * gives sums[4 * channel + pixel] = bias + weights * pixels, of `depth` values of four pixels side by side and of four
 * output channels side by side.
 */
#ifndef TS_TILE_MULTIPLY_H
#define TS_TILE_MULTIPLY_H

#include "ts_arithmetic.h"

/* Pixels and output channels of a tile. */
enum { TILE_PIXELS = 4, TILE_CHANNELS = 4 };

#if TS_FEW_REGISTERS

#define MULTIPLY_ADD(k)                                                                                                \
    do {                                                                                                               \
        const int32_t x0 = pixels[4 * (k)], x1 = pixels[4 * (k) + 1];                                                  \
        int32_t w = weights[4 * (k)];                                                                                  \
        s00 += w * x0, s01 += w * x1;                                                                                  \
        w = weights[4 * (k) + 1];                                                                                      \
        s10 += w * x0, s11 += w * x1;                                                                                  \
        w = weights[4 * (k) + 2];                                                                                      \
        s20 += w * x0, s21 += w * x1;                                                                                  \
        w = weights[4 * (k) + 3];                                                                                      \
        s30 += w * x0, s31 += w * x1;                                                                                  \
    } while (0)

/* Two pixels of a tile: 4.75 instructions a MAC in the loop on Xtensa, where all four at once take 5.0, of which 1.4
 * are loads and stores of spilled sums. */
static TS_INNER_LOOP void multiply_half(const int8_t *pixels, const int8_t *weights, int32_t depth, const int32_t *bias,
                                        int32_t *sums)
{
    int32_t s00 = bias[0], s01 = s00, s10 = bias[1], s11 = s10, s20 = bias[2], s21 = s20, s30 = bias[3], s31 = s30;
    for (const int8_t *const end = weights + depth * TILE_CHANNELS; weights < end; pixels += TILE_PIXELS, weights += TILE_CHANNELS) {
        MULTIPLY_ADD(0);
    }
    sums[0] = s00, sums[1] = s01, sums[4] = s10, sums[5] = s11;
    sums[8] = s20, sums[9] = s21, sums[12] = s30, sums[13] = s31;
}

static void multiply_tile(const int8_t *pixels, const int8_t *weights, int32_t depth, const int32_t *bias,
                          int32_t *sums)
{
    multiply_half(pixels, weights, depth, bias, sums);
    multiply_half(pixels + 2, weights, depth, bias, sums + 2);
}

#else

#define MULTIPLY_ADD(k)                                                                                                \
    do {                                                                                                               \
        const int32_t x0 = pixels[4 * (k)], x1 = pixels[4 * (k) + 1], x2 = pixels[4 * (k) + 2],                        \
                      x3 = pixels[4 * (k) + 3];                                                                        \
        int32_t w = weights[4 * (k)];                                                                                  \
        s00 += w * x0, s01 += w * x1, s02 += w * x2, s03 += w * x3;                                                    \
        w = weights[4 * (k) + 1];                                                                                      \
        s10 += w * x0, s11 += w * x1, s12 += w * x2, s13 += w * x3;                                                    \
        w = weights[4 * (k) + 2];                                                                                      \
        s20 += w * x0, s21 += w * x1, s22 += w * x2, s23 += w * x3;                                                    \
        w = weights[4 * (k) + 3];                                                                                      \
        s30 += w * x0, s31 += w * x1, s32 += w * x2, s33 += w * x3;                                                    \
    } while (0)

static TS_INNER_LOOP void multiply_tile(const int8_t *pixels, const int8_t *weights, int32_t depth, const int32_t *bias,
                                        int32_t *sums)
{
    int32_t s00 = bias[0], s01 = s00, s02 = s00, s03 = s00, s10 = bias[1], s11 = s10, s12 = s10, s13 = s10;
    int32_t s20 = bias[2], s21 = s20, s22 = s20, s23 = s20, s30 = bias[3], s31 = s30, s32 = s30, s33 = s30;
    const int8_t *const end = pixels + depth * TILE_PIXELS;
    while (end - pixels >= 4 * TILE_PIXELS) {
        MULTIPLY_ADD(0);
        MULTIPLY_ADD(1);
        MULTIPLY_ADD(2);
        MULTIPLY_ADD(3);
        pixels += 4 * TILE_PIXELS;
        weights += 4 * TILE_CHANNELS;
    }
    for (; pixels < end; pixels += TILE_PIXELS, weights += TILE_CHANNELS) {
        MULTIPLY_ADD(0);
    }
    sums[0] = s00, sums[1] = s01, sums[2] = s02, sums[3] = s03;
    sums[4] = s10, sums[5] = s11, sums[6] = s12, sums[7] = s13;
    sums[8] = s20, sums[9] = s21, sums[10] = s22, sums[11] = s23;
    sums[12] = s30, sums[13] = s31, sums[14] = s32, sums[15] = s33;
}

#endif

#endif
