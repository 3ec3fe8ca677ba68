/* SPDX-License-Identifier: Apache-2.0 */
/* A parallel camera through espressif/esp32-camera: a small raw frame, so that no JPEG decoder and, for small inputs,
 * no PSRAM is needed. Without the managed component the project still builds, and says so at start. */
#include "sdkconfig.h"

#include "candidate.h"
#include "input_camera.h"
#include "ts_image.h"

#if __has_include("esp_camera.h") && defined(CONFIG_TS_CAMERA_XCLK_HZ)
#include "driver/gpio.h"
#include "esp_camera.h"

/* Kconfig leaves out what is off. */
#ifndef CONFIG_TS_CAMERA_VFLIP
#define CONFIG_TS_CAMERA_VFLIP 0
#endif
#ifndef CONFIG_TS_CAMERA_HMIRROR
#define CONFIG_TS_CAMERA_HMIRROR 0
#endif
#ifndef CONFIG_TS_CAMERA_TURNED
#define CONFIG_TS_CAMERA_TURNED 0
#endif

enum { SETTLE_FRAMES = 8 };

static int opened;
static unsigned old_frames; /* to be dropped: the exposure adapts to the first ones, and the one buffer holds an old one */

/* An OV3660 delivers its picture upside down; a board that mounts its camera so, or turned, is told by Kconfig. */
static void orient(sensor_t *sensor)
{
    const int flip = CONFIG_TS_CAMERA_VFLIP || sensor->id.PID == OV3660_PID;
    sensor->set_vflip(sensor, flip != CONFIG_TS_CAMERA_TURNED);
    sensor->set_hmirror(sensor, CONFIG_TS_CAMERA_HMIRROR != CONFIG_TS_CAMERA_TURNED);
}

const char *camera_open(void)
{
#if CONFIG_TS_BOARD_ESP_EYE
    gpio_set_pull_mode(GPIO_NUM_13, GPIO_PULLUP_ONLY);
    gpio_set_pull_mode(GPIO_NUM_14, GPIO_PULLUP_ONLY);
#endif
    const camera_config_t config = {
        .pin_pwdn = CONFIG_TS_CAMERA_PIN_PWDN,
        .pin_reset = CONFIG_TS_CAMERA_PIN_RESET,
        .pin_xclk = CONFIG_TS_CAMERA_PIN_XCLK,
        .pin_sccb_sda = CONFIG_TS_CAMERA_PIN_SDA,
        .pin_sccb_scl = CONFIG_TS_CAMERA_PIN_SCL,
        .pin_d7 = CONFIG_TS_CAMERA_PIN_D7,
        .pin_d6 = CONFIG_TS_CAMERA_PIN_D6,
        .pin_d5 = CONFIG_TS_CAMERA_PIN_D5,
        .pin_d4 = CONFIG_TS_CAMERA_PIN_D4,
        .pin_d3 = CONFIG_TS_CAMERA_PIN_D3,
        .pin_d2 = CONFIG_TS_CAMERA_PIN_D2,
        .pin_d1 = CONFIG_TS_CAMERA_PIN_D1,
        .pin_d0 = CONFIG_TS_CAMERA_PIN_D0,
        .pin_vsync = CONFIG_TS_CAMERA_PIN_VSYNC,
        .pin_href = CONFIG_TS_CAMERA_PIN_HREF,
        .pin_pclk = CONFIG_TS_CAMERA_PIN_PCLK,
        .xclk_freq_hz = CONFIG_TS_CAMERA_XCLK_HZ,
        .ledc_timer = LEDC_TIMER_0,
        .ledc_channel = LEDC_CHANNEL_0,
        .pixel_format = PIXFORMAT_RGB565,
        .frame_size = CANDIDATE_FRAME_SIZE,
        .jpeg_quality = 12,
        .fb_count = 1,
        .fb_location = CANDIDATE_FRAME_IN_PSRAM ? CAMERA_FB_IN_PSRAM : CAMERA_FB_IN_DRAM,
        .grab_mode = CAMERA_GRAB_WHEN_EMPTY,
    };
    opened = esp_camera_init(&config) == ESP_OK;
    old_frames = SETTLE_FRAMES;
    if (opened) {
        orient(esp_camera_sensor_get());
    }
    return opened ? NULL : "no sensor answers; check wiring, pins (menuconfig) and memory";
}

const char *camera_capture(const capture_target *target)
{
    if (!opened) {
        return "the camera did not start";
    }
    for (; old_frames > 0; old_frames--) {
        camera_fb_t *old = esp_camera_fb_get();
        if (old == NULL) {
            return "the camera gave no frame";
        }
        esp_camera_fb_return(old);
    }
    old_frames = 1;
    camera_fb_t *frame = esp_camera_fb_get();
    if (frame == NULL) {
        return "the camera gave no frame";
    }
    const char *problem = "the camera gave another format";
    if (frame->format == PIXFORMAT_RGB565 && frame->len >= frame->width * frame->height * 2) {
        problem = camera_image(target, frame->buf, frame->width, frame->height, TS_PIXEL_RGB565);
    }
    esp_camera_fb_return(frame);
    return problem;
}

void camera_close(void)
{
    opened = 0;
    esp_camera_deinit();
}

#else

const char *camera_open(void)
{
    return "built without a camera driver";
}

const char *camera_capture(const capture_target *target)
{
    (void)target;
    return "built without a camera driver";
}

void camera_close(void)
{
}

#endif
