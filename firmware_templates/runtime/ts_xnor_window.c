/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_xnor_window.h"

#include "ts_arithmetic.h"

#define LANES 32
#define MAX_ACTIVATION_BITS 3
#define BLOCK 16           /* weight words that enter the carry-save tree together */
#define REGISTER_PLANES 10 /* planes of the counters that stay in registers while a list is counted */
#define RUN_ENTRIES 1008   /* entries of a list that does not hold a window and is counted in runs */
#define HELD_BYTES 16384   /* most for lists that hold a window each */
#define FLUSH_WORDS 4      /* words that a run takes between two looks at its length */
#define OFFSETS 8          /* words of a weight row that the specialized counters reach by an immediate offset */

/* ---- entries: where a weight row is, in 32 bits on every host ---- */

#if UINTPTR_MAX == UINT32_MAX
static inline uint32_t entry_of(const uint32_t *weights, uint32_t bytes)
{
    return (uint32_t)(uintptr_t)weights + bytes;
}
static inline const uint32_t *row_at(const uint32_t *weights, uint32_t entry)
{
    (void)weights;
    return (const uint32_t *)(uintptr_t)entry;
}
#else
static inline uint32_t entry_of(const uint32_t *weights, uint32_t bytes)
{
    (void)weights;
    return bytes;
}
static inline const uint32_t *row_at(const uint32_t *weights, uint32_t entry) { return weights + entry / 4u; }
#endif

/* ---- sizes ---- */

static int32_t window_values(const ts_xnor_shape *shape)
{
    return shape->kernel_height * shape->kernel_width * shape->input_channels;
}

static int32_t groups_of(const ts_xnor_shape *shape) { return (shape->output_channels + LANES - 1) / LANES; }

/* Entries of a list that holds a whole window: padded to a block, and room for the store past its end. */
static int32_t window_capacity(const ts_xnor_shape *shape)
{
    return (window_values(shape) + BLOCK) / BLOCK * BLOCK + BLOCK;
}

static int32_t holds_window(const ts_xnor_shape *shape)
{
    return window_capacity(shape) <= HELD_BYTES / 4 / shape->activation_bits;
}

static int32_t list_capacity(const ts_xnor_shape *shape)
{
    return holds_window(shape) ? window_capacity(shape) : RUN_ENTRIES + BLOCK;
}

static int32_t lists_of(const ts_xnor_shape *shape) { return holds_window(shape) ? shape->activation_bits : 1; }

int32_t ts_xnor_window_limit(const ts_xnor_shape *shape)
{
    return window_values(shape) * ((1 << shape->activation_bits) - 1) * ((1 << shape->weight_bits) - 1);
}

int32_t ts_xnor_window_planes(const ts_xnor_shape *shape)
{
    int32_t largest = 2 * ts_xnor_window_limit(shape);
    int32_t planes = 0;
    for (; largest > 0; largest >>= 1) {
        ++planes;
    }
    return planes;
}

/* Words of one group in the sums: counting writes all planes in registers, even where a small window cannot fill
 * them. */
static int32_t sum_planes(const ts_xnor_shape *shape)
{
    const int32_t planes = ts_xnor_window_planes(shape);
    const int32_t written = REGISTER_PLANES + shape->activation_bits + shape->weight_bits - 1;
    const int32_t needed = planes > written ? planes : written;
    return (needed + shape->plane_multiple - 1) / shape->plane_multiple * shape->plane_multiple;
}

size_t ts_xnor_window_scratch_bytes(const ts_xnor_shape *shape)
{
    const int32_t lists = lists_of(shape);
    int32_t words = lists * (list_capacity(shape) + shape->kernel_width) + groups_of(shape) * sum_planes(shape);
    return (size_t)words * 4u;
}

/* ---- lists of set bits ---- */

/* Append the weight rows of the set bits of some words, without branches: every row is stored, a set bit keeps it. */
TS_INNER_LOOP static uint32_t *append_words(uint32_t *end, const uint32_t *words, int32_t count, uint32_t row,
                                            uint32_t row_bytes)
{
    const uint32_t *last = words + count;
#define APPEND(bit_at_2)                                             \
    *end = row;                                                      \
    end = (uint32_t *)(void *)((char *)end + ((bit_at_2) & 4u));     \
    row += row_bytes
    for (; words != last; ++words) {
        uint32_t next_row = row + LANES * row_bytes;
        for (uint32_t word = *words; word != 0; word >>= 8) {
            APPEND(word << 2);
            APPEND(word << 1);
            APPEND(word);
            APPEND(word >> 1);
            APPEND(word >> 2);
            APPEND(word >> 3);
            APPEND(word >> 4);
            APPEND(word >> 5);
        }
        row = next_row;
    }
#undef APPEND
    return end;
}

/* Move entries to the front and rebase them; may touch 7 words after the last, which the capacity allows for. */
TS_INNER_LOOP static void rebase(uint32_t *to, const uint32_t *from, int32_t count, uint32_t delta)
{
    const uint32_t *end = to + count;
    for (; to < end; to += 8, from += 8) {
        to[0] = from[0] + delta;
        to[1] = from[1] + delta;
        to[2] = from[2] + delta;
        to[3] = from[3] + delta;
        to[4] = from[4] + delta;
        to[5] = from[5] + delta;
        to[6] = from[6] + delta;
        to[7] = from[7] + delta;
    }
}

/* ---- vertical counters ---- */

/* Full adder on 32 lanes: sum = x + y + z, carry out. Every operand may be the sum. */
#define FULL_ADD(sum, carry, x, y, z)      \
    do {                                   \
        uint32_t y_ = (y);                 \
        uint32_t xy_ = (x) ^ y_;           \
        uint32_t z_ = (z);                 \
        carry = (xy_ & (z_ ^ y_)) ^ y_;    \
        sum = xy_ ^ z_;                    \
    } while (0)

/* Add a carry to one plane; what overflows is the carry to the next. */
#define RIPPLE(plane, carry)               \
    do {                                   \
        uint32_t overflow_ = plane & carry; \
        plane ^= carry;                    \
        carry = overflow_;                 \
    } while (0)

/* Pass a carry on to the planes in memory; it stops, because the sums have room for every value. */
static void carry_on(uint32_t *planes, uint32_t carry)
{
    while (carry != 0) {
        RIPPLE(*planes, carry);
        ++planes;
    }
}

/* Carry-save tree: add word `offset` of sixteen rows to c0 .. c3; `sixteens` is the carry out of these. */
#define ADD_BLOCK(sixteens, offset)                                            \
    do {                                                                       \
        uint32_t twos_a, twos_b, fours_a, fours_b, eights;                     \
        FULL_ADD(c0, twos_a, c0, WORD(0, offset), WORD(1, offset));            \
        FULL_ADD(c0, twos_b, c0, WORD(2, offset), WORD(3, offset));            \
        FULL_ADD(c1, fours_a, c1, twos_a, twos_b);                             \
        FULL_ADD(c0, twos_a, c0, WORD(4, offset), WORD(5, offset));            \
        FULL_ADD(c0, twos_b, c0, WORD(6, offset), WORD(7, offset));            \
        FULL_ADD(c1, fours_b, c1, twos_a, twos_b);                             \
        FULL_ADD(c2, eights, c2, fours_a, fours_b);                            \
        FULL_ADD(c0, twos_a, c0, WORD(8, offset), WORD(9, offset));            \
        FULL_ADD(c0, twos_b, c0, WORD(10, offset), WORD(11, offset));          \
        FULL_ADD(c1, fours_a, c1, twos_a, twos_b);                             \
        FULL_ADD(c0, twos_a, c0, WORD(12, offset), WORD(13, offset));          \
        FULL_ADD(c0, twos_b, c0, WORD(14, offset), WORD(15, offset));          \
        FULL_ADD(c1, fours_b, c1, twos_a, twos_b);                             \
        FULL_ADD(c2, sixteens, c2, fours_a, fours_b);                          \
        FULL_ADD(c3, sixteens, c3, eights, sixteens);                          \
        entry += BLOCK;                                                        \
    } while (0)
#define WORD(index, offset) (row_at(weights, entry[index])[offset])

/* Add word `offset` of the rows of a list, a multiple of 16 entries, to the counters in `sums`. The lower planes live
 * in registers meanwhile. Planes 4 and up take the carries of two blocks at once; an odd number of blocks starts with
 * the second of a pair. One function an offset, so that it becomes an immediate of the load. */
#define DEFINE_COUNT(offset)                                                                            \
    TS_INNER_LOOP static void count_##offset(uint32_t *sums, const uint32_t *entry, const uint32_t *end, \
                                             const uint32_t *weights)                                   \
    {                                                                                                   \
        uint32_t c0 = sums[0], c1 = sums[1], c2 = sums[2], c3 = sums[3], c4 = sums[4];                   \
        uint32_t c5 = sums[5], c6 = sums[6], c7 = sums[7], c8 = sums[8], c9 = sums[9];                   \
        uint32_t first = 0, carry;                                                                      \
        (void)weights;                                                                                  \
        if ((end - entry) % (2 * BLOCK) != 0) {                                                         \
            goto second;                                                                                \
        }                                                                                               \
        do {                                                                                            \
            ADD_BLOCK(first, offset);                                                                   \
        second:                                                                                         \
            ADD_BLOCK(carry, offset);                                                                   \
            FULL_ADD(c4, carry, c4, first, carry);                                                      \
            RIPPLE(c5, carry);                                                                          \
            RIPPLE(c6, carry);                                                                          \
            RIPPLE(c7, carry);                                                                          \
            RIPPLE(c8, carry);                                                                          \
            RIPPLE(c9, carry);                                                                          \
            if (carry != 0) {                                                                           \
                carry_on(sums + REGISTER_PLANES, carry);                                                \
            }                                                                                           \
        } while (entry < end);                                                                          \
        sums[0] = c0, sums[1] = c1, sums[2] = c2, sums[3] = c3, sums[4] = c4;                           \
        sums[5] = c5, sums[6] = c6, sums[7] = c7, sums[8] = c8, sums[9] = c9;                           \
    }

DEFINE_COUNT(0)
DEFINE_COUNT(1)
DEFINE_COUNT(2)
DEFINE_COUNT(3)
DEFINE_COUNT(4)
DEFINE_COUNT(5)
DEFINE_COUNT(6)
DEFINE_COUNT(7)

typedef void (*count_function)(uint32_t *sums, const uint32_t *entry, const uint32_t *end, const uint32_t *weights);
static const count_function COUNT[OFFSETS] = {count_0, count_1, count_2, count_3, count_4, count_5, count_6, count_7};

/* Add twice the popcounts of one activation plane's list with every weight plane to the sums of every group. */
static void count_list(ts_xnor_window *window, uint32_t *list, int32_t count, int32_t plane)
{
    const uint32_t *weights = window->shape.weights;
    const uint32_t zero_row = entry_of(weights, (uint32_t)(window->shape.kernel_width * window->column_bytes));
    const int32_t sum_planes = window->sum_planes, columns = window->row_bytes / 4, groups = window->groups;
    uint32_t *sums = window->sums + plane + 1, *end = list + count;
    int32_t group = 0, offset = 0;
    if (count == 0) {
        return;
    }
    for (; count % BLOCK != 0; ++count) {
        *end++ = zero_row;
    }
    for (int32_t column = 0; column < columns; ++column) {
        if (offset == OFFSETS) {
            rebase(list, list, count, OFFSETS * 4u);
            offset = 0;
        }
        COUNT[offset++](sums, list, end, weights);
        sums += sum_planes;
        if (++group == groups) { /* on to the next weight plane, of twice the value */
            group = 0;
            sums -= groups * sum_planes - 1;
        }
    }
}

/* ---- the window ---- */

void ts_xnor_window_start(ts_xnor_window *window, const ts_xnor_shape *shape, const uint32_t *input, void *scratch)
{
    const int32_t lists = lists_of(shape);
    window->shape = *shape;
    window->input = input;
    window->words = (shape->input_channels + LANES - 1) / LANES;
    window->groups = groups_of(shape);
    window->row_bytes = shape->weight_bits * window->groups * 4;
    window->column_bytes = shape->kernel_height * shape->input_channels * window->row_bytes;
    window->drift = (window->row_bytes - 1) / (OFFSETS * 4) * (OFFSETS * 4);
    window->holds = holds_window(shape);
    window->capacity = list_capacity(shape);
    if (window->holds) {
        window->words_at_once = window->words;
        window->flush_at = window->capacity;
    } else {
        window->words_at_once = FLUSH_WORDS;
        window->flush_at = RUN_ENTRIES - FLUSH_WORDS * LANES;
    }
    window->sum_planes = sum_planes(shape);
    window->limit = ts_xnor_window_limit(shape);
    window->lists = (uint32_t *)scratch;
    window->column_counts = (int32_t *)(void *)(window->lists + lists * window->capacity);
    window->sums = (uint32_t *)(void *)(window->column_counts + lists * shape->kernel_width);
    ts_xnor_window_row(window, 0);
}

void ts_xnor_window_row(ts_xnor_window *window, int32_t output_row)
{
    const ts_xnor_shape *shape = &window->shape;
    window->top = output_row * shape->stride - shape->padding;
    window->next_column = -shape->beside;
    for (int32_t index = 0; index < lists_of(shape) * shape->kernel_width; ++index) {
        window->column_counts[index] = 0;
    }
}

/* Append the set bits of one plane in window column `tap_x`, input column x. A list that cannot hold the window is
 * counted and emptied whenever it might not take more; *counted gains what was counted. Returns the length. */
static int32_t append_column(ts_xnor_window *window, int32_t plane, int32_t tap_x, int32_t x, uint32_t *list,
                             int32_t length, int32_t *counted)
{
    const ts_xnor_shape *shape = &window->shape;
    const uint32_t row_bytes = (uint32_t)window->row_bytes, tap_bytes = (uint32_t)shape->input_channels * row_bytes;
    const int32_t words = window->words, pixel_words = shape->activation_bits * words;
    const int32_t below = shape->input_height - window->top;
    const int32_t last = below < shape->kernel_height ? below : shape->kernel_height;
    int32_t tap_y = window->top < 0 ? -window->top : 0;
    const uint32_t *pixel;
    uint32_t *end = list + length;
    uint32_t row;
    if (x < 0 || x >= shape->input_width || tap_y >= last) {
        return length;
    }
    pixel = window->input + ((window->top + tap_y) * shape->input_width + x) * pixel_words + plane * words;
    row = entry_of(shape->weights, (uint32_t)(tap_x * window->column_bytes) + (uint32_t)tap_y * tap_bytes);
    for (; tap_y < last; ++tap_y, row += tap_bytes, pixel += shape->input_width * pixel_words) {
        for (int32_t word = 0; word < words; word += window->words_at_once) {
            const int32_t left = words - word;
            if (end - list > window->flush_at) {
                count_list(window, list, (int32_t)(end - list), plane);
                *counted += (int32_t)(end - list);
                end = list;
            }
            end = append_words(end, pixel + word, left < window->words_at_once ? left : window->words_at_once,
                               row + (uint32_t)word * LANES * row_bytes, row_bytes);
        }
    }
    return (int32_t)(end - list);
}

/* Make a plane's list follow the window by `fresh` columns. Returns its length. */
static int32_t slide(ts_xnor_window *window, int32_t plane, int32_t left, int32_t fresh)
{
    const int32_t width = window->shape.kernel_width;
    int32_t *counts = window->column_counts + plane * width;
    uint32_t *list = window->lists + plane * window->capacity;
    int32_t gone = 0, length = 0, unused = 0;
    int32_t tap_x;
    for (tap_x = 0; tap_x < fresh; ++tap_x) {
        gone += counts[tap_x];
    }
    for (; tap_x < width; ++tap_x) {
        counts[tap_x - fresh] = counts[tap_x];
        length += counts[tap_x];
    }
    rebase(list, list + gone, length, 0u - (uint32_t)(fresh * window->column_bytes + window->drift));
    for (tap_x = width - fresh; tap_x < width; ++tap_x) {
        const int32_t longer = append_column(window, plane, tap_x, left + tap_x, list, length, &unused);
        counts[tap_x] = longer - length;
        length = longer;
    }
    return length;
}

/* Count a plane by a list that is built anew, in runs. Returns the set bits of the plane in the window. */
static int32_t count_anew(ts_xnor_window *window, int32_t plane, int32_t left)
{
    int32_t length = 0, counted = 0;
    for (int32_t tap_x = 0; tap_x < window->shape.kernel_width; ++tap_x) {
        length = append_column(window, plane, tap_x, left + tap_x, window->lists, length, &counted);
    }
    count_list(window, window->lists, length, plane);
    return counted + length;
}

/* Every counter of the sums := value. */
TS_INNER_LOOP static void fill_sums(ts_xnor_window *window, int32_t value)
{
    const int32_t planes = window->sum_planes;
    const uint32_t *end = window->sums + window->groups * planes;
    uint32_t *first = window->sums, bits = (uint32_t)value;
    for (int32_t p = 0; p < planes; ++p, bits >>= 1) {
        const uint32_t word = 0u - (bits & 1u);
        for (uint32_t *sum = first++; sum < end; sum += planes) {
            *sum = word;
        }
    }
}

/* Every counter of the sums += value. */
static void add_to_sums(ts_xnor_window *window, int32_t value)
{
    uint32_t *sum = window->sums;
    for (int32_t group = 0; group < window->groups; ++group) {
        uint32_t carry = 0;
        for (int32_t p = 0; p < window->sum_planes; ++p, ++sum) {
            const uint32_t word = 0u - (((uint32_t)value >> p) & 1u);
            FULL_ADD(*sum, carry, *sum, word, carry);
        }
    }
}

void ts_xnor_window_sum(ts_xnor_window *window, int32_t output_column)
{
    const ts_xnor_shape *shape = &window->shape;
    const int32_t left = output_column * shape->stride - shape->beside;
    const int32_t passed = left + shape->kernel_width - window->next_column;
    const int32_t fresh = passed < shape->kernel_width ? passed : shape->kernel_width;
    const int32_t weight_levels = (1 << shape->weight_bits) - 1;
    int32_t levels = 0;
    if (window->holds) {
        int32_t lengths[MAX_ACTIVATION_BITS];
        for (int32_t plane = 0; plane < shape->activation_bits; ++plane) {
            lengths[plane] = slide(window, plane, left, fresh);
            levels += lengths[plane] << plane;
        }
        fill_sums(window, window->limit - levels * weight_levels);
        for (int32_t plane = 0; plane < shape->activation_bits; ++plane) {
            count_list(window, window->lists + plane * window->capacity, lengths[plane], plane);
        }
    } else {
        fill_sums(window, 0);
        for (int32_t plane = 0; plane < shape->activation_bits; ++plane) {
            levels += count_anew(window, plane, left) << plane;
        }
        add_to_sums(window, window->limit - levels * weight_levels);
    }
    window->next_column = left + shape->kernel_width;
}
