/* SPDX-License-Identifier: Apache-2.0 */
#include "sha256.h"

#include <string.h>

static const uint32_t constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotated(uint32_t value, unsigned by)
{
    return value >> by | value << (32 - by);
}

static uint32_t big_endian(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static void compress(uint32_t state[8], const uint8_t block[SHA256_BLOCK])
{
    uint32_t w[64], v[8];
    for (unsigned i = 0; i < 16; i++) {
        w[i] = big_endian(block + 4 * i);
    }
    for (unsigned i = 16; i < 64; i++) {
        const uint32_t early = w[i - 15], late = w[i - 2];
        w[i] = w[i - 16] + (rotated(early, 7) ^ rotated(early, 18) ^ early >> 3) + w[i - 7] +
               (rotated(late, 17) ^ rotated(late, 19) ^ late >> 10);
    }
    memcpy(v, state, sizeof v);
    for (unsigned i = 0; i < 64; i++) {
        const uint32_t choice = (v[4] & v[5]) ^ (~v[4] & v[6]);
        const uint32_t majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
        const uint32_t first = v[7] + (rotated(v[4], 6) ^ rotated(v[4], 11) ^ rotated(v[4], 25)) + choice + constants[i] + w[i];
        const uint32_t second = (rotated(v[0], 2) ^ rotated(v[0], 13) ^ rotated(v[0], 22)) + majority;
        memmove(v + 1, v, 7 * sizeof v[0]);
        v[4] += first;
        v[0] = first + second;
    }
    for (unsigned i = 0; i < 8; i++) {
        state[i] += v[i];
    }
}

void sha256_start(sha256 *hash)
{
    static const uint32_t start[8] = {
        0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
    };
    memcpy(hash->state, start, sizeof start);
    hash->bytes = 0;
}

void sha256_add(sha256 *hash, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    for (; size > 0; size--) {
        hash->block[hash->bytes++ % SHA256_BLOCK] = *bytes++;
        if (hash->bytes % SHA256_BLOCK == 0) {
            compress(hash->state, hash->block);
        }
    }
}

void sha256_end(sha256 *hash, uint8_t digest[SHA256_BYTES])
{
    static const uint8_t padding[SHA256_BLOCK] = {0x80};
    const uint64_t bits = hash->bytes * 8;
    const size_t used = (size_t)(hash->bytes % SHA256_BLOCK);
    uint8_t length[8];
    for (unsigned i = 0; i < 8; i++) {
        length[i] = (uint8_t)(bits >> (56 - 8 * i));
    }
    sha256_add(hash, padding, used < 56 ? 56 - used : 120 - used);
    sha256_add(hash, length, sizeof length);
    for (unsigned i = 0; i < SHA256_BYTES; i++) {
        digest[i] = (uint8_t)(hash->state[i / 4] >> (24 - 8 * (i % 4)));
    }
}

/* HMAC, whose two keyed blocks are hashed once for all rounds. */
typedef struct {
    sha256 inner, outer;
} hmac;

static void hmac_start(hmac *h, const char *key, size_t size)
{
    uint8_t block[SHA256_BLOCK] = {0};
    if (size > sizeof block) { /* as RFC 2104 has it */
        sha256_start(&h->inner);
        sha256_add(&h->inner, key, size);
        sha256_end(&h->inner, block);
    } else {
        memcpy(block, key, size);
    }
    for (unsigned i = 0; i < sizeof block; i++) {
        block[i] ^= 0x36;
    }
    sha256_start(&h->inner);
    sha256_add(&h->inner, block, sizeof block);
    for (unsigned i = 0; i < sizeof block; i++) {
        block[i] ^= 0x36 ^ 0x5c;
    }
    sha256_start(&h->outer);
    sha256_add(&h->outer, block, sizeof block);
}

static void hmac_of(const hmac *h, const uint8_t *data, size_t size, uint8_t result[SHA256_BYTES])
{
    sha256 hash = h->inner;
    sha256_add(&hash, data, size);
    sha256_end(&hash, result);
    hash = h->outer;
    sha256_add(&hash, result, SHA256_BYTES);
    sha256_end(&hash, result);
}

void sha256_pbkdf2(const char *password, size_t password_size, const uint8_t *salt, size_t salt_size, unsigned rounds,
                   uint8_t key[SHA256_BYTES])
{
    hmac h;
    uint8_t first[32 + 4] = {0}, turn[SHA256_BYTES];
    hmac_start(&h, password, password_size);
    memcpy(first, salt, salt_size);
    first[salt_size + 3] = 1; /* the number of the key's block, big-endian */
    hmac_of(&h, first, salt_size + 4, turn);
    memcpy(key, turn, sizeof turn);
    for (unsigned round = 1; round < rounds; round++) {
        hmac_of(&h, turn, sizeof turn, turn);
        for (unsigned i = 0; i < sizeof turn; i++) {
            key[i] ^= turn[i];
        }
    }
}
