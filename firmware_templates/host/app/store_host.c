/* store.h on a PC: records in memory, and in the file named by TS_FLASH between runs. */
#include "store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RECORDS = 64, RECORD_BYTES = 65536, NUMBERS = 8, NAME = 16 };

static struct {
    struct {
        char name[NAME];
        uint32_t value;
    } number[NUMBERS];
    uint32_t size[RECORDS];
    uint8_t record[RECORDS][RECORD_BYTES];
} flash;

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

int store_open(void)
{
    const char *path = getenv("TS_FLASH");
    FILE *in = path != NULL ? fopen(path, "rb") : NULL;
    if (in == NULL) {
        return 0;
    }
    const int failed = fread(&flash, sizeof flash, 1, in) != 1;
    fclose(in);
    return failed ? -1 : 0;
}

int store_read(unsigned slot, void *record, size_t size)
{
    if (slot >= RECORDS || flash.size[slot] > size) {
        return -1;
    }
    memcpy(record, flash.record[slot], flash.size[slot]);
    return (int)flash.size[slot];
}

int store_write(unsigned slot, const void *record, size_t size)
{
    if (slot >= RECORDS || size > RECORD_BYTES) {
        return -1;
    }
    if (size > 0) {
        memcpy(flash.record[slot], record, size);
    }
    flash.size[slot] = (uint32_t)size;
    return save();
}

static int place(const char *name)
{
    for (int i = 0; i < NUMBERS; i++) {
        if (flash.number[i].name[0] == 0 || strcmp(flash.number[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

uint32_t store_get_number(const char *name)
{
    const int i = place(name);
    return i >= 0 && flash.number[i].name[0] != 0 ? flash.number[i].value : 0;
}

int store_set_number(const char *name, uint32_t value)
{
    const int i = place(name);
    if (i < 0 || strlen(name) >= NAME) {
        return -1;
    }
    strcpy(flash.number[i].name, name);
    flash.number[i].value = value;
    return save();
}
