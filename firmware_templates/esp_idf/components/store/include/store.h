/* SPDX-License-Identifier: Apache-2.0 */
/* Records that survive a restart, by name: namespace "tinysearch" of the NVS partition. What is read back may be damaged
 * or forged: whoever reads checks length, version and CRC. */
#ifndef STORE_H
#define STORE_H

#include <stddef.h>

enum { STORE_NAME = 16 }; /* of a record, with its end */

/* Opens the partition. 0, or -1: one that another version of NVS wrote, or that is damaged, is not erased, because an
 * empty device takes orders from whoever comes first; its owner erases it (idf.py erase-flash). */
int store_open(void);

/* Reads a record of at most `size` bytes. Its length, 0 if there is none, -1 on failure. */
int store_read(const char *name, void *record, size_t size);

/* Replaces a record; size 0 erases it. 0, or -1 (full, worn out): the old record then still stands. */
int store_write(const char *name, const void *record, size_t size);

#endif
