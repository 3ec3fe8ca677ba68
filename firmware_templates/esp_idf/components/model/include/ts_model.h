/* SPDX-License-Identifier: Apache-2.0 */
/* One branch's network as the application sees it: sizes, and one function a step.
 *
 * The generated component of a branch (model_face, model_voice) defines one constant of this type. Nothing here
 * allocates: the caller owns input, arena and embedding. An arena may be shared by branches that run one after the
 * other.
 */
#ifndef TS_MODEL_H
#define TS_MODEL_H

#include <stdint.h>

enum { TS_MODEL_ALIGNMENT = 16, TS_MODEL_PATTERNS = 2 };

/* Other kernels for some of a model's steps. They are off until `use` is called, and may compute something else than the
 * portable ones: run the self-test then, and go back if it fails. */
typedef struct {
    const char *name;
    int32_t (*scratch_bytes)(void);  /* that it needs, 0 or more; -1 where it is not in this program */
    void (*use)(void *scratch);      /* on, with scratch aligned to TS_MODEL_ALIGNMENT and never returned; NULL: off */
} ts_backend;

/* Steps that two cores may share. The two halves of one may run at once, and do together what the step does. */
typedef struct {
    const uint8_t *shared; /* by step, whether it has halves */
    /* Executes half 0 or 1 of a step; the other arguments are those of the step. */
    void (*run)(unsigned index, unsigned which, const int8_t *input, void *embedding, uint8_t *arena);
} ts_halves;

typedef struct {
    const char *name;               /* "face", "voice" */
    uint32_t id;                    /* CRC-32 of all constants: templates of another network are worthless */
    uint32_t height, width, channels;
    uint32_t input_bytes;           /* int8 [height][width][channels], byte - 128 */
    uint32_t input_offset;          /* the input may lie in the arena, here; it does not outlive the run */
    uint32_t arena_bytes;
    uint32_t embedding;             /* values */
    uint32_t embedding_bytes;       /* int8_t or float values */
    uint32_t step_count;
    const char *const *step_names;
    /* Executes one step; in order from 0, all with the same arguments. arena: aligned to TS_MODEL_ALIGNMENT. */
    void (*step)(unsigned index, const int8_t *input, void *embedding, uint8_t *arena);
    const ts_halves *halves;        /* NULL where no step is to be shared by two cores */
    uint32_t golden_crc;            /* of the embeddings of ts_model_pattern 1 .. TS_MODEL_PATTERNS; int8 only */
    const float *golden;            /* the same embeddings of a float network; NULL for int8 */
    float tolerance;                /* what rounding may take a float network's embedding from it by, of its largest value */
    const ts_backend *backend;      /* NULL where all steps are portable */
} ts_model;

/* All steps. embedding: embedding_bytes, aligned to 4. */
void ts_model_run(const ts_model *model, const int8_t *input, void *embedding, uint8_t *arena);

/* Fills an input with the fixed pseudo-random picture number `seed`; the generator has the same function. */
void ts_model_pattern(const ts_model *model, uint32_t seed, int8_t *input);

typedef struct {
    int passed;
    uint32_t crc; /* of the embeddings as they came out */
} ts_model_check;

/* Runs the patterns and compares: int8 bit for bit by CRC, float within `tolerance`. `between` is called
 * after every step and may be NULL. embedding: embedding_bytes of the caller. */
ts_model_check ts_model_selftest(const ts_model *model, void *embedding, uint8_t *arena, void (*between)(void));

#endif
