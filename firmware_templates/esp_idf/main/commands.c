/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "application.h"
#include "branches.h"
#include "candidate.h"
#include "capture.h"
#include "port.h"
#include "sdkconfig.h"
#include "show.h"
#include "ts_crc32.h"

#define BLANKS " \t"

static const char *broken; /* why the networks cannot run */

void commands_answer(const char *what, const char *problem)
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
}

void commands_sources(char *const *words, const char *sources[CANDIDATE_BRANCHES])
{
    for (unsigned b = 0; b < CANDIDATE_BRANCHES; b++) {
        sources[b] = *words == NULL || strcmp(*words, "-") == 0 ? NULL : *words;
        words += *words != NULL;
    }
}

const char *commands_sense(char *const *words, long window)
{
    const char *sources[CANDIDATE_BRANCHES];
    commands_sources(words, sources);
    return branches_sense(sources, window);
}

void commands_selftest(void)
{
    if (broken != NULL) {
        commands_answer("selftest", broken);
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
    commands_answer("benchmark", NULL);
}

static void sensors(char *const *words)
{
    (void)words;
    commands_answer("sensors", show_signals());
}

#if CONFIG_TS_FEED
static void picture(char *const *words)
{
    commands_answer("picture", show_all("camera", words[1]));
}

static void record(char *const *words)
{
    commands_answer("record", show_all("microphone", words[1]));
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
        commands_answer("feed", "feed BRANCH OFFSET HEX or feed BRANCH seed N");
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
            commands_answer("feed", "these are not bytes within the input");
            return;
        }
        whole = offset + (unsigned long)written == model->input_bytes;
    }
    const char *problem = whole ? branches_feed_done((unsigned)branch) : NULL;
    commands_answer(whole && problem == NULL ? "feed ready" : "feed", problem);
}
#endif

static void help(char *const *words);

static const command own_commands[] = {
    {"benchmark", benchmark, 1, "a line a layer: layer BRANCH STEP CYCLES"},
    {"bench", benchmark, 1, "as benchmark"},
    {"sensors", sensors, 1, "opens the sensors, captures, and says how bright or loud it was"},
    {"selftest", selftest, 1, "golden patterns through every branch"},
#if CONFIG_TS_FEED
    {"picture", picture, 1, "[FILE]: captures and prints the picture as a PPM or PGM file"},
    {"record", record, 1, "[FILE]: captures and prints the recording, 16-bit values in hexadecimal"},
    {"feed", feed, 1, "BRANCH OFFSET HEX | BRANCH seed N: an input for the next capture"},
#endif
    {"help", help, 0, ""},
    {NULL, NULL, 0, NULL},
};

/* The command of that name in a list, or the end of the list. */
static const command *find(const command *list, const char *name)
{
    while (list->name != NULL && strcmp(list->name, name) != 0) {
        list++;
    }
    return list;
}

static void help(char *const *words)
{
    (void)words;
    for (const command *c = application_commands; c->name != NULL; c++) {
        printf("%s %s\n", c->name, c->usage);
    }
    for (const command *c = own_commands; c->name != NULL; c++) {
        printf("%s %s\n", c->name, c->usage);
    }
    commands_answer("help", NULL);
}

void commands_run(char *line)
{
    char *words[COMMAND_WORDS + 1] = {NULL};
    char *rest = NULL;
    const size_t length = strlen(line);
    unsigned count = 0;
    for (char *word = strtok_r(line, BLANKS, &rest); word != NULL && count < COMMAND_WORDS;
         word = strtok_r(NULL, BLANKS, &rest)) {
        words[count++] = word;
    }
    if (count == 0) {
        return;
    }
    port_lock();
    const command *found = find(application_commands, words[0]);
    found = found->name != NULL ? found : find(own_commands, words[0]);
    if (found->name == NULL) {
        commands_answer("unknown command", "say help");
    } else if (found->computes && broken != NULL) {
        commands_answer(found->name, broken);
    } else {
        found->run(words);
    }
    memset(line, 0, length); /* a PIN may stand there */
    fflush(stdout);
    port_unlock();
}

int commands_hides(const char *typed)
{
    const char *word = typed + strspn(typed, BLANKS);
    const size_t length = strcspn(word, BLANKS);
    const int pin = length == 3 && strncmp(word, "pin", length) == 0;
    const int owner = length == 5 && strncmp(word, "owner", length) == 0;
    return word[length] != '\0' && (pin || owner);
}

void commands_button(void)
{
    char line[16];
    snprintf(line, sizeof line, "%s", application_button);
    commands_run(line);
}
