/* SPDX-License-Identifier: Apache-2.0 */
/* What differs between a chip and IDF's linux target: time, console, button, tasks. */
#ifndef PORT_H
#define PORT_H

#include <stddef.h>
#include <stdint.h>

#include "sdkconfig.h"

/* Of variables that outlive a deep sleep, on chips that have memory for it. */
#if CONFIG_TS_SLEEP_DEEP && CONFIG_SOC_RTC_MEM_SUPPORTED
#include "esp_attr.h"
#define PORT_KEPT RTC_DATA_ATTR
#else
#define PORT_KEPT
#endif

int64_t port_us(void);          /* monotonic microseconds */
uint32_t port_cycles(void);     /* wraps; CPU cycles on a chip, nanoseconds on linux */
uint32_t port_cycle_hz(void);   /* what port_cycles counts a second */
const char *port_chip(void);    /* "esp32c3", "linux" */
void port_flash_open(void);     /* before anything touches a partition */

/* hidden tells whether what follows what was typed of a line must not be shown; a chip echoes itself, where
 * CONFIG_TS_ECHO, and takes back what backspace erases. */
void port_console_open(int (*hidden)(const char *typed));

/* One line without its end: its length, or -1 at the end of input. Longer lines lose their tail. */
int port_getline(char *line, size_t size);
void port_end(void);            /* end of input: leaves on linux, idles on a chip */
void port_figures(void);        /* prints heap and stack */

/* Gives the idle task, and so its watchdog, a tick once in a while; to be called between the steps of a network. */
void port_breathe(void);

/* size bytes that are never returned, aligned to 16: of external RAM where asked for and there, else of internal RAM.
 * NULL where there are none. Only at start. */
void *port_memory(size_t size, int external);

/* Fills memory with random bytes. 0, or -1. */
int port_random(void *bytes, size_t size);

/* Calls `pressed` from a task of its own when the button at `gpio` is pressed (active low). 0, or -1. */
int port_button_open(int gpio, void (*pressed)(void));

/* Runs fn on a task of its own and waits for it, but at most timeout_ms; whether it came to an end. A driver that hangs
 * then hangs alone. */
int port_run_apart(void (*fn)(void), unsigned timeout_ms);

/* Keeps console and button from running a command at once; usable after port_branches_open. */
void port_lock(void);
void port_unlock(void);

/* Runs fn(0) .. fn(count - 1) and waits for all: branch b on task workers[b], 0 or 1, of which each is pinned to a core
 * where there are two; where workers was NULL, one after the other on the caller's task. fn must not print. */
typedef void (*port_branch_fn)(unsigned branch);
int port_branches_open(const uint8_t *workers, unsigned count);
void port_branches(port_branch_fn fn, unsigned count);

/* Calls fn again and again from a task of its own, after as many milliseconds as it returns; never again once that is
 * negative. 0, or -1 where there is no such task (on a PC without ESP-IDF). */
int port_repeat(int (*fn)(void));

/* Whether this start ended a deep sleep. */
int port_woken(void);

/* Sleeps for so many milliseconds (negative: without end) or until the button at `gpio` is pressed (active low; -1: there is none).
 * Deep sleep does not return: the chip starts again. 0, or -1 where it cannot or nothing would wake it. */
int port_sleep(int deep, int64_t ms, int gpio);

/* Makes a GPIO an output, low; sets its level. 0, or -1. */
int port_output_open(int gpio);
void port_output(int gpio, int level);

#endif
