/* SPDX-License-Identifier: Apache-2.0 */
#include "input_camera.h"

#include <stdio.h>
#include <string.h>

#include "branches.h"
#include "candidate.h"
#include "capture_signal.h"
#include "sdkconfig.h"
#include "ts_image.h"

static ts_image_layer image_layer(const ts_model *model, uint32_t width, uint32_t height, int format)
{
    const ts_image_layer layer = {
        .width = (uint16_t)width,
        .height = (uint16_t)height,
        .format = (ts_pixel_format)format,
        .size = (uint16_t)model->height,
        .channels = (uint8_t)model->channels,
    };
    return layer;
}

static const char *prepare(unsigned branch)
{
    const ts_image_layer layer = image_layer(branches[branch], 1, 1, TS_PIXEL_RGB888);
    return input_reserve(branch, ts_image_scratch_bytes(&layer)) == 0 ? NULL : "no memory for the image front-end";
}

const char *camera_image(const capture_target *target, const uint8_t *pixels, uint32_t width, uint32_t height, int format)
{
    const ts_image_layer layer = image_layer(target->model, width, height, format);
    if (width > UINT16_MAX || height > UINT16_MAX || !ts_image_valid(&layer)) {
        return "a picture of this size cannot be used";
    }
    ts_image(&layer, pixels, target->input, input_scratch(target, ts_image_scratch_bytes(&layer)));
    return NULL;
}

static const char *judge(const ts_model *model, const int8_t *input)
{
    return capture_signal_problem(capture_judge_picture(input, model->height, model->width, model->channels));
}

#if CONFIG_IDF_TARGET_LINUX
/* One number of a PPM header, after blanks and comments; 0 where there is none. */
static uint32_t header_number(const uint8_t *bytes, size_t size, size_t *at)
{
    uint32_t value = 0;
    while (*at < size && (strchr(" \t\r\n", bytes[*at]) != NULL || bytes[*at] == '#')) {
        if (bytes[*at] == '#') {
            while (*at < size && bytes[*at] != '\n') {
                ++*at;
            }
        } else {
            ++*at;
        }
    }
    while (*at < size && bytes[*at] >= '0' && bytes[*at] <= '9' && value < 100000) {
        value = value * 10 + (uint32_t)(bytes[(*at)++] - '0');
    }
    return value;
}

/* Pictures may follow each other in a file, as in a video of netpbm; a stream takes one a window. */
static const char *file(const capture_target *target, const uint8_t *bytes, size_t size, int raw)
{
    (void)raw; /* pictures have headers */
    for (long window = 0;; window++) {
        if (window > 0 && size == 0) {
            return capture_end;
        }
        if (size <= 8 || bytes[0] != 'P' || (bytes[1] != '5' && bytes[1] != '6')) {
            return "this file is no PPM or PGM picture";
        }
        size_t at = 2;
        const uint32_t channels = bytes[1] == '6' ? 3 : 1;
        const uint32_t width = header_number(bytes, size, &at), height = header_number(bytes, size, &at);
        const uint32_t most = header_number(bytes, size, &at);
        at++;
        const size_t length = (size_t)width * height * channels;
        if (width == 0 || height == 0 || width > 4096 || height > 4096 || most != 255 || at + length > size) {
            return "this picture is not a complete 8-bit PPM or PGM";
        }
        if (window >= target->window) {
            return camera_image(target, bytes + at, width, height, channels == 3 ? TS_PIXEL_RGB888 : TS_PIXEL_GRAY);
        }
        bytes += at + length;
        size -= at + length;
    }
}
#endif

/* How bright it was, or the text of a PPM or PGM file (P3, P2) at the size that the network sees. */
static void show(unsigned branch, int all)
{
    const ts_model *model = branches[branch];
    const int8_t *input = branches_input(branch);
    if (!all) {
        const input_range range = input_range_of(input, model->input_bytes);
        printf("signal picture level %d contrast %d of 255\n", range.mean + 128, range.most - range.least);
        return;
    }
    printf("%s\n%u %u\n255\n", model->channels == 3 ? "P3" : "P2", (unsigned)model->width, (unsigned)model->height);
    for (uint32_t i = 0, row = model->width * model->channels; i < model->input_bytes; i++) {
        printf("%d%c", input[i] + 128, (i + 1) % row == 0 ? '\n' : ' ');
    }
}

const input_kind input_camera = {
    .name = "camera",
    .prompt = "stand still, the face in the middle of the picture",
    .show = show,
    .prepare = prepare,
    .judge = judge,
#if CONFIG_IDF_TARGET_LINUX
    .file = file,
#endif
#if CONFIG_TS_CAPTURE_HARDWARE
    .open = camera_open,
    .take = camera_capture,
    .close = camera_close,
#endif
};
