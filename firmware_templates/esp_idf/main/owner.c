/* SPDX-License-Identifier: Apache-2.0 */
#include "owner.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "port.h"
#include "sdkconfig.h"
#include "sha256.h"
#include "store.h"
#include "ts_crc32.h"

enum { VERSION = 1, ROUNDS = 10000, SALT_BYTES = 16, LEAST_DIGITS = 6, MOST_DIGITS = 16 };

static const char key[] = "pin";

typedef struct {
    uint32_t version;
    uint8_t salt[SALT_BYTES];
    uint8_t hash[SHA256_BYTES]; /* PBKDF2-HMAC-SHA-256 of the PIN, ROUNDS rounds */
    uint32_t crc;               /* of what stands before it */
} pin_record;

static int64_t open_until_us; /* 0: closed */

void owner_open(void)
{
    open_until_us = port_us() + (int64_t)CONFIG_TS_OPEN_S * 1000000;
}

void owner_close(void)
{
    open_until_us = 0;
}

int owner_is_open(void)
{
    return open_until_us != 0 && port_us() < open_until_us;
}

static owner_pin_state load(pin_record *record)
{
    const int size = store_read(key, record, sizeof *record);
    if (size == 0) {
        return OWNER_PIN_NONE;
    }
    const int whole = size == (int)sizeof *record && record->version == VERSION &&
                      record->crc == ts_crc32(0, record, offsetof(pin_record, crc));
    return whole ? OWNER_PIN_SET : OWNER_PIN_DAMAGED;
}

owner_pin_state owner_pin(void)
{
    pin_record record;
    return load(&record);
}

int owner_pin_ok(const char *pin)
{
    const size_t length = strlen(pin);
    return length >= LEAST_DIGITS && length <= MOST_DIGITS && strspn(pin, "0123456789") == length;
}

int owner_is_pin(const char *pin)
{
    pin_record record;
    uint8_t hash[SHA256_BYTES];
    unsigned differing = 0;
    if (!owner_pin_ok(pin) || load(&record) != OWNER_PIN_SET) {
        return 0;
    }
    sha256_pbkdf2(pin, strlen(pin), record.salt, sizeof record.salt, ROUNDS, hash);
    for (unsigned i = 0; i < sizeof hash; i++) {
        differing |= hash[i] ^ record.hash[i];
    }
    return differing == 0;
}

const char *owner_set_pin(const char *pin)
{
    pin_record record = {.version = VERSION};
    if (port_random(record.salt, sizeof record.salt) != 0) {
        return "there are no random numbers for a salt";
    }
    sha256_pbkdf2(pin, strlen(pin), record.salt, sizeof record.salt, ROUNDS, record.hash);
    record.crc = ts_crc32(0, &record, offsetof(pin_record, crc));
    return store_write(key, &record, sizeof record) == 0 ? NULL : "the store did not take it";
}
