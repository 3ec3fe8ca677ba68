/* SPDX-License-Identifier: Apache-2.0 */
/* What the int8 convolutions share around their inner loops: gathering four receptive fields, storing what came out.
 * Not kernels; called by ts_conv_s8 and ts_conv_bwn_s8 with buffers of theirs.
 */
#ifndef TS_TILE_S8_H
#define TS_TILE_S8_H

#include "ts_conv_s8.h"

/* Pixels of a tile. */
enum { TS_TILE_PIXELS = 4 };

/* Receptive field of the convolution's output (y, x), before any pool, in the order kernel row, kernel column, channel,
 * to every fourth byte from slot on. */
void ts_tile_gather(const ts_conv_s8_layer *layer, const int8_t *input, int32_t y, int32_t x, int8_t *slot);

/* Requantizes sums[(c - channel) * step + pixel] for `channels` channels c from `channel` on and the first `pixels`
 * pixels to output[pixel * out_channels + c]. */
void ts_tile_store(const ts_conv_s8_layer *layer, const int32_t *sums, int32_t step, int32_t channel, int32_t channels,
                   int32_t pixels, int8_t *output);

#endif
