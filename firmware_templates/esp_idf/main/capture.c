/* SPDX-License-Identifier: Apache-2.0 */
#include "capture.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "candidate.h"
#include "port.h"
#include "sdkconfig.h"

/* esp32-camera drives the first I2S controller of the ESP32 and ESP32-S2 by itself. A microphone that needs the same one
 * takes turns with the camera: each is opened for a capture, and closed after it. */
#if CONFIG_TS_CAPTURE_HARDWARE && CANDIDATE_FACE && CANDIDATE_VOICE &&                                                  \
    (CONFIG_IDF_TARGET_ESP32S2 || (CONFIG_IDF_TARGET_ESP32 && CONFIG_TS_MICROPHONE_PDM))
enum { TURNS = 1 };
#else
enum { TURNS = 0 };
#endif

#if CONFIG_TS_CAPTURE_HARDWARE
enum { START_MS = 5000 };

static const struct {
    const char *branch;
    const char *name;
    const char *(*open)(void);
    const char *(*take)(const capture_target *target);
    void (*close)(void);
    const char *prompt;
} sensors[] = {
#if CANDIDATE_FACE
    {"face", "camera", camera_open, camera_capture, camera_close, "stand still, the face in the middle of the picture"},
#endif
#if CANDIDATE_VOICE
    {"voice", "microphone", microphone_open, microphone_capture, microphone_close, "speak now"},
#endif
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

static void open_sensors(void)
{
    for (unsigned i = 0; sensors[i].branch != NULL; i++) {
        const char *problem = sensors[i].open();
        if (problem == NULL) {
            printf("%s ready\n", sensors[i].name);
            if (TURNS) {
                sensors[i].close();
            }
        } else {
            printf("ERR %s: %s\n", sensors[i].name, problem);
        }
    }
}

static const char *take(unsigned sensor, const capture_target *target)
{
    const char *problem = TURNS ? sensors[sensor].open() : NULL;
    if (problem == NULL) {
        problem = sensors[sensor].take(target);
        if (TURNS) {
            sensors[sensor].close();
        }
    }
    return problem;
}
#endif

int capture_in_turns(void)
{
    return TURNS;
}

void capture_open(void)
{
#if CONFIG_TS_CAPTURE_HARDWARE
    static int asked;
    if (asked) {
        return;
    }
    asked = 1;
    if (!port_run_apart(open_sensors, START_MS)) {
        printf("ERR sensors: a driver does not come back\n");
    }
#endif
}

void capture_prompt(const char *branch)
{
    (void)branch;
#if CONFIG_TS_CAPTURE_HARDWARE
    for (unsigned i = 0; sensors[i].branch != NULL; i++) {
        if (strcmp(sensors[i].branch, branch) == 0) {
            printf("NOTE %s: %s\n", sensors[i].name, sensors[i].prompt);
            fflush(stdout);
        }
    }
#endif
}

const char *capture(const capture_target *target, const char *path)
{
    if (path != NULL) {
#if CONFIG_IDF_TARGET_LINUX
        return files_capture(target, path);
#else
        return "this target has no files";
#endif
    }
#if CONFIG_TS_CAPTURE_HARDWARE
    for (unsigned i = 0; sensors[i].branch != NULL; i++) {
        if (strcmp(sensors[i].branch, target->model->name) == 0) {
            return take(i, target);
        }
    }
#endif
    return "nothing was fed to a branch, and it has no sensor";
}
