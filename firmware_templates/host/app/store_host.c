/* SPDX-License-Identifier: Apache-2.0 */
/* store.h on a PC: records in memory, and in the file named by TS_FLASH between runs. After TS_FLASH_WRITES writes, where
 * that is set, it is worn out. */
#include "store.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RECORDS = 64, RECORD_BYTES = 65536 };

static struct {
    struct {
        char name[STORE_NAME]; /* empty: no record */
        uint32_t size;
    } entry[RECORDS];
    uint8_t record[RECORDS][RECORD_BYTES];
} flash;

static int opened;

static int worn_out(void)
{
    static long written;
    const char *most = getenv("TS_FLASH_WRITES");
    return most != NULL && written++ >= atol(most);
}

static int save(void)
{
    const char *path = getenv("TS_FLASH");
    FILE *out = path != NULL ? fopen(path, "wb") : NULL;
    if (path == NULL) {
        return 0;
    }
    const int failed = out == NULL || fwrite(&flash, sizeof flash, 1, out) != 1;
    return (out != NULL && fclose(out) != 0) || failed ? -1 : 0;
}

/* What a file of another program would make us believe. */
static int plausible(void)
{
    for (int i = 0; i < RECORDS; i++) {
        if (memchr(flash.entry[i].name, 0, STORE_NAME) == NULL || flash.entry[i].size > RECORD_BYTES) {
            return 0;
        }
    }
    return 1;
}

int store_open(void)
{
    const char *path = getenv("TS_FLASH");
    FILE *in = path != NULL ? fopen(path, "rb") : NULL;
    opened = 1;
    if (in != NULL) {
        opened = fread(&flash, sizeof flash, 1, in) == 1 && plausible();
        fclose(in);
    }
    return opened ? 0 : -1;
}

static int place(const char *name)
{
    for (int i = 0; i < RECORDS; i++) {
        if (strcmp(flash.entry[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

int store_read(const char *name, void *record, size_t size)
{
    const int i = place(name);
    if (!opened || (i >= 0 && flash.entry[i].size > size)) {
        return -1;
    }
    if (i < 0) {
        return 0;
    }
    memcpy(record, flash.record[i], flash.entry[i].size);
    return (int)flash.entry[i].size;
}

int store_write(const char *name, const void *record, size_t size)
{
    int i = place(name);
    if (!opened || worn_out() || size > RECORD_BYTES || strlen(name) >= STORE_NAME) {
        return -1;
    }
    if (i < 0 && size == 0) {
        return 0;
    }
    i = i < 0 ? place("") : i;
    if (i < 0) {
        return -1;
    }
    strcpy(flash.entry[i].name, size > 0 ? name : "");
    flash.entry[i].size = (uint32_t)size;
    if (size > 0) {
        memcpy(flash.record[i], record, size);
    }
    return save();
}
