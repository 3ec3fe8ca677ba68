/* SPDX-License-Identifier: Apache-2.0 */
#include "capture_signal.h"

#include <stddef.h>
#include <string.h>

static uint32_t brightness(const int8_t *pixel, uint32_t channels)
{
    const int32_t red = pixel[0] + 128;
    if (channels == 1) {
        return (uint32_t)red;
    }
    return (uint32_t)(77 * red + 150 * (pixel[1] + 128) + 29 * (pixel[2] + 128) + 128) >> 8;
}

/* Levels between the darkest and the brightest pixel, a hundredth left out at each end. */
static uint32_t contrast(const uint32_t counts[256], uint32_t pixels)
{
    uint32_t low = 0, high = 255;
    for (uint32_t seen = counts[low]; seen * 100 <= pixels; seen += counts[low]) {
        low++;
    }
    for (uint32_t seen = counts[high]; seen * 100 <= pixels; seen += counts[high]) {
        high--;
    }
    return high > low ? high - low : 0;
}

/* Blocks of one row of the grid; `counts` gains the brightness of their pixels. How many blocks have one level. */
static uint32_t row_of_blocks(const int8_t *image, uint32_t rows, uint32_t width, uint32_t channels, uint32_t counts[256])
{
    uint8_t smallest[PICTURE_GRID], largest[PICTURE_GRID];
    uint32_t still = 0;
    memset(smallest, 255, sizeof smallest);
    memset(largest, 0, sizeof largest);
    for (uint32_t y = 0; y < rows; y++) {
        for (uint32_t x = 0; x < width; x++, image += channels) {
            const uint32_t level = brightness(image, channels), block = x * PICTURE_GRID / width;
            counts[level]++;
            smallest[block] = (uint8_t)(level < smallest[block] ? level : smallest[block]);
            largest[block] = (uint8_t)(level > largest[block] ? level : largest[block]);
        }
    }
    for (uint32_t block = 0; block < PICTURE_GRID; block++) {
        still += smallest[block] == largest[block];
    }
    return still;
}

capture_signal capture_judge_picture(const int8_t *image, uint32_t height, uint32_t width, uint32_t channels)
{
    static uint32_t counts[256];
    uint32_t still = 0, at_rails = 0;
    memset(counts, 0, sizeof counts);
    for (uint32_t row = 0; row < PICTURE_GRID; row++) {
        /* as many rows as block x * GRID / width has columns: from ceil(row * height / GRID) on */
        const uint32_t from = (row * height + PICTURE_GRID - 1) / PICTURE_GRID;
        const uint32_t to = ((row + 1) * height + PICTURE_GRID - 1) / PICTURE_GRID;
        still += row_of_blocks(image + (size_t)from * width * channels, to - from, width, channels, counts);
    }
    const uint32_t pixels = height * width;
    if (contrast(counts, pixels) < PICTURE_CONTRAST) {
        return SIGNAL_FLAT;
    }
    if (height < PICTURE_SIDE || width < PICTURE_SIDE) {
        return SIGNAL_GOOD;
    }
    if (still >= PICTURE_STUCK_BLOCKS) {
        return SIGNAL_STUCK;
    }
    for (uint32_t level = 0; level <= PICTURE_RAIL; level++) {
        at_rails += counts[level] + counts[255 - level];
    }
    return at_rails * 10 > pixels * 9 ? SIGNAL_CLIPPED : SIGNAL_GOOD;
}

typedef struct {
    int32_t smallest, largest;
} sample_range;

static sample_range range_of(const int16_t *samples, uint32_t count)
{
    sample_range range = {samples[0], samples[0]};
    for (uint32_t i = 1; i < count; i++) {
        range.smallest = samples[i] < range.smallest ? samples[i] : range.smallest;
        range.largest = samples[i] > range.largest ? samples[i] : range.largest;
    }
    return range;
}

/* Samples of a block in runs of CLIP_RUN or more near its largest or near its smallest. */
static uint32_t on_plateaus(const int16_t *samples, uint32_t count, sample_range range)
{
    const int32_t margin = (range.largest - range.smallest) / CLIP_NEAR;
    uint32_t found = 0, run = 0;
    int side = 0;
    for (uint32_t i = 0; i < count; i++) {
        const int now = samples[i] >= range.largest - margin ? 1 : samples[i] <= range.smallest + margin ? -1 : 0;
        run = now == 0 ? 0 : now == side ? run + 1 : 1;
        side = now;
        if (run == CLIP_RUN) {
            found += CLIP_RUN;
        } else if (run > CLIP_RUN) {
            found++;
        }
    }
    return found;
}

capture_signal capture_judge_clip(const int16_t *clip, uint32_t samples)
{
    if (samples == 0) {
        return SIGNAL_SILENT;
    }
    const uint32_t length = samples < CLIP_BLOCK ? samples : CLIP_BLOCK, blocks = samples / length;
    uint32_t loud = 0, still = 0, at_rails = 0, cut_off = 0;
    for (uint32_t block = 0; block < blocks; block++) {
        const int16_t *from = clip + block * length;
        const sample_range range = range_of(from, length);
        still += range.largest - range.smallest <= 1;
        if (range.largest - range.smallest >= CLIP_RANGE) {
            loud++;
            cut_off += on_plateaus(from, length, range);
        }
    }
    for (uint32_t i = 0; i < samples; i++) {
        at_rails += clip[i] >= CLIP_RAIL || clip[i] <= -CLIP_RAIL;
    }
    if (loud * 20 < blocks) {
        return SIGNAL_SILENT;
    }
    if (still * 4 > blocks * 3) {
        return SIGNAL_STUCK;
    }
    return at_rails * 4 > samples || cut_off * 4 > samples ? SIGNAL_CLIPPED : SIGNAL_GOOD;
}

const char *capture_signal_problem(capture_signal verdict)
{
    static const char *const problems[] = {
        NULL,
        "this capture has one brightness: is the lens covered, or the camera not connected?",
        "this capture is silent: is the microphone connected, to these pins?",
        "this capture stands still for most of it: does the sensor drop out?",
        "this capture is nearly all at its limits: too bright, too loud (even if turned down later), or wrongly scaled",
    };
    return problems[verdict];
}
