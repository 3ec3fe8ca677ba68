/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attempts.h"
#include "branches.h"
#include "candidate.h"
#include "capture.h"
#include "owner.h"
#include "people.h"
#include "port.h"
#include "sdkconfig.h"
#include "show.h"
#include "threshold.h"
#include "ts_crc32.h"

enum { WORDS = 5 };

static const char *broken; /* why the networks cannot run */

static void answer(const char *what, const char *problem)
{
    if (problem == NULL) {
        printf("OK %s\n", what);
    } else {
        printf("ERR %s: %s\n", what, problem);
    }
}

void commands_open(const char *problem)
{
    broken = problem;
    if (attempts_open() != 0) {
        printf("ERR attempts: the store cannot count them, so none is allowed\n");
    }
    if (people_damaged() > 0) {
        printf("WARN %u records of people are damaged\n", people_damaged());
    }
}

/* ---- the lock ---- */

/* Whether a lock-out holds; then says so. */
static int locked(const char *what)
{
    const unsigned seconds = attempts_locked_s();
    if (seconds > 0) {
        printf("ERR %s: locked for %u s\n", what, seconds);
    }
    return seconds > 0;
}

/* Ends an attempt that attempts_begin counted. */
static void end_attempt(int right)
{
    if (right) {
        attempts_accept();
        owner_open();
    } else if (attempts_locked_s() > 0) {
        owner_close();
    }
}

/* An empty device without a PIN belongs to whoever comes first. */
static int unowned(void)
{
    return owner_pin() == OWNER_PIN_NONE && people_none();
}

static const char *closed(void)
{
    return owner_is_open() ? NULL : "closed: verify first, or give the owner's PIN";
}

/* ---- commands ---- */

static const char *sense(char *const *paths)
{
    const char *sources[CANDIDATE_BRANCHES] = {NULL};
    for (unsigned b = 0; b < CANDIDATE_BRANCHES && paths[b] != NULL; b++) {
        sources[b] = strcmp(paths[b], "-") == 0 ? NULL : paths[b];
    }
    return branches_sense(sources);
}

static void enroll(char *const *words)
{
    char done[PEOPLE_NAME + 8] = "enroll";
    const int first = unowned();
    const char *problem = first ? NULL : closed();
    if (problem == NULL && (words[1] == NULL || !people_name_ok(words[1]))) {
        problem = "a name has 1 to 15 letters, digits, - or _";
    } else if (problem == NULL) {
        snprintf(done, sizeof done, "enroll %s", words[1]);
        problem = sense(words + 2);
        if (problem == NULL) {
            problem = people_add(words[1], branches_embeddings());
        }
    }
    if (problem == NULL && first) {
        printf("NOTE the first person of an empty device needs no PIN; it is open for %d s: set one (pin DIGITS)\n",
               CONFIG_TS_OPEN_S);
        owner_open();
    }
    answer(done, problem);
}

static void verify(char *const *words)
{
    if (locked("verify")) {
        return;
    }
    const char *only = words[1] != NULL && strcmp(words[1], "-") != 0 ? words[1] : NULL;
    const char *problem = NULL;
    if (!people_has(only)) {
        problem = only != NULL ? "nobody of that name" : "nobody is enrolled";
    } else {
        problem = sense(words[1] != NULL ? words + 2 : words + 1);
    }
    if (problem == NULL) {
        problem = attempts_begin();
    }
    if (problem != NULL) {
        answer("verify", problem);
        return;
    }
    const people_match match = people_closest(branches_embeddings(), only);
    const int accepted = match.name[0] != 0 && match.score >= ACCEPTING_SCORE;
    end_attempt(accepted);
    printf("OK verify %s", accepted ? match.name : "nobody");
#if CONFIG_TS_DEBUG_SCORES
    printf(" %" PRId32 " threshold %" PRId32, match.score, (int32_t)ACCEPTING_SCORE);
#endif
    printf("\n");
}

static void owner(char *const *words)
{
    if (locked("owner")) {
        return;
    }
    const char *problem = NULL;
    if (words[1] == NULL) {
        problem = "say owner PIN";
    } else if (owner_pin() != OWNER_PIN_SET) {
        problem = owner_pin() == OWNER_PIN_NONE ? "no PIN is set" : "the PIN's record is damaged";
    } else {
        problem = attempts_begin();
    }
    if (problem == NULL) {
        const int right = owner_is_pin(words[1]);
        end_attempt(right);
        problem = right ? NULL : "this is not the PIN";
    }
    answer("owner", problem);
}

static void pin(char *const *words)
{
    const char *problem = closed();
    if (problem == NULL) {
        problem = words[1] != NULL && owner_pin_ok(words[1]) ? owner_set_pin(words[1]) : "a PIN has 6 to 16 digits";
    }
    answer("pin", problem);
}

static void close_lock(char *const *words)
{
    (void)words;
    owner_close();
    answer("close", NULL);
}

static void list(char *const *words)
{
    (void)words;
    for (unsigned slot = 0; slot < PEOPLE; slot++) {
        const char *name = people_name(slot);
        if (name != NULL) {
            printf("entry %s\n", name);
        }
    }
    answer("list", NULL);
}

static void delete(char *const *words)
{
    char done[PEOPLE_NAME + 8] = "delete";
    const char *problem = closed();
    if (problem == NULL && (words[1] == NULL || !people_name_ok(words[1]))) {
        problem = "name somebody";
    } else if (problem == NULL) {
        problem = people_delete(words[1]);
        snprintf(done, sizeof done, "delete %s", words[1]);
    }
    if (problem == NULL && unowned()) {
        printf("NOTE nobody is left and no PIN is set: this device belongs to whoever enrolls next\n");
    }
    answer(done, problem);
}

void commands_selftest(void)
{
    if (broken != NULL) {
        answer("selftest", broken);
        return;
    }
    uint32_t crc = 0;
    int passed = 1;
    for (unsigned b = 0; b < CANDIDATE_BRANCHES; b++) {
        const ts_model_check check = branches_selftest(b);
        passed &= check.passed;
        crc = b == 0 ? check.crc : ts_crc32(crc, &check.crc, sizeof check.crc);
        printf("branch %s crc %08" PRIx32 " model %08" PRIx32 " %s\n", branches[b]->name, check.crc, branches[b]->id,
               check.passed ? "passed" : "failed");
    }
    printf("%s selftest crc %08" PRIx32 " tasks %d\n", passed ? "OK" : "ERR", crc, CANDIDATE_TASKS);
}

static void selftest(char *const *words)
{
    (void)words;
    commands_selftest();
}

static void benchmark(char *const *words)
{
    static uint64_t cycles[CANDIDATE_MOST_STEPS];
    (void)words;
    printf("benchmark %s %" PRIu32 "\n", port_chip(), port_cycle_hz());
    for (unsigned b = 0; b < CANDIDATE_BRANCHES; b++) {
        uint64_t sum = 0;
        branches_measure(b, cycles);
        for (unsigned step = 0; step < branches[b]->step_count; step++) {
            sum += cycles[step];
            printf("layer %s %s %" PRIu64 "\n", branches[b]->name, branches[b]->step_names[step], cycles[step]);
        }
        printf("branch %s %" PRIu64 "\n", branches[b]->name, sum);
    }
    port_figures();
    answer("benchmark", NULL);
}

static void sensors(char *const *words)
{
    (void)words;
    capture_open();
#if CONFIG_TS_CAPTURE_HARDWARE
    answer("sensors", show_signals());
#else
    answer("sensors", NULL);
#endif
}

#if CONFIG_TS_FEED
static void picture(char *const *words)
{
    capture_open();
    answer("picture", show_picture(words[1]));
}

static void record(char *const *words)
{
    capture_open();
    answer("record", show_recording(words[1]));
}

static int digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = c != 0 ? strchr(digits, c | 0x20) : NULL;
    return found != NULL ? (int)(found - digits) : -1;
}

/* Writes bytes - 128 at an offset of an input. Bytes written, or -1. */
static long feed_hex(int8_t *input, uint32_t room, const char *hex)
{
    const size_t length = strlen(hex) / 2;
    if (strlen(hex) % 2 != 0 || length == 0 || length > room) {
        return -1;
    }
    for (size_t i = 0; i < length; i++) {
        const int high = digit(hex[2 * i]), low = digit(hex[2 * i + 1]);
        if (high < 0 || low < 0) {
            return -1;
        }
        input[i] = (int8_t)(high * 16 + low - 128);
    }
    return (long)length;
}

/* feed BRANCH seed N: a golden pattern. feed BRANCH OFFSET HEX: bytes of an input; the last byte starts the network,
 * so branches that share memory are fed one after the other. */
static void feed(char *const *words)
{
    const int branch = words[1] != NULL ? branches_find(words[1]) : -1;
    if (branch < 0 || words[2] == NULL || words[3] == NULL) {
        answer("feed", "feed BRANCH OFFSET HEX or feed BRANCH seed N");
        return;
    }
    const ts_model *model = branches[branch];
    int8_t *input = branches_input((unsigned)branch);
    int whole = 1;
    if (strcmp(words[2], "seed") == 0) {
        ts_model_pattern(model, (uint32_t)strtoul(words[3], NULL, 10), input);
    } else {
        const unsigned long offset = strtoul(words[2], NULL, 10);
        const long written = offset < model->input_bytes
                                 ? feed_hex(input + offset, model->input_bytes - (uint32_t)offset, words[3])
                                 : -1;
        if (written < 0) {
            answer("feed", "these are not bytes within the input");
            return;
        }
        whole = offset + (unsigned long)written == model->input_bytes;
    }
    const char *problem = whole ? branches_feed_done((unsigned)branch) : NULL;
    answer(whole && problem == NULL ? "feed ready" : "feed", problem);
}
#endif

static void help(char *const *words);

static const struct {
    const char *name;
    void (*run)(char *const *words);
    int computes; /* needs the networks */
    const char *usage;
} table[] = {
    {"enroll", enroll, 1, "NAME [FILE ..]: capture, and keep for NAME, the last few of a person; only while open"},
    {"enrol", enroll, 1, "as enroll"},
    {"verify", verify, 1, "[NAME|-] [FILE ..]: capture, and compare with NAME or with everybody"},
    {"list", list, 0, "names of the enrolled"},
    {"delete", delete, 0, "NAME; as enroll, only while open"},
    {"owner", owner, 0, "PIN: opens enroll, delete and pin for a while; a wrong one is a failed attempt"},
    {"pin", pin, 0, "DIGITS: the owner's new PIN, 6 to 16 digits; only while open"},
    {"close", close_lock, 0, "ends the time that an accepted verification or the PIN opened"},
    {"benchmark", benchmark, 1, "a line a layer: layer BRANCH STEP CYCLES"},
    {"bench", benchmark, 1, "as benchmark"},
    {"sensors", sensors, 1, "opens camera and microphone, captures, and says how bright and how loud it was"},
    {"selftest", selftest, 1, "golden patterns through every branch"},
#if CONFIG_TS_FEED
    {"picture", picture, 1, "[FILE]: captures and prints the picture as a PPM or PGM file"},
    {"record", record, 1, "[FILE]: captures and prints the recording, 16-bit values in hexadecimal"},
    {"feed", feed, 1, "BRANCH OFFSET HEX | BRANCH seed N: an input for the next enroll or verify"},
#endif
    {"help", help, 0, ""},
};

static void help(char *const *words)
{
    (void)words;
    for (unsigned i = 0; i < sizeof table / sizeof table[0]; i++) {
        printf("%s %s\n", table[i].name, table[i].usage);
    }
    answer("help", NULL);
}

void commands_run(char *line)
{
    char *words[WORDS + 1] = {NULL};
    char *rest = NULL;
    const size_t length = strlen(line);
    unsigned count = 0;
    for (char *word = strtok_r(line, " \t", &rest); word != NULL && count < WORDS;
         word = strtok_r(NULL, " \t", &rest)) {
        words[count++] = word;
    }
    if (count == 0) {
        return;
    }
    port_lock();
    unsigned i = 0;
    while (i < sizeof table / sizeof table[0] && strcmp(table[i].name, words[0]) != 0) {
        i++;
    }
    if (i < sizeof table / sizeof table[0]) {
        if (table[i].computes && broken != NULL) {
            answer(table[i].name, broken);
        } else {
            table[i].run(words);
        }
    } else {
        answer("unknown command", "say help");
    }
    memset(line, 0, length); /* a PIN may stand there */
    fflush(stdout);
    port_unlock();
}

int commands_hides(const char *typed)
{
    return strncmp(typed, "pin ", 4) == 0 || strncmp(typed, "owner ", 6) == 0;
}

void commands_button(void)
{
    char line[] = "verify";
    commands_run(line);
}
