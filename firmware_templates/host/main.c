/* SPDX-License-Identifier: Apache-2.0 */
/* The network of the device on a host, or on the device's instruction set under an emulator.
 *
 *   host                      golden vectors, pair scores and self-test; exit status 0 if all agree
 *   host embed BRANCH IN OUT  embeddings (OUT) of int8 inputs (IN), raw bytes, one after the other
 *   host score BRANCH EMBEDDINGS PAIRS OUT
 *                             scores (OUT, int32_t) of pairs (PAIRS, two uint32_t each: numbers of EMBEDDINGS); only in a
 *                             program that was compiled with WITH_FILES, which gives a target's program both commands
 *
 * int8 and XNOR agree bit for bit, float32 within what rounding may make of it (golden.h). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "golden.h"
#include "instructions.h"
#include "ts_cosine_f32.h"
#include "ts_cosine_s8.h"
#include "ts_crc32.h"

#ifndef GOLDEN_LIMIT
#define GOLDEN_LIMIT 1000000u /* an emulator may check fewer */
#endif

/* What a tolerance of both embeddings can move a cosine of 2^20 by, as a factor; 0 where embeddings are integers. */
static const float SCORE_PER_TOLERANCE = 1.5f * 1048576.0f;

static int is_float(const ts_model *model)
{
    return model->golden != NULL;
}

/* Largest difference as a fraction of the largest value. */
static float float_error(const float *actual, const float *expected, uint32_t count)
{
    float largest = 0.0f, error = 0.0f;
    for (uint32_t i = 0; i < count; i++) {
        const float difference = fabsf(actual[i] - expected[i]);
        largest = fmaxf(largest, fabsf(expected[i]));
        error = difference > error || difference != difference ? difference : error;
    }
    return largest > 0.0f ? error / largest : error;
}

/* As the application does: the input lies in the arena, which is otherwise undefined. */
static void run(const ts_model *model, const int8_t *input, void *result)
{
    memset(golden_arena, 0xA5, model->arena_bytes);
    memcpy(golden_arena + model->input_offset, input, model->input_bytes);
    ts_model_run(model, (const int8_t *)golden_arena + model->input_offset, golden_embedding, golden_arena);
    memcpy(result, golden_embedding, model->embedding_bytes);
}

static int compare(const golden_branch *branch, const void *actual, const void *expected, uint32_t number)
{
    const ts_model *model = branch->model;
    if (!is_float(model)) {
        const int same = memcmp(actual, expected, model->embedding_bytes) == 0;
        printf("golden %s %lu crc %08lx %s\n", model->name, (unsigned long)number,
               (unsigned long)ts_crc32(0, actual, model->embedding_bytes), same ? "equal" : "DIFFERS");
        return same;
    }
    const float error = float_error(actual, expected, model->embedding);
    const int same = error <= branch->tolerance;
    printf("golden %s %lu error %ge-9 %s\n", model->name, (unsigned long)number, (double)(error * 1e9f),
           same ? "within rounding" : "DIFFERS");
    return same;
}

/* The first golden vector step by step, with instructions where they are counted. */
static void count_layers(const golden_branch *branch)
{
    const ts_model *model = branch->model;
    unsigned long sum = 0;
    if (instructions() == 0) {
        return;
    }
    memcpy(golden_arena + model->input_offset, branch->inputs, model->input_bytes);
    for (uint32_t step = 0; step < model->step_count; step++) {
        const unsigned long start = instructions();
        model->step(step, (const int8_t *)golden_arena + model->input_offset, golden_embedding, golden_arena);
        const unsigned long count = instructions() - start;
        sum += count;
        printf("layer %s %s %lu\n", model->name, model->step_names[step], count);
    }
    printf("branch %s %lu\n", model->name, sum);
}

static int check_branch(uint32_t index)
{
    const golden_branch *branch = &golden_branches[index];
    const ts_model *model = branch->model;
    int passed = 1;
    for (uint32_t i = 0; i < golden_count && i < GOLDEN_LIMIT; i++) {
        const size_t offset = (size_t)i * model->embedding_bytes;
        uint8_t *result = golden_results[index] + offset;
        run(model, branch->inputs + (size_t)i * model->input_bytes, result);
        passed &= compare(branch, result, (const uint8_t *)branch->embeddings + offset, i);
    }
    const ts_model_check check = ts_model_selftest(model, golden_embedding, golden_arena, NULL);
    printf("selftest %s crc %08lx %s\n", model->name, (unsigned long)check.crc, check.passed ? "passed" : "FAILED");
    return passed && check.passed;
}

static int32_t cosine(const ts_model *model, const void *a, const void *b)
{
    return is_float(model) ? ts_cosine_f32(a, b, (int32_t)model->embedding)
                           : ts_cosine_s8(a, b, (int32_t)model->embedding);
}

static int32_t score(uint32_t index, uint32_t left, uint32_t right)
{
    const ts_model *model = golden_branches[index].model;
    const uint8_t *results = golden_results[index];
    return cosine(model, results + (size_t)left * model->embedding_bytes,
                  results + (size_t)right * model->embedding_bytes);
}

static int check_pairs(void)
{
    int passed = 1;
    int32_t tolerance = 0;
    for (uint32_t b = 0; b < golden_branch_count; b++) {
        tolerance += (int32_t)ceilf(SCORE_PER_TOLERANCE * golden_branches[b].tolerance);
    }
    for (uint32_t i = 0; i < golden_pair_count; i++) {
        const golden_pair *pair = &golden_pairs[i];
        int32_t sum = 0;
        if (pair->left >= GOLDEN_LIMIT || pair->right >= GOLDEN_LIMIT) {
            continue;
        }
        for (uint32_t b = 0; b < golden_branch_count; b++) {
            sum += score(b, pair->left, pair->right);
        }
        const int32_t difference = sum - pair->score;
        const int same = difference <= tolerance && -difference <= tolerance;
        printf("pair %lu %lu score %ld %s\n", (unsigned long)pair->left, (unsigned long)pair->right, (long)sum,
               same ? "equal" : "DIFFERS");
        passed &= same;
    }
    return passed;
}

/* Lets backends compute what they can, so that they are what is compared; without their source nothing changes. */
static void use_backends(void)
{
#if !defined(__riscv)
    for (uint32_t b = 0; b < golden_branch_count; b++) {
        const ts_backend *backend = golden_branches[b].model->backend;
        const int32_t bytes = backend == NULL ? -1 : backend->scratch_bytes();
        void *scratch = bytes < 0 ? NULL : malloc((size_t)bytes + TS_MODEL_ALIGNMENT);
        if (scratch != NULL) {
            backend->use(scratch); /* malloc aligns to 16 on the hosts that we know */
            printf("backend %s %s\n", golden_branches[b].model->name, backend->name);
        }
    }
#endif
}

static int check(void)
{
    int passed = 1;
    use_backends();
    for (uint32_t b = 0; b < golden_branch_count; b++) {
        passed &= check_branch(b);
    }
    passed &= check_pairs();
    printf("%s golden vectors\n", passed ? "OK" : "ERR");
    if (passed) {
        for (uint32_t b = 0; b < golden_branch_count; b++) {
            count_layers(&golden_branches[b]);
        }
    }
    return passed ? 0 : 1;
}

#if !defined(__riscv) || defined(WITH_FILES)
static const ts_model *find(const char *name)
{
    const ts_model *model = NULL;
    for (uint32_t b = 0; b < golden_branch_count; b++) {
        model = strcmp(golden_branches[b].model->name, name) == 0 ? golden_branches[b].model : model;
    }
    return model;
}

static int embed(const char *name, const char *from, const char *to)
{
    const ts_model *model = find(name);
    FILE *in = model != NULL ? fopen(from, "rb") : NULL;
    FILE *out = in != NULL ? fopen(to, "wb") : NULL;
    int8_t *input = out != NULL ? malloc(model->input_bytes) : NULL;
    int failed = input == NULL;
    while (!failed && fread(input, 1, model->input_bytes, in) == model->input_bytes) {
        run(model, input, golden_results[0]);
        failed = fwrite(golden_results[0], 1, model->embedding_bytes, out) != model->embedding_bytes;
    }
    free(input);
    if (in != NULL) {
        fclose(in);
    }
    if (out != NULL) {
        failed |= fclose(out) != 0;
    }
    if (failed) {
        fprintf(stderr, "ERR embed %s %s %s\n", name, from, to);
    }
    return failed;
}
#endif

#if defined(WITH_FILES)
static int read_embedding(const ts_model *model, FILE *in, uint32_t number, void *row)
{
    const long offset = (long)number * (long)model->embedding_bytes;
    return fseek(in, offset, SEEK_SET) == 0 && fread(row, 1, model->embedding_bytes, in) == model->embedding_bytes;
}

static int score_files(const char *name, FILE *in, FILE *pairs, FILE *out)
{
    const ts_model *model = find(name);
    uint8_t *left = malloc(model->embedding_bytes), *right = malloc(model->embedding_bytes);
    int failed = left == NULL || right == NULL;
    uint32_t pair[2];
    while (!failed && fread(pair, sizeof(pair), 1, pairs) == 1) {
        failed = !read_embedding(model, in, pair[0], left) || !read_embedding(model, in, pair[1], right);
        const int32_t value = failed ? 0 : cosine(model, left, right);
        failed = failed || fwrite(&value, sizeof(value), 1, out) != 1;
    }
    free(left);
    free(right);
    return failed;
}

static int score_command(const char *name, const char *from, const char *listed, const char *to)
{
    FILE *in = find(name) != NULL ? fopen(from, "rb") : NULL;
    FILE *pairs = in != NULL ? fopen(listed, "rb") : NULL;
    FILE *out = pairs != NULL ? fopen(to, "wb") : NULL;
    int failed = out == NULL || score_files(name, in, pairs, out);
    if (in != NULL) {
        fclose(in);
    }
    if (pairs != NULL) {
        fclose(pairs);
    }
    if (out != NULL) {
        failed |= fclose(out) != 0;
    }
    if (failed) {
        fprintf(stderr, "ERR score %s %s %s %s\n", name, from, listed, to);
    }
    return failed;
}
#endif

int main(int argc, char **argv)
{
#if defined(WITH_FILES)
    if (argc == 6 && strcmp(argv[1], "score") == 0) {
        return score_command(argv[2], argv[3], argv[4], argv[5]);
    }
#endif
#if !defined(__riscv) || defined(WITH_FILES)
    if (argc == 5 && strcmp(argv[1], "embed") == 0) {
        return embed(argv[2], argv[3], argv[4]);
    }
#endif
    (void)argv;
    if (argc > 1) {
        fprintf(stderr, "usage: host [embed BRANCH IN OUT]\n");
        return 2;
    }
    return check();
}
