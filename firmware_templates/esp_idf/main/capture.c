#include "capture.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "candidate.h"
#include "sdkconfig.h"

#if CONFIG_TS_CAPTURE_HARDWARE
static void report(const char *sensor, const char *problem)
{
    if (problem == NULL) {
        printf("%s ready\n", sensor);
    } else {
        printf("ERR %s: %s\n", sensor, problem);
    }
}
#endif

void capture_open(void)
{
#if CONFIG_TS_CAPTURE_HARDWARE
#if CANDIDATE_FACE
    report("camera", camera_open());
#endif
#if CANDIDATE_VOICE
    report("microphone", microphone_open());
#endif
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
