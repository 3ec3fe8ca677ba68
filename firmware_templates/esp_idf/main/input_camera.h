/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures. The driver stands in camera.c, on a chip alone. */
#ifndef INPUT_CAMERA_H
#define INPUT_CAMERA_H

#include "input.h"

extern const input_kind input_camera;

const char *camera_open(void);
const char *camera_capture(const capture_target *target);
void camera_close(void);

/* A picture becomes an input; the numbers are those of the training data. format: ts_pixel_format. */
const char *camera_image(const capture_target *target, const uint8_t *pixels, uint32_t width, uint32_t height, int format);

#endif
