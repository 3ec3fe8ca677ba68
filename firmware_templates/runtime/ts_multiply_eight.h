/* SPDX-License-Identifier: Apache-2.0 */
/* The inner loop of int8 fully connected layers, for the files that include it: multiply_eight(input, weights, count,
 * bias, sums) gives the sums of eight outputs, one load of an input for eight products; weights [count][8].
 */
#ifndef TS_MULTIPLY_EIGHT_H
#define TS_MULTIPLY_EIGHT_H

#include "ts_arithmetic.h"

/* Outputs at a time. */
enum { OUTPUTS = 8 };

#define MULTIPLY_ADD(k)                                                                                                \
    do {                                                                                                               \
        const int32_t x = input[k];                                                                                    \
        const int8_t *const w = weights + OUTPUTS * (k);                                                               \
        s0 += x * w[0], s1 += x * w[1], s2 += x * w[2], s3 += x * w[3];                                                \
        s4 += x * w[4], s5 += x * w[5], s6 += x * w[6], s7 += x * w[7];                                                \
    } while (0)

static TS_INNER_LOOP void multiply_eight(const int8_t *input, const int8_t *weights, int32_t count, const int32_t *bias,
                                         int32_t *sums)
{
    int32_t s0 = bias[0], s1 = bias[1], s2 = bias[2], s3 = bias[3];
    int32_t s4 = bias[4], s5 = bias[5], s6 = bias[6], s7 = bias[7];
    const int8_t *const end = input + count;
    for (; end - input >= 4; input += 4, weights += 4 * OUTPUTS) {
        MULTIPLY_ADD(0);
        MULTIPLY_ADD(1);
        MULTIPLY_ADD(2);
        MULTIPLY_ADD(3);
    }
    for (; input < end; ++input, weights += OUTPUTS) {
        MULTIPLY_ADD(0);
    }
    sums[0] = s0, sums[1] = s1, sums[2] = s2, sums[3] = s3;
    sums[4] = s4, sums[5] = s5, sums[6] = s6, sums[7] = s7;
}

#endif
