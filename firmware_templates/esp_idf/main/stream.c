/* SPDX-License-Identifier: Apache-2.0 */
#include "stream.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "application.h"
#include "capture.h"
#include "commands.h"
#include "event.h"
#include "port.h"
#include "sdkconfig.h"
#include "sleep.h"

static struct {
    long window;     /* the next one of the sensors */
    int64_t next_us; /* when it is due */
    int running;     /* whether the task is there */
    int on;
} live;

static char *const no_files[] = {NULL};

static void forget(void)
{
    ts_recent_reset(application_stream.recent);
}

static void judge(void)
{
    const stream_told told = application_stream.judge();
    if (told.event != NULL) {
        event_tell(told.event, told.score);
    } else if (application_stream.recent->quiet == 0) {
        event_end();
    }
}

/* Captures, computes and prints a window. NULL, or why not. */
static const char *window_line(char *const *words, long window)
{
    const char *problem = commands_sense(words, window);
    if (problem == capture_end) {
        return problem;
    }
    printf("{\"window\":%ld,\"ms\":%" PRId64 ",", window < 0 ? 0 : window, port_us() / 1000);
    if (problem == NULL) {
        judge();
    } else {
        forget();
        printf("\"error\":\"%s\"", problem);
    }
    printf("}\n");
    return problem;
}

void stream_once(char *const *words)
{
    forget();
    commands_answer(words[0], window_line(words + 1, CAPTURE_ALONE));
    forget();
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
        const char *problem = window_line(no_files, live.window);
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

static const char *live_on(void)
{
    live.window = 0;
    live.next_us = 0;
    live.on = 1;
    if (!sleep_woken()) {
        forget();
    }
    if (!live.running) {
        live.running = port_repeat(live_window) == 0;
        live.on = live.running;
    }
    return live.on ? NULL : "name files: this program has no task that streams";
}

void stream_run(char *const *words)
{
    if (words[1] == NULL) {
        commands_answer("stream", live_on());
        return;
    }
    if (strcmp(words[1], "off") == 0) {
        live.on = 0;
        commands_answer("stream off", NULL);
        return;
    }
    long window = 0;
    forget();
    while (window_line(words + 1, window) != capture_end) {
        window++;
    }
    forget();
    live.window = 0;
    if (window == 0) {
        commands_answer("stream", "these files hold no window");
    } else {
        printf("OK stream windows %ld\n", window);
    }
}

void application_open(const char *problem)
{
    (void)problem;
    event_open();
}

void application_start(void)
{
#if CONFIG_TS_CAPTURE_HARDWARE && CONFIG_TS_STREAM_AT_START
    if (CANDIDATE_STREAMS) {
        port_lock();
        commands_answer("stream", live_on());
        port_unlock();
    }
#endif
}
