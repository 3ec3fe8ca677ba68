/* SPDX-License-Identifier: Apache-2.0 */
/* Cosine of int8 embeddings in fixed point with 20 fraction bits, bit for bit as core/quantization.py cosine_fixed.
 *
 * Range    count <= 1024, norms of at most 2^24; the result lies in [-2^20, 2^20]. An embedding of zeros, or one whose
 *          norm is not positive, has cosine 0 to everything.
 * Aliasing read only. Scratch none.
 */
#ifndef TS_COSINE_S8_H
#define TS_COSINE_S8_H

#include "ts_arithmetic.h"

/* Sum of products of two embeddings; with itself, the squared norm. */
int32_t ts_dot_s8(const int8_t *left, const int8_t *right, int32_t count);

/* From sums that are there already, as those of a stored template: one dot product a comparison. */
int32_t ts_cosine_from_dots(int32_t dot, int32_t left_norm, int32_t right_norm);

int32_t ts_cosine_s8(const int8_t *left, const int8_t *right, int32_t count);

#endif
