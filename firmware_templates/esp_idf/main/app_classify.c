/* SPDX-License-Identifier: Apache-2.0 */
/* A classification: which of some classes is it, or none of them. */
#include <inttypes.h>
#include <stdio.h>

#include "application.h"
#include "branches.h"
#include "candidate.h"
#include "classes.h"
#include "commands.h"
#include "port.h"
#include "stream.h"

const char application_button[] = "classify";

static PORT_KEPT int64_t recent_scores[CLASSES_SMOOTH * CLASSES_COUNT];
static PORT_KEPT ts_recent recent = {.values = recent_scores};

/* Sums of the branches' cosines to the prototypes of every class. */
static void score_classes(int64_t scores[CLASSES_COUNT])
{
    for (unsigned c = 0; c < CLASSES_COUNT; c++) {
        scores[c] = 0;
        for (unsigned b = 0; b < CANDIDATE_BRANCHES; b++) {
            scores[c] += branches_cosine(b, branches_embeddings(), classes_prototype(b, c));
        }
    }
}

/* As a number in -1 .. 1, six digits, rounded toward zero. score: 20 fraction bits a branch. */
static void print_score(int32_t score)
{
    const int64_t millionths = (int64_t)score * 1000000 / ((int64_t)CANDIDATE_BRANCHES << 20);
    const int64_t size = millionths < 0 ? -millionths : millionths;
    printf("%s%" PRId64 ".%06" PRId64, millionths < 0 ? "-" : "", size / 1000000, size % 1000000);
}

static stream_told judge(void)
{
    int64_t scores[CLASSES_COUNT];
    score_classes(scores);
    const ts_classes_result result = ts_classes_add(&classes_layer, &recent, scores);
    const char *nearest = classes_names[result.nearest];
    printf("\"class\":\"%s\",\"score\":", result.answer < 0 ? "unknown" : nearest);
    print_score(result.score);
    printf(",\"nearest\":\"%s\",\"event\":%s", nearest, result.event ? "true" : "false");
    return (stream_told){.event = result.event ? nearest : NULL, .score = result.score};
}

const stream_application application_stream = {judge, &recent};

static void list(char *const *words)
{
    (void)words;
    for (unsigned c = 0; c < CLASSES_COUNT; c++) {
        printf("class \"%s\" threshold ", classes_names[c]);
        print_score(classes_layer.thresholds[c]);
        printf("%s\n", classes_layer.told[c] ? "" : " untold");
    }
    commands_answer("classes", NULL);
}

const command application_commands[] = {
    {"classify", stream_once, 1, "[FILE ..]: one capture, and its class or unknown"},
    {"stream", stream_run, 1, "[FILE ..|off]: window after window, of files or of the sensors until stream off"},
    {"classes", list, 0, "names, and the score from which each is an answer"},
    {NULL, NULL, 0, NULL},
};
