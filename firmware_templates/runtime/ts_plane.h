/* SPDX-License-Identifier: Apache-2.0 */
/* The plane of one channel in scratch, for the files that include it: fill(plane, count, value) and copy(plane, source,
 * step, count) write pixels side by side, the latter from every step-th byte, and give the place behind them.
 */
#ifndef TS_PLANE_H
#define TS_PLANE_H

#include <stdint.h>

static int8_t *fill(int8_t *plane, int32_t count, int8_t value)
{
    for (; count > 0; --count) {
        *plane++ = value;
    }
    return plane;
}

static int8_t *copy(int8_t *plane, const int8_t *source, int32_t step, int32_t count)
{
    for (; count >= 4; count -= 4, plane += 4) {
        plane[0] = *source, source += step;
        plane[1] = *source, source += step;
        plane[2] = *source, source += step;
        plane[3] = *source, source += step;
    }
    for (; count > 0; --count, source += step) {
        *plane++ = *source;
    }
    return plane;
}

#endif
