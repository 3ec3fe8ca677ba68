/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_model.h"

#include <math.h>
#include <stddef.h>

#include "ts_crc32.h"

void ts_model_run(const ts_model *model, const int8_t *input, void *embedding, uint8_t *arena)
{
    for (unsigned step = 0; step < model->step_count; step++) {
        model->step(step, input, embedding, arena);
    }
}

void ts_model_pattern(const ts_model *model, uint32_t seed, int8_t *input)
{
    for (uint32_t i = 0; i < model->input_bytes; i++) {
        seed = seed * UINT32_C(1664525) + UINT32_C(1013904223);
        input[i] = (int8_t)((int32_t)(seed >> 24) - 128);
    }
}

/* A float network's sums may be rounded in another order than the generator's. */
static int close_enough(const float *actual, const float *expected, uint32_t count, float tolerance)
{
    float largest = 0.0f;
    for (uint32_t i = 0; i < count; i++) {
        largest = fmaxf(largest, fabsf(expected[i]));
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!(fabsf(actual[i] - expected[i]) <= tolerance * largest)) {
            return 0; /* also where it is not a number */
        }
    }
    return 1;
}

ts_model_check ts_model_selftest(const ts_model *model, void *embedding, uint8_t *arena, void (*between)(void))
{
    ts_model_check check = {1, 0};
    int8_t *input = (int8_t *)arena + model->input_offset;
    for (uint32_t seed = 1; seed <= TS_MODEL_PATTERNS; seed++) {
        ts_model_pattern(model, seed, input);
        for (unsigned step = 0; step < model->step_count; step++) {
            model->step(step, input, embedding, arena);
            if (between != NULL) {
                between();
            }
        }
        check.crc = ts_crc32(check.crc, embedding, model->embedding_bytes);
        if (model->golden != NULL &&
            !close_enough(embedding, model->golden + (seed - 1) * model->embedding, model->embedding, model->tolerance)) {
            check.passed = 0;
        }
    }
    if (model->golden == NULL && check.crc != model->golden_crc) {
        check.passed = 0;
    }
    return check;
}
