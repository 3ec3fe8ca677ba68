/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_image.h"

#include <string.h>

#if defined(__GNUC__)
#define ALWAYS_INLINE inline __attribute__((always_inline))
#else
#define ALWAYS_INLINE inline
#endif

/* What stays the same for all rows of one call. */
typedef struct {
    const ts_image_layer *layer;
    const uint8_t *frame;
    uint32_t side; /* of the square in the frame */
    uint32_t left; /* first column and row of the square */
    uint32_t top;
    uint32_t size; /* of the output */
    uint32_t planes; /* 3, or 1 for a gray frame */
} crop;

static inline uint32_t byte_of(int32_t value)
{
    return (uint32_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/* Color of one pixel of a row that starts at row; of a gray frame rgb[0] alone. */
static ALWAYS_INLINE void load(const uint8_t *row, uint32_t column, ts_pixel_format format, uint32_t rgb[3])
{
    switch (format) {
    case TS_PIXEL_RGB888:
        rgb[0] = row[3 * column];
        rgb[1] = row[3 * column + 1];
        rgb[2] = row[3 * column + 2];
        break;
    case TS_PIXEL_RGB565: {
        const uint32_t word = ((uint32_t)row[2 * column] << 8) | row[2 * column + 1];
        const uint32_t red = word >> 11, green = (word >> 5) & 63, blue = word & 31;
        rgb[0] = (red << 3) | (red >> 2);
        rgb[1] = (green << 2) | (green >> 4);
        rgb[2] = (blue << 3) | (blue >> 2);
        break;
    }
    case TS_PIXEL_GRAY:
        rgb[0] = row[column];
        break;
    case TS_PIXEL_YUV422: {
        const uint8_t *pair = row + 2 * (column & ~UINT32_C(1));
        const int32_t luma = row[2 * column], u = pair[1] - 128, v = pair[3] - 128;
        rgb[0] = byte_of(luma + ((359 * v + 128) >> 8));
        rgb[1] = byte_of(luma - ((88 * u + 183 * v + 128) >> 8));
        rgb[2] = byte_of(luma + ((454 * u + 128) >> 8));
        break;
    }
    }
}

/* Add one source row, weighted, to the sums of an output row [size][planes]. On an axis that is side * size long,
 * source column x covers [x size, (x + 1) size) and output column k covers [k side, (k + 1) side). The format is a
 * constant where this is called, so that each format gets a loop of its own. */
static ALWAYS_INLINE void add_row_of(const crop *c, const uint8_t *row, uint32_t weight, uint32_t *sums,
                                     ts_pixel_format format)
{
    const uint32_t size = c->size, side = c->side;
    uint32_t red = 0, green = 0, blue = 0; /* of the output column being filled; gray uses red alone */
    uint32_t room = side; /* that the output column being filled still has */
    for (uint32_t column = c->left; column < c->left + side; ++column) {
        uint32_t rgb[3] = {0, 0, 0};
        uint32_t rest = size;
        load(row, column, format, rgb);
        while (rest >= room) {
            *sums++ += weight * (red + room * rgb[0]);
            red = 0;
            if (format != TS_PIXEL_GRAY) {
                *sums++ += weight * (green + room * rgb[1]);
                *sums++ += weight * (blue + room * rgb[2]);
                green = blue = 0;
            }
            rest -= room;
            room = side;
        }
        room -= rest;
        red += rest * rgb[0];
        green += rest * rgb[1];
        blue += rest * rgb[2];
    }
}

static void add_row(const crop *c, uint32_t y, uint32_t weight, uint32_t *sums)
{
    const uint32_t pixels = (c->top + y) * c->layer->width;
    switch (c->layer->format) {
    case TS_PIXEL_RGB888:
        add_row_of(c, c->frame + (size_t)3 * pixels, weight, sums, TS_PIXEL_RGB888);
        break;
    case TS_PIXEL_RGB565:
        add_row_of(c, c->frame + (size_t)2 * pixels, weight, sums, TS_PIXEL_RGB565);
        break;
    case TS_PIXEL_GRAY:
        add_row_of(c, c->frame + pixels, weight, sums, TS_PIXEL_GRAY);
        break;
    case TS_PIXEL_YUV422:
        add_row_of(c, c->frame + (size_t)2 * pixels, weight, sums, TS_PIXEL_YUV422);
        break;
    }
}

static void store_row(const crop *c, const uint32_t *sums, uint8_t channels, int8_t *out)
{
    const uint32_t area = c->side * c->side;
    for (uint32_t column = 0; column < c->size; ++column, sums += c->planes, out += channels) {
        uint32_t value[3];
        for (uint32_t plane = 0; plane < c->planes; ++plane) {
            value[plane] = (sums[plane] + area / 2) / area;
        }
        if (c->planes == 1) {
            value[1] = value[2] = value[0];
        } else if (channels == 1) {
            value[0] = (77 * value[0] + 150 * value[1] + 29 * value[2] + 128) >> 8;
        }
        for (uint32_t channel = 0; channel < channels; ++channel) {
            out[channel] = (int8_t)((int32_t)value[channel] - 128);
        }
    }
}

static uint32_t side_of(const ts_image_layer *layer)
{
    return layer->width < layer->height ? layer->width : layer->height;
}

int ts_image_valid(const ts_image_layer *layer)
{
    const uint32_t side = side_of(layer);
    const int sides = side >= 1 && side <= TS_IMAGE_LARGEST_SIDE && layer->size >= 1 && layer->size <= TS_IMAGE_LARGEST_SIDE;
    const int even = layer->format != TS_PIXEL_YUV422 || layer->width % 2 == 0;
    return sides && even && (layer->channels == 1 || layer->channels == 3) && layer->format <= TS_PIXEL_YUV422;
}

size_t ts_image_scratch_bytes(const ts_image_layer *layer)
{
    return (size_t)layer->size * 3 * sizeof(uint32_t);
}

void ts_image(const ts_image_layer *layer, const uint8_t *frame, int8_t *image, void *scratch)
{
    crop c;
    uint32_t *const sums = scratch;
    c.layer = layer;
    c.frame = frame;
    c.side = side_of(layer);
    c.left = (layer->width - c.side) / 2;
    c.top = (layer->height - c.side) / 2;
    c.size = layer->size;
    c.planes = layer->format == TS_PIXEL_GRAY ? 1 : 3;
    for (uint32_t row = 0; row < c.size; ++row, image += c.size * layer->channels) {
        const uint32_t begin = row * c.side, end = begin + c.side; /* on the axis of length side * size */
        memset(sums, 0, c.size * c.planes * sizeof *sums);
        for (uint32_t y = begin / c.size; y * c.size < end; ++y) {
            const uint32_t from = y * c.size > begin ? y * c.size : begin;
            const uint32_t to = (y + 1) * c.size < end ? (y + 1) * c.size : end;
            add_row(&c, y, to - from, sums);
        }
        store_row(&c, sums, layer->channels, image);
    }
}
