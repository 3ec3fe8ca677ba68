/* SPDX-License-Identifier: Apache-2.0 */
/* The branches of this device, their memory and their last embeddings. */
#ifndef BRANCHES_H
#define BRANCHES_H

#include <stdint.h>

#include "candidate.h"
#include "ts_model.h"

/* Memory and tasks. NULL, or what went wrong. */
const char *branches_open(void);

/* Index of the branch of that name, or -1. */
int branches_find(const char *name);

/* Captures and computes all branches, except those that were fed since the last call. paths[b] (NULL for the sensor)
 * is what branch b reads, and window which one of a stream (capture.h); afterwards every branch has its embedding. NULL, or
 * why not: also where a capture holds no signal (capture_signal.h), or an embedding is of no use. */
const char *branches_sense(const char *const paths[CANDIDATE_BRANCHES], long window);

#ifdef CANDIDATE_FIRST
/* As branches_sense of one capture, but the second branch has its turn only if goes_on(embeddings, context) says so once the
 * first is computed; else its embedding is none of this capture, and branches_score has no use for it. */
const char *branches_sense_in_turn(const char *const paths[CANDIDATE_BRANCHES],
                                   int (*goes_on)(const uint8_t *record, const char *context), const char *context);

/* The first branch's cosine between two such records, and whether it lies between both thresholds. */
int32_t branches_first_cosine(const uint8_t *left, const uint8_t *right);
int branches_unsure(int32_t cosine);
#endif

/* Captures for one branch, from the sensor where path is NULL, and computes nothing. NULL, or why not. */
const char *branches_capture(unsigned branch, const char *path);

/* Where a branch's input lies: to be filled, then computed with branches_feed_done, which says as branches_sense why it is
 * not. Branches may share this memory. */
int8_t *branches_input(unsigned branch);
const char *branches_feed_done(unsigned branch);

/* Embeddings of all branches, back to back in the order of `branches`: CANDIDATE_TEMPLATE_BYTES. */
const uint8_t *branches_embeddings(void);

/* The last embedding of one branch, in its type, aligned to 4. */
const void *branches_embedding(unsigned branch);

/* Whether embeddings in such a record are finite numbers, and in no branch all the same number: those of a network that
 * sees something. */
int branches_usable(const uint8_t *record);

/* Cosine of a branch's embedding in such a record to another embedding, aligned to 4. */
int32_t branches_cosine(unsigned branch, const uint8_t *record, const void *other);

/* Sum of cosines between two such records; of a cascade, where the first branch is sure, beyond every sum. */
int32_t branches_score(const uint8_t *left, const uint8_t *right);

/* The golden patterns of one branch. */
ts_model_check branches_selftest(unsigned branch);

/* Cycles of every step of one branch on a golden pattern. */
void branches_measure(unsigned branch, uint64_t *cycles);

#endif
