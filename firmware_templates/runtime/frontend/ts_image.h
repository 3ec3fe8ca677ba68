/* SPDX-License-Identifier: Apache-2.0 */
/* Camera frame to network input: centered square, area average, int8. The same bytes as tinysearch/data/image.py.
 *
 * Images are [size][size][channels] int8, byte - 128, channels 3 (red, green, blue; gray is repeated) or 1 (gray).
 */
#ifndef TS_IMAGE_H
#define TS_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#define TS_IMAGE_LARGEST_SIDE 4096 /* of the square and of the output: sums stay within 32 bits */

typedef enum {
    TS_PIXEL_RGB888, /* bytes red, green, blue */
    TS_PIXEL_RGB565, /* 16 bits, high byte first */
    TS_PIXEL_GRAY,   /* 8 bits */
    TS_PIXEL_YUV422  /* bytes Y0 U Y1 V for two pixels, full-range BT.601; even width */
} ts_pixel_format;

/* Frames of width * height pixels, rows without padding, and the image that is made of them. */
typedef struct {
    uint16_t width;
    uint16_t height;
    ts_pixel_format format;
    uint16_t size;
    uint8_t channels;
} ts_image_layer;

/* 1 where the shorter side of a frame and size are 1 .. 4096, channels 1 or 3, the format is one of the above and, for
 * YUV422, the width is even; else 0. All other functions rely on it. */
int ts_image_valid(const ts_image_layer *layer);

/* Bytes of scratch: the sums of one output row. To be aligned to 4. */
size_t ts_image_scratch_bytes(const ts_image_layer *layer);

/* Image [size][size][channels] of a frame. No overlaps. */
void ts_image(const ts_image_layer *layer, const uint8_t *frame, int8_t *image, void *scratch);

#endif
