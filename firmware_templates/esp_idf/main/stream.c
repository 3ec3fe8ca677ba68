/* SPDX-License-Identifier: Apache-2.0 */
#include "stream.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "capture.h"
#include "commands.h"
#include "port.h"
#include "sdkconfig.h"
#include "sleep.h"

static struct {
    const stream_application *application;
    long window;     /* the next one of the sensors */
    int64_t next_us; /* when it is due */
    int running;     /* whether the task is there */
    int on;
} live;

static char *const no_files[] = {NULL};

/* Captures, computes and prints a window. NULL, or why not. */
static const char *window_line(const stream_application *application, char *const *words, long window)
{
    const char *problem = commands_sense(words, window);
    if (problem == capture_end) {
        return problem;
    }
    printf("{\"window\":%ld,\"ms\":%" PRId64 ",", window < 0 ? 0 : window, port_us() / 1000);
    if (problem == NULL) {
        application->judge();
    } else {
        application->reset();
        printf("\"error\":\"%s\"", problem);
    }
    printf("}\n");
    return problem;
}

void stream_once(const stream_application *application, char *const *words)
{
    application->reset();
    commands_answer(words[0], window_line(application, words + 1, CAPTURE_ALONE));
    application->reset();
    live.window = 0; /* what the sensors' stream had of a window is gone */
}

/* How long the task waits for its next window (ms); negative where it ends. A sensor that records waits by itself. */
static int live_window(void)
{
    int wait_ms = -1;
    port_lock();
    if (live.on) {
        const int64_t now_us = port_us();
        live.next_us = live.next_us > now_us ? live.next_us : now_us;
        const char *problem = window_line(live.application, no_files, live.window);
        live.window = problem == NULL ? live.window + 1 : 0;
        live.next_us += (int64_t)CANDIDATE_PERIOD_MS * 1000;
        const int64_t left_us = live.next_us - port_us();
        wait_ms = left_us > 0 ? (int)(left_us / 1000) : 0;
        if (CANDIDATE_PAUSES && wait_ms > 0 && sleep_try(wait_ms)) {
            wait_ms = 0;
        }
        fflush(stdout);
    } else {
        live.running = 0;
    }
    port_unlock();
    return wait_ms;
}

static const char *live_on(const stream_application *application)
{
    live.application = application;
    live.window = 0;
    live.next_us = 0;
    live.on = 1;
    if (!sleep_woken()) {
        application->reset();
    }
    if (!live.running) {
        live.running = port_repeat(live_window) == 0;
        live.on = live.running;
    }
    return live.on ? NULL : "name files: this program has no task that streams";
}

void stream_run(const stream_application *application, char *const *words)
{
    if (words[1] == NULL) {
        commands_answer("stream", live_on(application));
        return;
    }
    if (strcmp(words[1], "off") == 0) {
        live.on = 0;
        commands_answer("stream off", NULL);
        return;
    }
    long window = 0;
    application->reset();
    while (window_line(application, words + 1, window) != capture_end) {
        window++;
    }
    application->reset();
    live.window = 0;
    if (window == 0) {
        commands_answer("stream", "these files hold no window");
    } else {
        printf("OK stream windows %ld\n", window);
    }
}

void stream_start(const stream_application *application)
{
#if CONFIG_TS_CAPTURE_HARDWARE && CONFIG_TS_STREAM_AT_START
    if (CANDIDATE_STREAMS) {
        port_lock();
        commands_answer("stream", live_on(application));
        port_unlock();
    }
#else
    (void)application;
#endif
}
