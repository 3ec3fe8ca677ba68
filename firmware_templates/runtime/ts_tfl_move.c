/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_tfl_move.h"

#include <stdint.h>
#include <string.h>

enum { WORD = sizeof(uint32_t), WORDS = 4 };

/* Whether an address is that of a word. */
static int aligned(const void *at)
{
    return ((uintptr_t)at & (WORD - 1)) == 0;
}

/* Four words, all read before one is written: what is written may lie on what was read. */
static void move_words(uint8_t *to, const uint8_t *from)
{
    uint32_t words[WORDS];
    memcpy(words, __builtin_assume_aligned(from, WORD), sizeof words);
    memcpy(__builtin_assume_aligned(to, WORD), words, sizeof words);
}

void ts_tfl_move(void *to, const void *from, size_t bytes)
{
    uint8_t *out = to;
    const uint8_t *in = from;
    const uint8_t *const end = in + bytes;
    if (aligned(out) && aligned(in)) {
        for (; (size_t)(end - in) >= WORDS * WORD; in += WORDS * WORD, out += WORDS * WORD) {
            move_words(out, in);
        }
    }
    while (in < end) {
        *out++ = *in++;
    }
}
