/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 (FIPS 180-4), and PBKDF2 with HMAC-SHA-256 (RFC 8018) for the first 32 bytes of a key. Here because ESP-IDF 5.5
 * and 6.0 offer it under different names, and a PC's build has none. */
#ifndef SHA256_H
#define SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { SHA256_BYTES = 32, SHA256_BLOCK = 64 };

typedef struct {
    uint32_t state[8];
    uint64_t bytes; /* taken so far */
    uint8_t block[SHA256_BLOCK];
} sha256;

void sha256_start(sha256 *hash);
void sha256_add(sha256 *hash, const void *data, size_t size);
void sha256_end(sha256 *hash, uint8_t digest[SHA256_BYTES]);

/* Salts of at most 32 bytes. */
void sha256_pbkdf2(const char *password, size_t password_size, const uint8_t *salt, size_t salt_size, unsigned rounds,
                   uint8_t key[SHA256_BYTES]);

#endif
