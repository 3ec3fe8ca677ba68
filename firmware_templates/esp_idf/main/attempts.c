/* SPDX-License-Identifier: Apache-2.0 */
#include "attempts.h"

#include <stddef.h>
#include <stdint.h>

#include "port.h"
#include "sdkconfig.h"
#include "store.h"
#include "ts_crc32.h"

enum { VERSION = 1, LONGEST_S = 86400, SPENT = 1000000 };

static const char key[] = "attempts";

typedef struct {
    uint32_t version;
    uint32_t failures; /* since somebody was accepted */
    uint32_t crc;      /* of what stands before it */
} attempts_record;

static uint32_t failures;
static int64_t locked_until_us; /* 0: not locked */
static int kept;                /* whether the store has the count */

static int keep(uint32_t count)
{
    attempts_record record = {VERSION, count, 0};
    record.crc = ts_crc32(0, &record, offsetof(attempts_record, crc));
    return store_write(key, &record, sizeof record);
}

/* Locks where the count is a multiple of the attempts that are allowed: for LOCKOUT_S, then twice as long, and so on. */
static void lock_if_spent(void)
{
    if (failures == 0 || failures % CONFIG_TS_ATTEMPTS != 0) {
        return;
    }
    int64_t seconds = CONFIG_TS_LOCKOUT_S;
    for (uint32_t lock = failures / CONFIG_TS_ATTEMPTS; lock > 1 && seconds < LONGEST_S; lock--) {
        seconds *= 2;
    }
    locked_until_us = port_us() + (seconds < LONGEST_S ? seconds : LONGEST_S) * 1000000;
}

int attempts_open(void)
{
    attempts_record record;
    const int size = store_read(key, &record, sizeof record);
    if (size == (int)sizeof record && record.version == VERSION &&
        record.crc == ts_crc32(0, &record, offsetof(attempts_record, crc))) {
        failures = record.failures;
        kept = 1;
    } else {
        /* Without a record the device is new. A damaged one locks for the longest time, once. */
        failures = size == 0 ? 0 : SPENT - SPENT % CONFIG_TS_ATTEMPTS;
        kept = keep(failures) == 0; /* also takes the room that the record needs */
    }
    lock_if_spent();
    return kept ? 0 : -1;
}

unsigned attempts_locked_s(void)
{
    if (locked_until_us == 0) {
        return 0;
    }
    const int64_t left_us = locked_until_us - port_us();
    if (left_us > 0) {
        return (unsigned)(left_us / 1000000) + 1;
    }
    locked_until_us = 0;
    return 0;
}

const char *attempts_begin(void)
{
    const uint32_t count = failures < UINT32_MAX ? failures + 1 : failures;
    if (!kept || keep(count) != 0) {
        return "no attempt is allowed while the store cannot count it";
    }
    failures = count;
    lock_if_spent();
    return NULL;
}

void attempts_accept(void)
{
    locked_until_us = 0;
    failures = 0;
    keep(0); /* if this fails the device counts on from more failures than there were */
}
