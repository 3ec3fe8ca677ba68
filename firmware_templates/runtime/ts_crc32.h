/* SPDX-License-Identifier: Apache-2.0 */
/* CRC-32 as in zlib, gzip and Ethernet (reflected polynomial 0xEDB88320), for self-tests and stored templates.
 *
 * Start with crc = 0; feeding the result back continues over a further piece. Four bits a step from a table of 64
 * bytes.
 */
#ifndef TS_CRC32_H
#define TS_CRC32_H

#include <stddef.h>
#include <stdint.h>

uint32_t ts_crc32(uint32_t crc, const void *data, size_t size);

#endif
