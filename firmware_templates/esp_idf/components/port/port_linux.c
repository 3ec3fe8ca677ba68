/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "esp_private/partition_linux.h"
#include "sdkconfig.h"

#include "port.h"

int64_t port_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

uint32_t port_cycles(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint32_t)((uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec);
}

uint32_t port_cycle_hz(void)
{
    return UINT32_C(1000000000);
}

const char *port_chip(void)
{
    return "linux";
}

/* An erased flash that holds the partition table, in a new file. */
static int make_flash(const char *path)
{
    enum { SIZE = 4 << 20 };
    unsigned char *flash = malloc(SIZE);
    FILE *in = fopen(PORT_PARTITION_TABLE, "rb");
    FILE *out = fopen(path, "wb");
    int ok = flash != NULL && in != NULL && out != NULL;
    if (ok) {
        memset(flash, 0xFF, SIZE);
        ok = fread(flash + CONFIG_PARTITION_TABLE_OFFSET, 1, 0x1000, in) > 0 && fwrite(flash, 1, SIZE, out) == SIZE;
    }
    if (in != NULL) {
        fclose(in);
    }
    if (out != NULL) {
        fclose(out);
    }
    free(flash);
    return ok;
}

/* TS_FLASH=FILE keeps the emulated flash in FILE between runs; without it, each run gets an erased temporary file,
 * which stays behind in /tmp. The file must be named before the first access to a partition. */
void port_flash_open(void)
{
    const char *path = getenv("TS_FLASH");
    esp_partition_file_mmap_ctrl_t *control = esp_partition_get_file_mmap_ctrl_input();
    if (path == NULL) {
        return;
    }
    if (strlen(path) >= sizeof control->flash_file_name || (access(path, F_OK) != 0 && !make_flash(path))) {
        fprintf(stderr, "ERR flash file %s\n", path);
        exit(1);
    }
    strcpy(control->flash_file_name, path);
}

void port_console_open(int (*hidden)(const char *typed))
{
    (void)hidden; /* the terminal echoes by itself */
    setvbuf(stdout, NULL, _IOLBF, 0);
}

/* read(2) by hand: the tick's signal interrupts blocking calls. */
int port_getline(char *line, size_t size)
{
    size_t length = 0;
    for (;;) {
        char c;
        const ssize_t got = read(STDIN_FILENO, &c, 1);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            line[length] = 0;
            return length > 0 ? (int)length : -1;
        }
        if (c == '\n') {
            line[length] = 0;
            return (int)length;
        }
        if (c != '\r' && length + 1 < size) {
            line[length++] = c;
        }
    }
}

void port_end(void)
{
    fflush(stdout);
    exit(0);
}

void port_figures(void)
{
    printf("heap n/a\n");
}

void *port_memory(size_t size, int external)
{
    (void)external;
    return aligned_alloc(16, (size + 15) / 16 * 16);
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

int port_woken(void)
{
    return 0;
}

int port_sleep(int deep, int64_t ms, int gpio)
{
    (void)deep;
    (void)ms;
    (void)gpio;
    return -1;
}
