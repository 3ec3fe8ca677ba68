/* SPDX-License-Identifier: Apache-2.0 */
/* The lock: people are enrolled, verified and counted; what opens it and when stands in owner.h and attempts.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "application.h"
#include "attempts.h"
#include "branches.h"
#include "candidate.h"
#include "capture.h"
#include "commands.h"
#include "owner.h"
#include "people.h"
#include "sdkconfig.h"

/* The score from which a person is accepted: that of the point that was emitted, or what menuconfig says instead. */
#if CONFIG_TS_THRESHOLD
#define ACCEPTING_SCORE INT32_C(CONFIG_TS_THRESHOLD)
#elif CONFIG_TS_STRICTER
#define ACCEPTING_SCORE CANDIDATE_STRICTER_THRESHOLD
#else
#define ACCEPTING_SCORE CANDIDATE_THRESHOLD
#endif

const char application_button[] = "verify";

void application_open(const char *problem)
{
    (void)problem;
    printf(people_open() == 0 ? "store ready\n" : "ERR store: NVS does not open\n");
    if (attempts_open() != 0) {
        printf("ERR attempts: the store cannot count them, so none is allowed\n");
    }
    if (people_damaged() > 0) {
        printf("WARN %u records of people are damaged\n", people_damaged());
    }
}

void application_start(void)
{
}

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
    if (owner_is_open()) {
        return NULL;
    }
    return unowned() ? "closed: enroll the first person, who needs no PIN" : "closed: verify first, or give the owner's PIN";
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
        problem = commands_sense(words + 2, CAPTURE_ALONE);
        if (problem == NULL) {
            problem = people_add(words[1], branches_embeddings());
        }
    }
    if (problem == NULL && first) {
        printf("NOTE the first person of an empty device needs no PIN; it is open for %d s: set one (pin DIGITS)\n",
               CONFIG_TS_OPEN_S);
        owner_open();
    }
    commands_answer(done, problem);
}

/* What a verification needs of a capture: a cascade's second branch only where the first leaves open who it is. */
static const char *sense(char *const *files, const char *only)
{
#ifdef CANDIDATE_FIRST
    const char *sources[CANDIDATE_BRANCHES];
    commands_sources(files, sources);
    return branches_sense_in_turn(sources, people_unsure, only);
#else
    (void)only;
    return commands_sense(files, CAPTURE_ALONE);
#endif
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
        problem = sense(words[1] != NULL ? words + 2 : words + 1, only);
    }
    if (problem == NULL) {
        problem = attempts_begin();
    }
    if (problem != NULL) {
        commands_answer("verify", problem);
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
    commands_answer("owner", problem);
}

static void pin(char *const *words)
{
    const char *problem = closed();
    if (problem == NULL) {
        problem = words[1] != NULL && owner_pin_ok(words[1]) ? owner_set_pin(words[1]) : "a PIN has 6 to 16 digits";
    }
    commands_answer("pin", problem);
}

static void close_lock(char *const *words)
{
    (void)words;
    owner_close();
    commands_answer("close", NULL);
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
    commands_answer("list", NULL);
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
    commands_answer(done, problem);
}

const command application_commands[] = {
    {"enroll", enroll, 1, "NAME [FILE ..]: capture, and keep for NAME, the last few of a person; only while open"},
    {"enrol", enroll, 1, "as enroll"},
    {"verify", verify, 1, "[NAME|-] [FILE ..]: capture, and compare with NAME or with everybody"},
    {"list", list, 0, "names of the enrolled"},
    {"delete", delete, 0, "NAME; as enroll, only while open"},
    {"owner", owner, 0, "PIN: opens enroll, delete and pin for a while; a wrong one is a failed attempt"},
    {"pin", pin, 0, "DIGITS: the owner's new PIN, 6 to 16 digits; only while open"},
    {"close", close_lock, 0, "ends the time that an accepted verification or the PIN opened"},
    {NULL, NULL, 0, NULL},
};
