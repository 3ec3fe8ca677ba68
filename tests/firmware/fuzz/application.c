/* What the application parses, fed with mutated bytes: files of both branches, console lines, records of the store and
 * the host's store itself. The networks are stand-ins (host/app/scripted_models.c).
 *
 * Under libFuzzer (python benchmarks/fuzz.py), or with a main of its own, compiled with -DALONE: program RUNS SEED makes
 * the same mutations again for the same numbers. A sanitizer says what is wrong. */
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

enum { KINDS = 5, LINE = 1200 };

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

static void read_file(unsigned branch, const uint8_t *data, size_t size)
{
    const capture_target target = {
        .model = branches[branch],
        .input = branches_input(branch),
        .arena = (uint8_t *)branches_input(branch) - branches[branch]->input_offset,
        .branch = branch,
        .window = size > 0 ? data[size - 1] % 4 - 1 : CAPTURE_ALONE,
    };
    uint8_t *exact = malloc(size); /* so that reading past its end is seen */
    if (exact != NULL && size > 0) {
        memcpy(exact, data, size);
        convert(&target, data[0] % 8 == 0 ? "a.inputs" : "a", exact, size);
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
        commands_run(line);
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
    store_write(names[which], NULL, 0);
    store_write("attempts", NULL, 0);
    attempts_open();
}

/* The table of the host's store, as another program may have left it. */
static void other_flash(const uint8_t *data, size_t size)
{
    static uint8_t kept[sizeof flash.entry];
    uint8_t record[64];
    memcpy(kept, flash.entry, sizeof kept);
    memcpy(flash.entry, data, size < sizeof kept ? size : sizeof kept);
    if (plausible()) {
        store_read("r0", record, sizeof record);
        store_read("attempts", record, sizeof record);
        store_write("pin", record, sizeof record);
        people_damaged();
    }
    memcpy(flash.entry, kept, sizeof kept);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    start();
    if (size < 2) {
        return 0;
    }
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
enum { LONGEST = 8192 };

static uint32_t state;

static uint32_t draw(uint32_t below)
{
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state % below;
}

/* The bytes of a string without its end; "\0" inside counts. */
#define SEED(text) {(const uint8_t *)text, sizeof text - 1}
static const struct {
    const uint8_t *bytes;
    size_t size;
} seeds[] = {
    SEED("\0P6\n# c\n8 8\n255\n"),
    SEED("\0P5 12 9 255\n"),
    SEED("\1RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x80\x3e\0\0\0\x7d\0\0\2\0\x10\0data\4\0\0\0\1\2\3\4"),
    SEED("\1RIFF\xff\xff\xff\xffWAVELIST\xf0\xff\xff\xffdata\xff\xff\xff\xff"),
    SEED("\2feed face 0 80ff00\nfeed voice seed 3\nenroll ann\nverify\nowner 471108\npin 471108\nlist\ndelete ann\n"),
    SEED("\2enroll ann nosuch.ppm nosuch.wav\nverify - nosuch\nclose\nsensors\nhelp\nfeed face 4294967295 00\n"),
    SEED("\3\1\0\2\0\1\0\0\0\0\0\0\0\0\0ann\0\0\0\0\0\0\0\0\0\0\0\0\0"),
    SEED("\3\1\2\1\0\0\0\5\0\0\0\0\0\0\0"),
    SEED("\3\1\3\1\0\0\0"),
    SEED("\4r0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x40\0\0\0"),
};

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
    static uint8_t bytes[LONGEST];
    const long runs = argc > 1 ? atol(argv[1]) : 10000;
    state = argc > 2 ? (uint32_t)atol(argv[2]) : 1;
    for (long run = 0; run < runs; run++) {
        const uint32_t chosen = draw(sizeof seeds / sizeof seeds[0]);
        memcpy(bytes, seeds[chosen].bytes, seeds[chosen].size);
        LLVMFuzzerTestOneInput(bytes, mutate(bytes, seeds[chosen].size));
    }
    return 0;
}
#endif
