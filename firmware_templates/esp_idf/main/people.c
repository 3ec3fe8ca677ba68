/* SPDX-License-Identifier: Apache-2.0 */
#include "people.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "branches.h"
#include "store.h"
#include "ts_crc32.h"

enum { VERSION = 2 };

/* A person's record as it lies in NVS; only the captures in use are written. */
typedef struct {
    uint16_t version;
    uint16_t captures;
    uint32_t models; /* of the networks that computed them */
    uint32_t crc;    /* of the record, itself taken as 0 */
    char name[PEOPLE_NAME];
    uint8_t capture[PEOPLE_CAPTURES][CANDIDATE_TEMPLATE_BYTES];
} person_record;

typedef enum { ABSENT, USABLE, DAMAGED } record_state;

static _Alignas(TS_MODEL_ALIGNMENT) person_record person;
static uint32_t models;

int people_open(void)
{
    models = 0;
    for (unsigned b = 0; b < CANDIDATE_BRANCHES; b++) {
        models = models * UINT32_C(31) + branches[b]->id;
    }
    return store_open();
}

int people_name_ok(const char *name)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const size_t length = strlen(name);
    return length > 0 && length < PEOPLE_NAME && strspn(name, allowed) == length;
}

static size_t bytes_of(unsigned captures)
{
    return offsetof(person_record, capture) + (size_t)captures * CANDIDATE_TEMPLATE_BYTES;
}

static const char *key_of(unsigned slot)
{
    static char key[STORE_NAME];
    snprintf(key, sizeof key, "r%u", slot % 1000u);
    return key;
}

/* CRC of the first `size` bytes of `person`. */
static uint32_t crc_of(size_t size)
{
    const uint32_t kept = person.crc;
    person.crc = 0;
    const uint32_t crc = ts_crc32(0, &person, size);
    person.crc = kept;
    return crc;
}

/* Loads a slot into `person`, which is of no use unless the record is. */
static record_state load(unsigned slot)
{
    const int size = store_read(key_of(slot), &person, sizeof person);
    if (size == 0) {
        return ABSENT;
    }
    if (size < (int)bytes_of(1) || person.version != VERSION || person.captures < 1 ||
        person.captures > PEOPLE_CAPTURES || (size_t)size != bytes_of(person.captures) ||
        person.crc != crc_of((size_t)size)) {
        return DAMAGED;
    }
    if (person.models != models) {
        return ABSENT;
    }
    if (memchr(person.name, 0, PEOPLE_NAME) == NULL || !people_name_ok(person.name)) {
        return DAMAGED;
    }
    for (unsigned i = 0; i < person.captures; i++) {
        if (!branches_usable(person.capture[i])) {
            return DAMAGED;
        }
    }
    return USABLE;
}

static void wipe(void)
{
    memset(&person, 0, sizeof person);
}

const char *people_name(unsigned slot)
{
    return load(slot) == USABLE ? person.name : NULL;
}

unsigned people_damaged(void)
{
    unsigned count = 0;
    for (unsigned slot = 0; slot < PEOPLE; slot++) {
        count += load(slot) == DAMAGED;
    }
    wipe();
    return count;
}

int people_none(void)
{
    int none = 1;
    for (unsigned slot = 0; slot < PEOPLE; slot++) {
        none &= load(slot) == ABSENT;
    }
    wipe();
    return none;
}

/* Slot of a name with its record in `person`, or -1; *unused becomes a slot to write to, empty or else damaged, or -1. */
static int find(const char *name, int *unused)
{
    int damaged = -1;
    *unused = -1;
    for (int slot = 0; slot < PEOPLE; slot++) {
        const record_state state = load((unsigned)slot);
        if (state == USABLE && strcmp(person.name, name) == 0) {
            return slot;
        }
        *unused = state == ABSENT && *unused < 0 ? slot : *unused;
        damaged = state == DAMAGED && damaged < 0 ? slot : damaged;
    }
    *unused = *unused < 0 ? damaged : *unused;
    return -1;
}

const char *people_add(const char *name, const uint8_t *record)
{
    int unused;
    int slot = find(name, &unused);
    if (slot < 0) {
        if (unused < 0) {
            return "no place for another person";
        }
        slot = unused;
        wipe();
        person.version = VERSION;
        person.models = models;
        strcpy(person.name, name);
    }
    if (person.captures == PEOPLE_CAPTURES) {
        memmove(person.capture[0], person.capture[1], sizeof person.capture[0] * (PEOPLE_CAPTURES - 1));
        person.captures--;
    }
    memcpy(person.capture[person.captures++], record, CANDIDATE_TEMPLATE_BYTES);
    const size_t size = bytes_of(person.captures);
    person.crc = crc_of(size);
    const int failed = store_write(key_of((unsigned)slot), &person, size);
    wipe();
    return failed ? "the store did not take it" : NULL;
}

const char *people_delete(const char *name)
{
    int unused;
    const int slot = find(name, &unused);
    wipe();
    if (slot < 0) {
        return "nobody of that name";
    }
    return store_write(key_of((unsigned)slot), NULL, 0) == 0 ? NULL : "the store did not take it";
}

int people_has(const char *only)
{
    int found = 0;
    for (unsigned slot = 0; slot < PEOPLE && !found; slot++) {
        found = load(slot) == USABLE && (only == NULL || strcmp(person.name, only) == 0);
    }
    wipe();
    return found;
}

people_match people_closest(const uint8_t *record, const char *only)
{
    people_match match = {"", INT32_MIN};
    for (unsigned slot = 0; slot < PEOPLE; slot++) {
        if (load(slot) != USABLE || (only != NULL && strcmp(person.name, only) != 0)) {
            continue;
        }
        for (unsigned i = 0; i < person.captures; i++) {
            const int32_t score = branches_score(record, person.capture[i]);
            if (score > match.score) {
                match.score = score;
                strcpy(match.name, person.name);
            }
        }
    }
    wipe();
    return match;
}

#ifdef CANDIDATE_FIRST
int people_unsure(const uint8_t *record, const char *only)
{
    int open = 0, sure = 0;
    for (unsigned slot = 0; slot < PEOPLE; slot++) {
        if (load(slot) != USABLE || (only != NULL && strcmp(person.name, only) != 0)) {
            continue;
        }
        for (unsigned i = 0; i < person.captures; i++) {
            const int32_t cosine = branches_first_cosine(record, person.capture[i]);
            open |= branches_unsure(cosine);
            sure |= cosine >= CANDIDATE_ACCEPT_FROM;
        }
    }
    wipe();
    return open && !sure;
}
#endif
