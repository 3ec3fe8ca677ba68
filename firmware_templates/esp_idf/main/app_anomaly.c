/* SPDX-License-Identifier: Apache-2.0 */
/* An anomaly task: is it like what was seen in training, or not. */
#include <inttypes.h>
#include <stdio.h>

#include "application.h"
#include "branches.h"
#include "candidate.h"
#include "commands.h"
#include "normal.h"
#include "port.h"
#include "stream.h"

const char application_button[] = "check";

static PORT_KEPT int64_t recent_distances[NORMAL_SMOOTH];
static PORT_KEPT ts_recent recent = {.values = recent_distances};

/* Sum of the branches' distances. */
static int64_t distance(void)
{
    static int32_t scratch[NORMAL_SCRATCH_WORDS];
    int64_t sum = 0;
    for (unsigned b = 0; b < CANDIDATE_BRANCHES; b++) {
        const ts_normal_layer *layer = normal_layers[b];
        const void *embedding = branches_embedding(b);
        sum += branches[b]->golden != NULL ? ts_normal_f32(layer, embedding, scratch) : ts_normal_s8(layer, embedding, scratch);
    }
    return sum;
}

/* In thousandths of the threshold. */
static int32_t level(int64_t distance)
{
    const int64_t thousandths = distance * 1000 / normal_alarm.threshold;
    return (int32_t)(thousandths < INT32_MAX ? thousandths : INT32_MAX);
}

static stream_told judge(void)
{
    const ts_alarm_result result = ts_alarm_add(&normal_alarm, &recent, distance());
    printf("\"anomaly\":%s,\"distance\":%" PRId64 ",\"threshold\":%" PRId64 ",\"event\":%s", result.alarm ? "true" : "false",
           result.distance, normal_alarm.threshold, result.event ? "true" : "false");
    return (stream_told){.event = result.event ? "anomaly" : NULL, .score = result.event ? level(result.distance) : 0};
}

const stream_application application_stream = {judge, &recent};

static void normal(char *const *words)
{
    (void)words;
    for (unsigned b = 0; b < CANDIDATE_BRANCHES; b++) {
        printf("branch %s centers %u\n", branches[b]->name, (unsigned)normal_layers[b]->center_count);
    }
    printf("threshold %" PRId64 " smooth %d\n", normal_alarm.threshold, NORMAL_SMOOTH);
    commands_answer("normal", NULL);
}

const command application_commands[] = {
    {"check", stream_once, 1, "[FILE ..]: one capture, and whether it is an anomaly"},
    {"stream", stream_run, 1, "[FILE ..|off]: window after window, of files or of the sensors until stream off"},
    {"normal", normal, 0, "what is normal, and the distance from which something is not"},
    {NULL, NULL, 0, NULL},
};
