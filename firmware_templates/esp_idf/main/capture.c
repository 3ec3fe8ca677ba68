#include "capture.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "candidate.h"
#include "port.h"
#include "sdkconfig.h"

#if CONFIG_TS_CAPTURE_HARDWARE
enum { START_MS = 5000 };

static void report(const char *sensor, const char *problem)
{
    if (problem == NULL) {
        printf("%s ready\n", sensor);
    } else {
        printf("ERR %s: %s\n", sensor, problem);
    }
}

static void open_sensors(void)
{
#if CANDIDATE_FACE
    report("camera", camera_open());
#endif
#if CANDIDATE_VOICE
    report("microphone", microphone_open());
#endif
}
#endif

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
#if CANDIDATE_FACE
    if (strcmp(target->model->name, "face") == 0) {
        return camera_capture(target);
    }
#endif
#if CANDIDATE_VOICE
    if (strcmp(target->model->name, "voice") == 0) {
        return microphone_capture(target);
    }
#endif
#endif
    return "nothing was fed to a branch, and it has no sensor";
}
