/* SPDX-License-Identifier: Apache-2.0 */
/* A pixel's values among those of the other pixels of a tile, for the files that include it: fill(slot, count, value) and
 * copy(slot, source, count) write every fourth byte from slot on and give the place behind them.
 */
#ifndef TS_TILE_SLOTS_H
#define TS_TILE_SLOTS_H

#include <stdint.h>

enum { TILE_SLOTS = 4 };

static int8_t *fill(int8_t *slot, int32_t count, int8_t value)
{
    for (; count > 0; --count, slot += TILE_SLOTS) {
        *slot = value;
    }
    return slot;
}

static int8_t *copy(int8_t *slot, const int8_t *source, int32_t count)
{
    for (; count >= 4; count -= 4, source += 4, slot += 4 * TILE_SLOTS) {
        const int8_t a = source[0], b = source[1], c = source[2], d = source[3];
        slot[0] = a;
        slot[TILE_SLOTS] = b;
        slot[2 * TILE_SLOTS] = c;
        slot[3 * TILE_SLOTS] = d;
    }
    for (; count > 0; --count, slot += TILE_SLOTS) {
        *slot = *source++;
    }
    return slot;
}

#endif
