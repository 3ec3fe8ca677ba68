#include "people.h"

#include <stddef.h>
#include <string.h>

#include "branches.h"
#include "store.h"

enum { VERSION = 1 };

/* A person's record as it lies in NVS; only the captures in use are written. */
typedef struct {
    uint16_t version;
    uint16_t captures;
    uint32_t models; /* of the networks that computed them */
    char name[PEOPLE_NAME];
    uint8_t capture[PEOPLE_CAPTURES][CANDIDATE_TEMPLATE_BYTES];
} person_record;

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

/* Loads a slot into `person`; 0 where there is nothing of use. */
static int load(unsigned slot)
{
    const int size = store_read(slot, &person, sizeof person);
    person.name[PEOPLE_NAME - 1] = 0;
    return size >= (int)bytes_of(1) && person.version == VERSION && person.models == models && person.captures >= 1 &&
           person.captures <= PEOPLE_CAPTURES && (size_t)size == bytes_of(person.captures) &&
           people_name_ok(person.name);
}

static void wipe(void)
{
    memset(&person, 0, sizeof person);
}

const char *people_name(unsigned slot)
{
    return load(slot) ? person.name : NULL;
}

/* Slot of a name with its record in `person`, or -1; *unused becomes the first empty slot or -1. */
static int find(const char *name, int *unused)
{
    *unused = -1;
    for (int slot = 0; slot < PEOPLE; slot++) {
        if (!load((unsigned)slot)) {
            *unused = *unused < 0 ? slot : *unused;
        } else if (strcmp(person.name, name) == 0) {
            return slot;
        }
    }
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
    const int failed = store_write((unsigned)slot, &person, bytes_of(person.captures));
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
    return store_write((unsigned)slot, NULL, 0) == 0 ? NULL : "the store did not take it";
}

people_match people_closest(const uint8_t *record, const char *only)
{
    people_match match = {"", INT32_MIN};
    for (unsigned slot = 0; slot < PEOPLE; slot++) {
        if (!load(slot) || (only != NULL && strcmp(person.name, only) != 0)) {
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
