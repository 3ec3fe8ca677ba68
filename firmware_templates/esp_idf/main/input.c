/* SPDX-License-Identifier: Apache-2.0 */
#include "input.h"

#include <stdio.h>

#include "branches.h"
#include "candidate.h"
#include "port.h"

const char capture_end[] = "the stream ends";

/* For front-ends that find no room in their arena; NULL for those that do. */
static void *spare[CANDIDATE_BRANCHES];

static uint32_t aligned(uint32_t offset)
{
    return (offset + TS_MODEL_ALIGNMENT - 1) / TS_MODEL_ALIGNMENT * TS_MODEL_ALIGNMENT;
}

/* Offset of free bytes beside the input of an arena, or -1. */
static int64_t room(const ts_model *model, size_t bytes)
{
    const uint32_t after = aligned(model->input_offset + model->input_bytes);
    if (model->input_offset >= bytes) {
        return 0;
    }
    return after + bytes <= model->arena_bytes ? (int64_t)after : -1;
}

int input_reserve(unsigned branch, size_t bytes)
{
    if (room(branches[branch], bytes) >= 0) {
        return 0;
    }
    spare[branch] = port_memory(bytes, 0);
    return spare[branch] != NULL ? 0 : -1;
}

void *input_scratch(const capture_target *target, size_t bytes)
{
    const int64_t offset = room(target->model, bytes);
    return offset >= 0 ? target->arena + offset : spare[target->branch];
}

const char *input_judge_any(const ts_model *model, const int8_t *input)
{
    uint32_t same = 1;
    while (same < model->input_bytes && input[same] == input[0]) {
        same++;
    }
    return same == model->input_bytes ? "this capture is the same everywhere: is the sensor connected?" : NULL;
}

long input_window_start(const capture_target *target, size_t have, size_t length)
{
    if (target->window == CAPTURE_ALONE) {
        return have > length ? (long)((have - length) / 2) : 0;
    }
    const size_t start = (size_t)target->window * candidate_hops[target->branch];
    const int ends = have < length ? target->window > 0 : start + length > have;
    return ends || (target->window > 0 && candidate_hops[target->branch] == 0) ? -1 : (long)start;
}

input_range input_range_of(const int8_t *input, uint32_t bytes)
{
    input_range range = {.mean = 0, .least = INT8_MAX, .most = INT8_MIN};
    int64_t sum = 0;
    for (uint32_t i = 0; i < bytes; i++) {
        sum += input[i];
        range.least = input[i] < range.least ? input[i] : range.least;
        range.most = input[i] > range.most ? input[i] : range.most;
    }
    range.mean = (int)(sum / (int64_t)bytes);
    return range;
}

void input_show_range(unsigned branch, int all)
{
    const input_range range = input_range_of(branches_input(branch), branches[branch]->input_bytes);
    (void)all;
    printf("signal %s level %d from %d to %d\n", branches[branch]->name, range.mean, range.least, range.most);
}
