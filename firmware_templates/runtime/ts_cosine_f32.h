/* Cosine of float embeddings, rounded to the same fixed point as ts_cosine_s8: 20 fraction bits.
 *
 * Range    finite values whose squares sum to a finite number. An embedding of zeros has cosine 0 to everything.
 * Aliasing read only. Scratch none. Needs sqrtf.
 */
#ifndef TS_COSINE_F32_H
#define TS_COSINE_F32_H

#include "ts_arithmetic.h"

int32_t ts_cosine_f32(const float *left, const float *right, int32_t count);

#endif
