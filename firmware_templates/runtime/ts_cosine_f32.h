/* SPDX-License-Identifier: Apache-2.0 */
/* Cosine of float embeddings, rounded to the same fixed point as ts_cosine_s8: 20 fraction bits.
 *
 * Range    any bits; the result lies in [-2^20, 2^20]. An embedding with a value that is not a finite number, or whose
 *          squares sum to none, has the lowest cosine, -2^20, to everything; one of zeros, or whose squares sum to less
 *          than 1e-30 (there products lose their digits), has cosine 0 to every other.
 * Aliasing read only. Scratch none. Needs sqrtf.
 */
#ifndef TS_COSINE_F32_H
#define TS_COSINE_F32_H

#include "ts_arithmetic.h"

int32_t ts_cosine_f32(const float *left, const float *right, int32_t count);

#endif
