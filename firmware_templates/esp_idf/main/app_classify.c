/* SPDX-License-Identifier: Apache-2.0 */
/* A classification: which of some classes is it, or none of them. */
#include <stdio.h>

#include "application.h"
#include "branches.h"
#include "candidate.h"
#include "classes.h"
#include "commands.h"
#include "event.h"
#include "stream.h"

const char application_button[] = "classify";

static int32_t recent[CLASSES_SMOOTH * CLASSES_COUNT];
static ts_classes_state state = {.recent = recent};

/* Sums of the branches' cosines to the prototypes of every class. */
static void score_classes(int32_t scores[CLASSES_COUNT])
{
    for (unsigned c = 0; c < CLASSES_COUNT; c++) {
        scores[c] = 0;
        for (unsigned b = 0; b < CANDIDATE_BRANCHES; b++) {
            scores[c] += branches_cosine(b, branches_embeddings(), classes_prototype(b, c));
        }
    }
}

static void judge(void)
{
    int32_t scores[CLASSES_COUNT];
    score_classes(scores);
    const ts_classes_result result = ts_classes_add(&classes_layer, &state, scores);
    const char *nearest = classes_names[result.nearest];
    printf("\"class\":\"%s\",\"score\":", result.answer < 0 ? "unknown" : nearest);
    stream_print_score(result.score);
    printf(",\"nearest\":\"%s\",\"event\":%s", nearest, result.event ? "true" : "false");
    if (result.event) {
        event_tell(nearest, result.score);
    } else if (state.quiet == 0) {
        event_end();
    }
}

static void reset(void)
{
    ts_classes_reset(&state);
}

static const stream_application application = {judge, reset};

static void classify(char *const *words)
{
    stream_once(&application, words);
}

static void stream(char *const *words)
{
    stream_run(&application, words);
}

static void list(char *const *words)
{
    (void)words;
    for (unsigned c = 0; c < CLASSES_COUNT; c++) {
        printf("class \"%s\" threshold ", classes_names[c]);
        stream_print_score(classes_layer.thresholds[c]);
        printf("%s\n", classes_layer.told[c] ? "" : " untold");
    }
    commands_answer("classes", NULL);
}

const command application_commands[] = {
    {"classify", classify, 1, "[FILE ..]: one capture, and its class or unknown"},
    {"stream", stream, 1, "[FILE ..|off]: window after window, of files or of the sensors until stream off"},
    {"classes", list, 0, "names, and the score from which each is an answer"},
    {NULL, NULL, 0, NULL},
};

void application_open(const char *problem)
{
    (void)problem;
    event_open();
}

void application_start(void)
{
    stream_start(&application);
}
