/* SPDX-License-Identifier: Apache-2.0 */
#include "capture.h"

#include <stddef.h>
#include <stdio.h>

#include "candidate.h"
#include "input.h"
#include "port.h"
#include "sdkconfig.h"

/* A microphone that needs the controller that the camera's driver takes, takes turns with the camera: each is opened for a
 * capture, and closed after it. */
#if CONFIG_TS_CAPTURE_HARDWARE && CANDIDATE_CAMERA && CANDIDATE_MICROPHONE &&                                           \
    (CONFIG_TS_MICROPHONE_PDM ? CANDIDATE_PDM_BY_TURNS : CANDIDATE_I2S_BY_TURNS)
enum { TURNS = 1 };
#else
enum { TURNS = 0 };
#endif

const char *capture_prepare(void)
{
    const char *problem = NULL;
    for (unsigned b = 0; b < CANDIDATE_BRANCHES && problem == NULL; b++) {
        problem = candidate_kinds[b]->prepare(b);
    }
    return problem;
}

#if CONFIG_TS_CAPTURE_HARDWARE
enum { START_MS = 5000 };

/* Whether a branch before this one has the same sensor. */
static int opened_before(unsigned branch)
{
    unsigned b = 0;
    while (b < branch && candidate_kinds[b] != candidate_kinds[branch]) {
        b++;
    }
    return b < branch;
}

static void open_sensors(void)
{
    for (unsigned b = 0; b < CANDIDATE_BRANCHES; b++) {
        const input_kind *kind = candidate_kinds[b];
        if (kind->open == NULL || opened_before(b)) {
            continue;
        }
        const char *problem = kind->open();
        if (problem == NULL) {
            printf("%s ready\n", kind->name);
            if (TURNS) {
                kind->close();
            }
        } else {
            printf("ERR %s: %s\n", kind->name, problem);
        }
    }
}

static const char *take(const input_kind *kind, const capture_target *target)
{
    const char *problem = TURNS ? kind->open() : NULL;
    if (problem == NULL) {
        problem = kind->take(target);
        if (TURNS) {
            kind->close();
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

void capture_prompt(unsigned branch)
{
    (void)branch;
#if CONFIG_TS_CAPTURE_HARDWARE
    const input_kind *kind = candidate_kinds[branch];
    if (kind->take != NULL && kind->prompt != NULL) {
        printf("NOTE %s: %s\n", kind->name, kind->prompt);
        fflush(stdout);
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
    if (candidate_kinds[target->branch]->take != NULL) {
        return take(candidate_kinds[target->branch], target);
    }
#endif
    return "nothing was fed to a branch, and it has no sensor";
}
