#include "ts_image.h"

#include <string.h>

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

static inline uint8_t byte_of(int32_t value)
{
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/* Color of column x, row y of the square; of a gray frame rgb[0] alone. */
static inline void load(const crop *c, uint32_t x, uint32_t y, uint8_t rgb[3])
{
    const size_t column = c->left + x, place = (size_t)(c->top + y) * c->layer->width + column;
    switch (c->layer->format) {
    case TS_PIXEL_RGB888:
        memcpy(rgb, c->frame + 3 * place, 3);
        break;
    case TS_PIXEL_RGB565: {
        const uint8_t *pixel = c->frame + 2 * place;
        const uint32_t word = ((uint32_t)pixel[0] << 8) | pixel[1];
        const uint32_t red = word >> 11, green = (word >> 5) & 63, blue = word & 31;
        rgb[0] = (uint8_t)((red << 3) | (red >> 2));
        rgb[1] = (uint8_t)((green << 2) | (green >> 4));
        rgb[2] = (uint8_t)((blue << 3) | (blue >> 2));
        break;
    }
    case TS_PIXEL_GRAY:
        rgb[0] = c->frame[place];
        break;
    case TS_PIXEL_YUV422: {
        const uint8_t *pair = c->frame + 2 * (place - (column & 1));
        const int32_t luma = pair[2 * (column & 1)], u = pair[1] - 128, v = pair[3] - 128;
        rgb[0] = byte_of(luma + ((359 * v + 128) >> 8));
        rgb[1] = byte_of(luma - ((88 * u + 183 * v + 128) >> 8));
        rgb[2] = byte_of(luma + ((454 * u + 128) >> 8));
        break;
    }
    }
}

/* Add one source row, weighted, to the sums of an output row [size][planes]. On an axis that is side * size long,
 * source column x covers [x size, (x + 1) size) and output column k covers [k side, (k + 1) side). */
static void add_row(const crop *c, uint32_t y, uint32_t weight, uint32_t *sums)
{
    uint32_t part[3] = {0, 0, 0};
    uint32_t room = c->side; /* of the output column that is being filled */
    for (uint32_t x = 0; x < c->side; ++x) {
        uint8_t rgb[3];
        uint32_t rest = c->size;
        load(c, x, y, rgb);
        while (rest > 0) {
            const uint32_t overlap = rest < room ? rest : room;
            for (uint32_t plane = 0; plane < c->planes; ++plane)
                part[plane] += overlap * rgb[plane];
            rest -= overlap;
            room -= overlap;
            if (room == 0) {
                for (uint32_t plane = 0; plane < c->planes; ++plane) {
                    *sums++ += weight * part[plane];
                    part[plane] = 0;
                }
                room = c->side;
            }
        }
    }
}

static void store_row(const crop *c, const uint32_t *sums, uint8_t channels, int8_t *out)
{
    const uint32_t area = c->side * c->side;
    for (uint32_t column = 0; column < c->size; ++column, sums += c->planes, out += channels) {
        uint32_t value[3];
        for (uint32_t plane = 0; plane < c->planes; ++plane)
            value[plane] = (sums[plane] + area / 2) / area;
        if (c->planes == 1)
            value[1] = value[2] = value[0];
        else if (channels == 1)
            value[0] = (77 * value[0] + 150 * value[1] + 29 * value[2] + 128) >> 8;
        for (uint32_t channel = 0; channel < channels; ++channel)
            out[channel] = (int8_t)((int32_t)value[channel] - 128);
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
