/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_conv_bwn_s8.h"

#include "ts_tile_s8.h"

/* Weights are signs, and four signs have only 16 combinations: for every four inputs of a tile of four pixels their 16
 * signed sums are tabulated once, and an output channel looks up one of them. A word holds the sums of two pixels, one
 * in each half, so that a lookup and an addition do the work of eight multiplications. Weights of two bits are
 * 2 * sign + sign: two lookups.
 *
 * Tables exist for a section of the receptive field at a time, which keeps them small, and keeps the sums of a section
 * within 16 bits: 80 inputs of magnitude 128. */
enum { GROUP = 4, SUMS = 1 << GROUP, SECTION = 20, TABLE_WORDS = 2 * SUMS };

typedef struct {
    ts_conv_s8_layer shape; /* geometry and requantization, without weights */
    int32_t groups;         /* of four inputs in a receptive field, the last one filled up with zeros */
    int32_t *sums;          /* [out_channels][4] of a tile */
    int32_t *maxima;        /* [out_channels] of a pooled pixel */
    uint32_t *tables;       /* [SECTION][2][16] */
    int8_t *fields;         /* [groups][4 inputs][4 pixels] */
    uint8_t *codes;         /* [weight_bits][out_channels][groups] offsets into a table in bytes */
} workspace;

/* Places what the kernel needs in scratch, which may be NULL, and returns its size. */
static size_t lay_out(const ts_conv_bwn_s8_layer *layer, uint8_t *scratch, workspace *work)
{
    const int32_t depth = layer->kernel * (layer->flat ? 1 : layer->kernel) * layer->in_channels;
    const size_t channels = (size_t)layer->out_channels, groups = (size_t)((depth + GROUP - 1) / GROUP);
    const size_t sums = channels * TS_TILE_PIXELS * sizeof(int32_t);
    const size_t maxima = layer->pool > 1 ? channels * sizeof(int32_t) : 0;
    const size_t tables = (groups < SECTION ? groups : SECTION) * TABLE_WORDS * sizeof(uint32_t);
    const size_t fields = groups * GROUP * TS_TILE_PIXELS, codes = (size_t)layer->weight_bits * channels * groups;
    if (work != NULL) {
        work->groups = (int32_t)groups;
        work->sums = (int32_t *)(void *)scratch;
        work->maxima = (int32_t *)(void *)(scratch + sums);
        work->tables = (uint32_t *)(void *)(scratch + sums + maxima);
        work->fields = (int8_t *)(scratch + sums + maxima + tables);
        work->codes = scratch + sums + maxima + tables + fields;
    }
    return sums + maxima + tables + fields + codes;
}

size_t ts_conv_bwn_s8_scratch_bytes(const ts_conv_bwn_s8_layer *layer)
{
    return lay_out(layer, NULL, NULL);
}

static ts_conv_s8_layer shape_of(const ts_conv_bwn_s8_layer *layer)
{
    const ts_conv_s8_layer result = {
        .in_height = layer->in_height,
        .in_width = layer->in_width,
        .in_channels = layer->in_channels,
        .out_height = layer->out_height,
        .out_width = layer->out_width,
        .out_channels = layer->out_channels,
        .kernel = layer->kernel,
        .stride = layer->stride,
        .padding = layer->padding,
        .flat = layer->flat,
        .pool = layer->pool,
        .in_zero = layer->in_zero,
        .out_zero = layer->out_zero,
        .low = layer->low,
        .bias = layer->bias,
        .multiplier = layer->multiplier,
        .shift = layer->shift,
    };
    return result;
}

/* Four-bit codes of the weights to byte offsets into tables of words. */
static void expand(const uint8_t *weights, int32_t count, uint8_t *codes)
{
    for (; count >= 2; count -= 2, ++weights) {
        *codes++ = (uint8_t)((*weights & 15) * sizeof(uint32_t));
        *codes++ = (uint8_t)((*weights >> 4) * sizeof(uint32_t));
    }
    if (count > 0) {
        *codes = (uint8_t)((*weights & 15) * sizeof(uint32_t));
    }
}

/* Of the pixels at fields[0] and fields[1]: all signed sums of their four inputs; bit i of the index tells the sign of
 * input i. */
static inline void tabulate_pair(const int8_t *fields, uint32_t *table)
{
    const uint32_t a = (uint32_t)fields[0] + ((uint32_t)fields[1] << 16);
    const uint32_t b = (uint32_t)fields[4] + ((uint32_t)fields[5] << 16);
    const uint32_t c = (uint32_t)fields[8] + ((uint32_t)fields[9] << 16);
    const uint32_t d = (uint32_t)fields[12] + ((uint32_t)fields[13] << 16);
    const uint32_t a2 = a + a, b2 = b + b, c2 = c + c, d2 = d + d;
    const uint32_t t0 = 0 - a - b - c - d, t1 = t0 + a2, t2 = t0 + b2, t3 = t1 + b2;
    const uint32_t t4 = t0 + c2, t5 = t1 + c2, t6 = t2 + c2, t7 = t3 + c2;
    table[0] = t0, table[1] = t1, table[2] = t2, table[3] = t3;
    table[4] = t4, table[5] = t5, table[6] = t6, table[7] = t7;
    table[8] = t0 + d2, table[9] = t1 + d2, table[10] = t2 + d2, table[11] = t3 + d2;
    table[12] = t4 + d2, table[13] = t5 + d2, table[14] = t6 + d2, table[15] = t7 + d2;
}

static TS_INNER_LOOP void tabulate(const int8_t *fields, int32_t groups, uint32_t *tables)
{
    for (; groups > 0; --groups, fields += GROUP * TS_TILE_PIXELS, tables += TABLE_WORDS) {
        tabulate_pair(fields, tables);
        tabulate_pair(fields + 2, tables + SUMS);
    }
}

#define LOOK_UP(k)                                                                                                     \
    do {                                                                                                               \
        const uint32_t *const entry = (const uint32_t *)(const void *)(table + code[k]) + TABLE_WORDS * (k);           \
        left += entry[0];                                                                                              \
        right += entry[SUMS];                                                                                          \
    } while (0)

/* Adds one section of every channel, times `scale`, to the channel's four sums. The codes of two channels are `step`
 * bytes apart. */
static TS_INNER_LOOP void accumulate(const uint8_t *codes, int32_t step, int32_t channels, const uint32_t *tables,
                                     int32_t groups, int32_t scale, int32_t *sums)
{
    for (const int32_t *const last = sums + channels * TS_TILE_PIXELS; sums < last; sums += TS_TILE_PIXELS) {
        const uint8_t *code = codes, *const end = codes + groups;
        const uint8_t *table = (const uint8_t *)tables;
        uint32_t left = 0, right = 0;
        for (; end - code >= 4; code += 4, table += 4 * TABLE_WORDS * sizeof(uint32_t)) {
            LOOK_UP(0);
            LOOK_UP(1);
            LOOK_UP(2);
            LOOK_UP(3);
        }
        for (; code < end; ++code, table += TABLE_WORDS * sizeof(uint32_t)) {
            LOOK_UP(0);
        }
        const int32_t first = (int16_t)(uint16_t)left, third = (int16_t)(uint16_t)right;
        sums[0] += scale * first;
        sums[1] += scale * ((int32_t)(left - (uint32_t)first) >> 16);
        sums[2] += scale * third;
        sums[3] += scale * ((int32_t)(right - (uint32_t)third) >> 16);
        codes += step;
    }
}

/* Sums of all channels over the gathered fields. */
static void compute(const ts_conv_bwn_s8_layer *layer, const workspace *work)
{
    const int32_t channels = layer->out_channels;
    for (int32_t channel = 0; channel < channels; ++channel) {
        for (int32_t pixel = 0; pixel < TS_TILE_PIXELS; ++pixel) {
            work->sums[channel * TS_TILE_PIXELS + pixel] = layer->bias[channel];
        }
    }
    for (int32_t first = 0; first < work->groups; first += SECTION) {
        const int32_t groups = work->groups - first < SECTION ? work->groups - first : SECTION;
        const uint8_t *codes = work->codes + first;
        tabulate(work->fields + first * GROUP * TS_TILE_PIXELS, groups, work->tables);
        for (int32_t bit = 0; bit < layer->weight_bits; ++bit, codes += channels * work->groups) {
            accumulate(codes, work->groups, channels, work->tables, groups, 1 << bit, work->sums);
        }
    }
}

static int32_t smaller(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static void convolve(const ts_conv_bwn_s8_layer *layer, const workspace *work, const int8_t *input, int8_t *output)
{
    const int32_t count = layer->out_height * layer->out_width, channels = layer->out_channels;
    for (int32_t first = 0; first < count; first += TS_TILE_PIXELS) {
        for (int32_t slot = 0; slot < TS_TILE_PIXELS; ++slot) {
            const int32_t at = smaller(first + slot, count - 1);
            ts_tile_gather(&work->shape, input, at / layer->out_width, at % layer->out_width, work->fields + slot);
        }
        compute(layer, work);
        ts_tile_store(&work->shape, work->sums, TS_TILE_PIXELS, 0, channels, smaller(TS_TILE_PIXELS, count - first),
                      output + first * channels);
    }
}

/* Largest sums over the window of one pooled pixel. */
static void pool_window(const ts_conv_bwn_s8_layer *layer, const workspace *work, const int8_t *input, int32_t y,
                        int32_t x)
{
    const int32_t side = layer->pool, count = side * side;
    for (int32_t first = 0; first < count; first += TS_TILE_PIXELS) {
        for (int32_t slot = 0; slot < TS_TILE_PIXELS; ++slot) {
            const int32_t at = smaller(first + slot, count - 1);
            ts_tile_gather(&work->shape, input, y * side + at / side, x * side + at % side, work->fields + slot);
        }
        compute(layer, work);
        for (int32_t channel = 0; channel < layer->out_channels; ++channel) {
            const int32_t *const sums = work->sums + channel * TS_TILE_PIXELS;
            int32_t largest = first == 0 ? sums[0] : work->maxima[channel];
            for (int32_t pixel = 0; pixel < TS_TILE_PIXELS; ++pixel) {
                if (sums[pixel] > largest) {
                    largest = sums[pixel];
                }
            }
            work->maxima[channel] = largest;
        }
    }
}

void ts_conv_bwn_s8(const ts_conv_bwn_s8_layer *layer, const int8_t *input, int8_t *output, void *scratch)
{
    workspace work;
    (void)lay_out(layer, scratch, &work);
    work.shape = shape_of(layer);
    expand(layer->weights, layer->weight_bits * layer->out_channels * work.groups, work.codes);
    for (int32_t index = 0; index < GROUP * TS_TILE_PIXELS; ++index) {
        work.fields[(work.groups - 1) * GROUP * TS_TILE_PIXELS + index] = 0;
    }
    if (layer->pool == 1) {
        convolve(layer, &work, input, output);
        return;
    }
    for (int32_t y = 0; y < layer->out_height; ++y) {
        for (int32_t x = 0; x < layer->out_width; ++x, output += layer->out_channels) {
            pool_window(layer, &work, input, y, x);
            ts_tile_store(&work.shape, work.maxima, 1, 0, layer->out_channels, 1, output);
        }
    }
}
