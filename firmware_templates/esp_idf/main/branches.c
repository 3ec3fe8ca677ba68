/* SPDX-License-Identifier: Apache-2.0 */
#include "branches.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "capture.h"
#include "input.h"
#include "port.h"
#include "ts_cosine_f32.h"
#include "ts_cosine_s8.h"

#define USELESS "the networks make nothing of this capture"

static _Alignas(TS_MODEL_ALIGNMENT) uint8_t embeddings[CANDIDATE_TEMPLATE_BYTES];
static _Alignas(TS_MODEL_ALIGNMENT) uint8_t scrap[CANDIDATE_TEMPLATE_BYTES];

static struct {
    uint8_t *arena[CANDIDATE_BRANCHES];
    uint32_t offset[CANDIDATE_BRANCHES]; /* of a branch's embedding in a record */
    const char *path[CANDIDATE_BRANCHES];
    const char *error[CANDIDATE_BRANCHES];
    int fed[CANDIDATE_BRANCHES];
    long window;
} s;

/* Branches on one task compute one after the other in the same arena: the largest. */
static uint8_t *arena_of(unsigned branch)
{
    if (CANDIDATE_TASKS > 1) {
        return port_memory(branches[branch]->arena_bytes, candidate_arena_in_psram[branch]);
    }
    if (branch > 0) {
        return s.arena[0];
    }
    uint32_t largest = 0;
    for (unsigned b = 0; b < CANDIDATE_BRANCHES; b++) {
        largest = branches[b]->arena_bytes > largest ? branches[b]->arena_bytes : largest;
    }
    return port_memory(largest, candidate_arena_in_psram[0]);
}

/* Gives a branch's backend the steps that it can compute, once it has computed the golden patterns. */
static void accelerate(unsigned branch)
{
    const ts_model *model = branches[branch];
    const ts_backend *backend = model->backend;
    if (backend == NULL) {
        return;
    }
    const int32_t bytes = backend->scratch_bytes();
    void *scratch = bytes < 0 ? NULL : port_memory((size_t)bytes + TS_MODEL_ALIGNMENT, candidate_arena_in_psram[branch]);
    if (scratch == NULL) {
        printf("WARN backend %s: %s %s, portable kernels\n", model->name, backend->name,
               bytes < 0 ? "is not in this program" : "finds no memory");
        return;
    }
    backend->use(scratch);
    if (!ts_model_selftest(model, scrap, s.arena[branch], port_breathe).passed) {
        backend->use(NULL);
        printf("WARN backend %s: %s computes something else, portable kernels\n", model->name, backend->name);
        return;
    }
    printf("backend %s %s scratch %ld\n", model->name, backend->name, (long)bytes);
}

#ifdef CANDIDATE_BRANCH_CORES
/* The two tasks that could each have a branch have half of a step each. */
static const uint8_t worker_of_half[2] = {0, 1};
static unsigned shared_step;

static void half(unsigned which)
{
    branches[0]->halves->run(shared_step, which, branches_input(0), embeddings, s.arena[0]);
}

static int open_tasks(void)
{
    return port_branches_open(worker_of_half, 2);
}

static void run_step(unsigned branch, unsigned step)
{
    const ts_model *model = branches[branch];
    if (model->halves->shared[step]) {
        shared_step = step;
        port_branches(half, 2);
    } else {
        model->step(step, branches_input(branch), embeddings + s.offset[branch], s.arena[branch]);
    }
}

#else
static int open_tasks(void)
{
    return port_branches_open(CANDIDATE_TASKS > 1 ? candidate_workers : NULL, CANDIDATE_BRANCHES);
}

static void run_step(unsigned branch, unsigned step)
{
    branches[branch]->step(step, branches_input(branch), embeddings + s.offset[branch], s.arena[branch]);
}

#endif

const char *branches_open(void)
{
    uint32_t offset = 0;
    if (open_tasks() != 0) {
        return "no memory for the tasks";
    }
    for (unsigned b = 0; b < CANDIDATE_BRANCHES; b++) {
        s.arena[b] = arena_of(b);
        if (s.arena[b] == NULL) {
            return "no memory for an arena: is the PSRAM there, and switched on?";
        }
        if ((uintptr_t)s.arena[b] % TS_MODEL_ALIGNMENT != 0) {
            return "an arena must start at a multiple of 16 bytes"; /* vector loads drop the low bits of an address */
        }
        s.offset[b] = offset;
        offset += (branches[b]->embedding_bytes + 3u) & ~3u; /* floats stay aligned */
        accelerate(b);
    }
    return NULL;
}

int branches_find(const char *name)
{
    for (int b = 0; b < CANDIDATE_BRANCHES; b++) {
        if (strcmp(branches[b]->name, name) == 0) {
            return b;
        }
    }
    return -1;
}

int8_t *branches_input(unsigned branch)
{
    return (int8_t *)s.arena[branch] + branches[branch]->input_offset;
}

/* All steps, where the input is worth it. NULL, or why it is not. */
static const char *compute(unsigned branch)
{
    const ts_model *model = branches[branch];
    const char *problem = candidate_kinds[branch]->judge(model, branches_input(branch));
    for (unsigned step = 0; problem == NULL && step < model->step_count; step++) {
        run_step(branch, step);
        port_breathe();
    }
    return problem;
}

const char *branches_feed_done(unsigned branch)
{
    const char *problem = compute(branch);
    s.fed[branch] = problem == NULL;
    return problem;
}

static void take(unsigned branch)
{
    const capture_target target = {
        .model = branches[branch],
        .input = branches_input(branch),
        .arena = s.arena[branch],
        .branch = branch,
        .window = s.window,
    };
    s.error[branch] = NULL;
    if (s.fed[branch] == 0) {
        s.error[branch] = capture(&target, s.path[branch]);
    }
}

const char *branches_capture(unsigned branch, const char *path)
{
    s.path[branch] = path;
    s.window = CAPTURE_ALONE;
    s.fed[branch] = 0;
    take(branch);
    return s.error[branch];
}

/* What was fed was computed then. */
static void finish(unsigned branch)
{
    if (s.fed[branch] == 0 && s.error[branch] == NULL) {
        s.error[branch] = compute(branch);
    }
    s.fed[branch] = 0;
}

static void sense(unsigned branch)
{
    take(branch);
    finish(branch);
}

const char *branches_sense(const char *const paths[CANDIDATE_BRANCHES], long window)
{
    s.window = window;
    for (unsigned b = 0; b < CANDIDATE_BRANCHES; b++) {
        s.path[b] = paths[b];
        if (paths[b] == NULL && s.fed[b] == 0) {
            capture_open();
            if (window == CAPTURE_ALONE) {
                capture_prompt(b);
            }
        }
    }
#ifdef CANDIDATE_BRANCH_CORES
    sense(0); /* the tasks are for halves */
#else
    if (CANDIDATE_TASKS > 1 && capture_in_turns()) {
        for (unsigned b = 0; b < CANDIDATE_BRANCHES; b++) {
            take(b);
        }
        port_branches(finish, CANDIDATE_BRANCHES);
    } else {
        port_branches(sense, CANDIDATE_BRANCHES);
    }
#endif
    for (unsigned b = 0; b < CANDIDATE_BRANCHES; b++) {
        if (s.error[b] != NULL) {
            return s.error[b];
        }
    }
    return branches_usable(embeddings) ? NULL : USELESS;
}

const uint8_t *branches_embeddings(void)
{
    return embeddings;
}

const void *branches_embedding(unsigned branch)
{
    return embeddings + s.offset[branch];
}

static int usable_f32(const float *values, uint32_t count)
{
    int differing = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!isfinite(values[i])) {
            return 0;
        }
        differing |= values[i] != values[0];
    }
    return differing;
}

static int usable_s8(const int8_t *values, uint32_t count)
{
    int differing = 0;
    for (uint32_t i = 0; i < count; i++) {
        differing |= values[i] != values[0];
    }
    return differing;
}

static int usable(unsigned branch, const uint8_t *record)
{
    const ts_model *model = branches[branch];
    const void *values = record + s.offset[branch];
    return model->golden != NULL ? usable_f32(values, model->embedding) : usable_s8(values, model->embedding);
}

int branches_usable(const uint8_t *record)
{
    int all = 1;
    for (unsigned b = 0; b < CANDIDATE_BRANCHES; b++) {
        all &= usable(b, record);
    }
    return all;
}

#ifdef CANDIDATE_FIRST
static const char *sense_one(unsigned branch, const char *path)
{
    s.path[branch] = path;
    if (path == NULL && s.fed[branch] == 0) {
        capture_open();
        capture_prompt(branch);
    }
    sense(branch);
    if (s.error[branch] == NULL && !usable(branch, embeddings)) {
        s.error[branch] = USELESS;
    }
    return s.error[branch];
}

const char *branches_sense_in_turn(const char *const paths[CANDIDATE_BRANCHES],
                                   int (*goes_on)(const uint8_t *record, const char *context), const char *context)
{
    const unsigned second = 1 - CANDIDATE_FIRST;
    s.window = CAPTURE_ALONE;
    const char *problem = sense_one(CANDIDATE_FIRST, paths[CANDIDATE_FIRST]);
    if (problem == NULL && goes_on(embeddings, context)) {
        problem = sense_one(second, paths[second]);
    }
    s.fed[second] = 0; /* what was fed was for this capture */
    return problem;
}

int branches_unsure(int32_t cosine)
{
    return cosine >= CANDIDATE_REJECT_BELOW && cosine < CANDIDATE_ACCEPT_FROM;
}
#endif

int32_t branches_cosine(unsigned branch, const uint8_t *record, const void *other)
{
    const ts_model *model = branches[branch];
    const void *own = record + s.offset[branch];
    const int32_t count = (int32_t)model->embedding;
    return model->golden != NULL ? ts_cosine_f32(own, other, count) : ts_cosine_s8(own, other, count);
}

#ifdef CANDIDATE_FIRST
int32_t branches_first_cosine(const uint8_t *left, const uint8_t *right)
{
    return branches_cosine(CANDIDATE_FIRST, left, right + s.offset[CANDIDATE_FIRST]);
}
#endif

int32_t branches_score(const uint8_t *left, const uint8_t *right)
{
    int32_t score = 0;
#ifdef CANDIDATE_FIRST
    const int32_t first = branches_first_cosine(left, right);
    if (!branches_unsure(first)) {
        return first < CANDIDATE_REJECT_BELOW ? first - CANDIDATE_SURE : first + CANDIDATE_SURE;
    }
#endif
    for (unsigned b = 0; b < CANDIDATE_BRANCHES; b++) {
        const int32_t cosine = branches_cosine(b, left, right + s.offset[b]);
#ifdef CANDIDATE_WEIGHTS
        static const int32_t weight[CANDIDATE_BRANCHES] = CANDIDATE_WEIGHTS;
        score += weight[b] * cosine; /* weights sum to 2^9, cosines are within 2^20 */
#else
        score += cosine;
#endif
    }
#ifdef CANDIDATE_WEIGHTS
    score >>= CANDIDATE_WEIGHT_BITS; /* arithmetic, as gcc defines it: rounds down */
#endif
    return score;
}

ts_model_check branches_selftest(unsigned branch)
{
    return ts_model_selftest(branches[branch], scrap, s.arena[branch], port_breathe);
}

/* Cycles since a reading. The counter wraps, after 18 s at 240 MHz; the clock tells how often it did. */
static uint64_t cycles_since(uint32_t cycles, int64_t us)
{
    const uint32_t counted = port_cycles() - cycles;
    const uint64_t elapsed = (uint64_t)(port_us() - us) * port_cycle_hz() / 1000000u;
    const uint64_t wraps = elapsed > counted ? (elapsed - counted + (1u << 31)) >> 32 : 0;
    return (wraps << 32) + counted;
}

void branches_measure(unsigned branch, uint64_t *cycles)
{
    const ts_model *model = branches[branch];
    int8_t *input = branches_input(branch);
    ts_model_pattern(model, 1, input);
    for (unsigned step = 0; step < model->step_count; step++) {
        const int64_t start_us = port_us();
        const uint32_t start = port_cycles();
        model->step(step, input, scrap, s.arena[branch]);
        cycles[step] = cycles_since(start, start_us);
        port_breathe();
    }
}
