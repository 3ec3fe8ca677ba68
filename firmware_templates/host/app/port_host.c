/* SPDX-License-Identifier: Apache-2.0 */
/* port.h on a PC: one task, so branches compute one after the other. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "port.h"

static uint64_t nanoseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

int64_t port_us(void)
{
    return (int64_t)(nanoseconds() / 1000);
}

uint32_t port_cycles(void)
{
    return (uint32_t)nanoseconds();
}

uint32_t port_cycle_hz(void)
{
    return UINT32_C(1000000000);
}

const char *port_chip(void)
{
    return "host";
}

void port_flash_open(void)
{
}

void port_console_open(int (*hidden)(const char *typed))
{
    (void)hidden; /* the terminal echoes by itself */
    setvbuf(stdout, NULL, _IOLBF, 0);
}

int port_getline(char *line, size_t size)
{
    size_t length = 0;
    for (int c = getchar(); c != EOF; c = getchar()) {
        if (c == '\n') {
            line[length] = 0;
            return (int)length;
        }
        if (c != '\r' && length + 1 < size) {
            line[length++] = (char)c;
        }
    }
    line[length] = 0;
    return length > 0 ? (int)length : -1;
}

void port_end(void)
{
}

void port_figures(void)
{
    printf("heap n/a\n");
}

void port_breathe(void)
{
}

/* Never returned, as on the device; the list keeps a leak checker quiet. */
void *port_memory(size_t size, int external)
{
    static void *kept[16];
    static unsigned count;
    (void)external;
    if (count == sizeof kept / sizeof kept[0]) {
        return NULL;
    }
    kept[count] = aligned_alloc(16, (size + 15) / 16 * 16);
    if (kept[count] != NULL) {
        memset(kept[count], 0xA5, size);
    }
    return kept[count++];
}

int port_random(void *bytes, size_t size)
{
    return getentropy(bytes, size);
}

int port_button_open(int gpio, void (*pressed)(void))
{
    (void)gpio;
    (void)pressed;
    return -1;
}

int port_run_apart(void (*fn)(void), unsigned timeout_ms)
{
    (void)timeout_ms;
    fn();
    return 1;
}

void port_lock(void)
{
}

void port_unlock(void)
{
}

int port_branches_open(const uint8_t *workers, unsigned count)
{
    (void)workers;
    (void)count;
    return 0;
}

int port_repeat(int (*fn)(void))
{
    (void)fn;
    return -1;
}

int port_woken(void)
{
    return getenv("TS_WOKEN") != NULL;
}

/* A program does not sleep; it says how long it would. */
int port_sleep(int deep, int64_t ms, int gpio)
{
    printf("NOTE sleep %s %ld ms, button %d\n", deep ? "deep" : "light", (long)ms, gpio);
    return 0;
}

int port_output_open(int gpio)
{
    (void)gpio;
    return -1;
}

void port_output(int gpio, int level)
{
    (void)gpio;
    (void)level;
}

void port_branches(port_branch_fn fn, unsigned count)
{
    for (unsigned branch = 0; branch < count; branch++) {
        fn(branch);
    }
}
