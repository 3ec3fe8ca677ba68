/* SPDX-License-Identifier: Apache-2.0 */
/* Golden vectors of the generator's oracle: inputs, embeddings, and scores of pairs. */
#ifndef GOLDEN_H
#define GOLDEN_H

#include "ts_model.h"

typedef struct {
    const ts_model *model;
    const int8_t *inputs;   /* [golden_count][input_bytes] */
    const void *embeddings; /* [golden_count][embedding] int8_t or float */
    float tolerance;        /* what rounding may make of a float embedding, of its largest value; 0 for int8_t */
} golden_branch;

typedef struct {
    uint32_t left, right;   /* numbers of two golden vectors */
    int32_t score;          /* sum of cosines over branches, 20 fraction bits */
} golden_pair;

extern const uint32_t golden_branch_count, golden_count, golden_pair_count;
extern const golden_branch golden_branches[];
extern const golden_pair golden_pairs[];

/* Memory: the largest arena, one embedding, and all embeddings of each branch. */
extern uint8_t golden_arena[];
extern uint8_t golden_embedding[];
extern uint8_t *const golden_results[];

#endif
