/* Records and counters that survive a restart: namespace "tinysearch" of the NVS partition. */
#ifndef STORE_H
#define STORE_H

#include <stddef.h>
#include <stdint.h>

/* Opens the partition; erases one that another version of NVS wrote. 0, or -1. */
int store_open(void);

/* Reads record `slot` into `record`, at most `size` bytes. Its length, 0 if there is none, -1 on failure. */
int store_read(unsigned slot, void *record, size_t size);

/* Replaces record `slot`; size 0 erases it. 0, or -1 (full, worn out): the old record then still stands. */
int store_write(unsigned slot, const void *record, size_t size);

/* A small number by name (at most 15 characters); 0 where none was written. */
uint32_t store_get_number(const char *name);
int store_set_number(const char *name, uint32_t value);

#endif
