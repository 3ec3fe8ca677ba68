/* What the application parses, fed with mutated bytes: files of both branches, console lines, records of the store and
 * the host's store itself. The networks are stand-ins (host/app/scripted_models.c), and the clock is the harness's own.
 * Every input finds a new device, so that it alone decides what happens.
 *
 * Under libFuzzer (python benchmarks/fuzz.py), or with a main of its own, compiled with -DALONE: program RUNS SEED FILE..
 * makes the same mutations of the files again for the same numbers. A sanitizer says what is wrong. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "application.h"
#include "attempts.h"
#include "branches.h"
#include "commands.h"
#include "owner.h"
#include "people.h"
#include "ts_crc32.h"

#include "files.c"
#include "store_host.c"

#define sha256_pbkdf2 every_round
#include "sha256.c"
#undef sha256_pbkdf2

#define port_us real_us
#include "port_host.c"
#undef port_us

enum { KINDS = 5, LINE = 1200, ROUNDS = 2 };

static int64_t now_us = 1;

int64_t port_us(void)
{
    return now_us;
}

/* Thousands of rounds would be most of the fuzzer's time. */
void sha256_pbkdf2(const char *password, size_t length, const uint8_t *salt, size_t salt_bytes, unsigned rounds,
                   uint8_t *key)
{
    every_round(password, length, salt, salt_bytes, rounds < ROUNDS ? rounds : ROUNDS, key);
}

static void start(void)
{
    static int started;
    if (started) {
        return;
    }
    started = 1;
    if (freopen("/dev/null", "w", stdout) == NULL || branches_open() != NULL || capture_prepare() != NULL) {
        abort();
    }
    commands_open(NULL);
    application_open(NULL);
}

/* An empty store, no lock-out, nobody in. */
static void renew(void)
{
    memset(flash.entry, 0, sizeof flash.entry);
    now_us += INT64_C(2) * 86400 * 1000000;
    attempts_open();
    attempts_locked_s();
    owner_close();
}

/* The first byte says what the file is called, and the window of which it is read. */
static void read_file(unsigned branch, const uint8_t *data, size_t size)
{
    static const char *const names[4] = {"a", "a.raw", "a.inputs", "a.pcm"};
    const capture_target target = {
        .model = branches[branch],
        .input = branches_input(branch),
        .arena = (uint8_t *)branches_input(branch) - branches[branch]->input_offset,
        .branch = branch,
        .window = data[0] / 4 % 4 - 1,
    };
    uint8_t *exact = malloc(--size); /* so that reading past its end is seen */
    if (exact != NULL && size > 0) {
        memcpy(exact, data + 1, size);
        convert(&target, names[data[0] % 4], exact, size);
    }
    free(exact);
}

static void type_lines(const uint8_t *data, size_t size)
{
    char line[LINE];
    while (size > 0) {
        const uint8_t *end = memchr(data, '\n', size);
        const size_t length = end != NULL ? (size_t)(end - data) : size, taken = length < LINE - 1 ? length : LINE - 1;
        memcpy(line, data, taken);
        line[taken] = 0;
        if (strncmp(line, "ahead ", 6) == 0) {
            now_us += (int64_t)(strtoul(line + 6, NULL, 10) % 100000) * 1000000;
        } else {
            commands_run(line);
        }
        data += length + (end != NULL);
        size -= length + (end != NULL);
    }
}

/* A record of the store, with a CRC that fits where the first byte is odd, so that what lies behind is reached. */
static void restore(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"r0", "r1", "attempts", "pin"};
    static uint8_t record[RECORD_BYTES];
    if (size < 2 || size > RECORD_BYTES) {
        return;
    }
    const unsigned which = data[1] % 4;
    memcpy(record, data + 2, size -= 2);
    const size_t at = which < 2 ? 8 : size - 4; /* of a person it stands before the name, else at the end */
    if (data[0] % 2 == 1 && size >= 12) {
        memset(record + at, 0, 4);
        const uint32_t crc = ts_crc32(0, record, which < 2 ? size : at);
        memcpy(record + at, &crc, 4);
    }
    store_write(names[which], record, size);
    attempts_open();
    attempts_locked_s();
    people_damaged();
    people_none();
    people_closest(branches_embeddings(), NULL);
    owner_pin();
}

/* The table of the host's store, as another program may have left it. */
static void other_flash(const uint8_t *data, size_t size)
{
    uint8_t record[64];
    memcpy(flash.entry, data, size < sizeof flash.entry ? size : sizeof flash.entry);
    if (plausible()) {
        store_read("r0", record, sizeof record);
        store_read("attempts", record, sizeof record);
        store_write("pin", record, sizeof record);
        people_damaged();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    start();
    if (size < 2) {
        return 0;
    }
    renew();
    switch (data[0] % KINDS) {
    case 0:
    case 1:
        read_file(data[0] % KINDS % CANDIDATE_BRANCHES, data + 1, size - 1);
        break;
    case 2:
        type_lines(data + 1, size - 1);
        break;
    case 3:
        restore(data + 1, size - 1);
        break;
    default:
        other_flash(data + 1, size - 1);
        break;
    }
    return 0;
}

#ifdef ALONE
enum { LONGEST = 8192, MOST_SEEDS = 32 };

static uint32_t state;

static uint32_t draw(uint32_t below)
{
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state % below;
}

static size_t mutate(uint8_t *bytes, size_t size)
{
    static const uint8_t telling[] = {0, 1, 0x7f, 0x80, 0xff, '\n', ' ', '#', '-', '0', '9'};
    for (uint32_t change = draw(6); change > 0 && size > 1; change--) {
        const uint32_t at = 1 + draw((uint32_t)size - 1);
        switch (draw(5)) {
        case 0:
            bytes[at] ^= (uint8_t)(1u << draw(8));
            break;
        case 1:
            bytes[at] = telling[draw(sizeof telling)];
            break;
        case 2:
            size = at + 1;
            break;
        case 3: { /* again, or more of it */
            const size_t more = draw(2) == 0 ? draw(64) : draw(LONGEST);
            const size_t room = LONGEST - size < more ? LONGEST - size : more;
            for (size_t i = 0; i < room; i++) {
                bytes[size + i] = draw(2) == 0 ? bytes[1 + i % (size - 1)] : (uint8_t)draw(256);
            }
            size += room;
            break;
        }
        default:
            bytes[at] = (uint8_t)draw(256);
            break;
        }
    }
    return size;
}

int main(int argc, char **argv)
{
    static uint8_t seeds[MOST_SEEDS][LONGEST], bytes[LONGEST];
    size_t sizes[MOST_SEEDS];
    const long runs = argc > 1 ? atol(argv[1]) : 10000;
    const uint32_t count = argc > 3 + MOST_SEEDS ? MOST_SEEDS : (uint32_t)(argc > 3 ? argc - 3 : 0);
    state = argc > 2 ? (uint32_t)atol(argv[2]) : 1;
    for (uint32_t i = 0; i < count; i++) {
        FILE *in = fopen(argv[3 + i], "rb");
        sizes[i] = in != NULL ? fread(seeds[i], 1, LONGEST, in) : 0;
        if (sizes[i] < 2 || fclose(in) != 0) {
            return 1;
        }
    }
    for (long run = 0; run < runs && count > 0; run++) {
        const uint32_t chosen = draw(count);
        memcpy(bytes, seeds[chosen], sizes[chosen]);
        LLVMFuzzerTestOneInput(bytes, mutate(bytes, sizes[chosen]));
    }
    return count == 0;
}
#endif
