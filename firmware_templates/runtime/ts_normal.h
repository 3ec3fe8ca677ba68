/* SPDX-License-Identifier: Apache-2.0 */
/* How far an embedding is from what is normal: the arithmetic of tinysearch/metrics/anomaly.py, which defines it.
 *
 * The embedding is multiplied with a lower triangular matrix that makes deviations equally large in all directions; the
 * distance is the least of the squared distances to the centers.
 *
 *     z[r] = (sum over e <= r of matrix[r][e] * embedding[e] + half) >> shift      half = 2^(shift - 1), or 0
 *     t[k][r] = clamp(z[r] - centers[k][r], -2^19, 2^19 - 1)
 *     distance = least over k of the sum over r of t[k][r]^2
 *
 * Range    values 1 .. 1024; whoever makes the matrix keeps the sums within int32_t. Below 2^48.
 * Scratch  ts_normal_scratch_bytes, aligned to 4: z, and behind it the bytes that a float32 embedding becomes.
 */
#ifndef TS_NORMAL_H
#define TS_NORMAL_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    const int16_t *matrix;  /* rows back to back, row r of r + 1 values */
    const int32_t *centers; /* [center_count][values] */
    uint16_t values;
    uint16_t center_count;
    uint8_t shift;
    int8_t exponent;        /* of 2, by which a float32 embedding is multiplied; not used for int8 */
} ts_normal_layer;

size_t ts_normal_scratch_bytes(const ts_normal_layer *layer);

int64_t ts_normal_s8(const ts_normal_layer *layer, const int8_t *embedding, int32_t *scratch);

/* The same of clamp(rint(embedding * 2^exponent), -128, 127), halves to even. The embedding must be finite. */
int64_t ts_normal_f32(const ts_normal_layer *layer, const float *embedding, int32_t *scratch);

#endif
