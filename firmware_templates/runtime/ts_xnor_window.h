/* SPDX-License-Identifier: Apache-2.0 */
/* Inner part of the XNOR kernels: the binary sums of one output pixel. Not called by generated code.
 *
 * Method. Weights are sliced over output channels: one 32-bit word holds one bit of 32 channels. A kernel walks the set
 * activation bits of the window, so its time follows their density, and adds one weight word for each: 32 output
 * channels count at once, in "vertical counters" (word p holds bit p of 32 counters). Sixteen words enter a carry-save
 * tree of full adders together, so no popcount is ever taken. While the window moves right, the list of its set bits
 * moves with it: entries of columns that stay are rebased by one addition, only the new columns are read. A window too
 * large for that is listed anew at every pixel and counted run by run.
 *
 * With activation bits x_i, i < A, and weight bits w_j, j < B, of value sum_j 2^j (2 w_j - 1), an accumulator is
 *     sum x w = 2 S - P,   S = sum_ij 2^(i+j) popcount(x_i and w_j),   P = (2^B - 1) sum_i 2^i popcount(x_i).
 * S differs by channel; P belongs to the pixel and is the same for all of them, so counters start at limit - P and hold
 * accumulator + limit, which is never negative: limit is the largest |accumulator| of the layer.
 */
#ifndef TS_XNOR_WINDOW_H
#define TS_XNOR_WINDOW_H

#include <stddef.h>
#include <stdint.h>

/* Geometry and weights, as in the layers of the public kernels.
 *
 * input: bit planes [input_height, input_width, activation_bits, ceil(input_channels / 32)], channel 32 w + i in bit i
 *     of word w, unused bits zero. Pixels outside count as level 0.
 * weights: [kernel_width, kernel_height, input_channels, weight_bits, groups] words, then weight_bits * groups words of
 *     zeros; groups = ceil(output_channels / 32), output channel 32 g + i in bit i of word g. */
typedef struct {
    int32_t input_height, input_width, input_channels;
    int32_t output_width, output_channels;
    int32_t kernel_height, kernel_width, stride, padding;
    int32_t beside; /* padding of columns */
    int32_t activation_bits, weight_bits;
    int32_t plane_multiple; /* the kernel wants sum_planes to be a multiple of this; planes above the value are zero */
    const uint32_t *weights;
} ts_xnor_shape;

typedef struct {
    ts_xnor_shape shape;
    const uint32_t *input;
    int32_t words;             /* of one plane of an input pixel */
    int32_t groups;            /* of 32 output channels */
    int32_t row_bytes;         /* of one weight row: one input channel at one tap */
    int32_t column_bytes;      /* of the weights of one kernel column */
    int32_t drift;             /* by which counting all groups moves the entries of a list */
    int32_t holds;             /* whether each plane has a list for a whole window, which then moves with it */
    int32_t capacity;          /* of one list, entries */
    int32_t words_at_once;     /* words that a list takes at most between two looks at its length, */
    int32_t flush_at;          /* which above this is counted and emptied */
    int32_t sum_planes;        /* words of one group in sums */
    int32_t limit;             /* ts_xnor_window_limit */
    int32_t top;               /* first input row of the window */
    int32_t next_column;       /* first input column that the lists do not hold yet */
    uint32_t *lists;           /* [planes that have one][capacity] weight rows of the set bits */
    int32_t *column_counts;    /* [planes that have one][kernel_width] entries by window column */
    uint32_t *sums;            /* [groups][sum_planes] vertical counters: accumulator + limit */
} ts_xnor_window;

size_t ts_xnor_window_scratch_bytes(const ts_xnor_shape *shape);

/* Prepare for an input; scratch is 4-byte aligned and stays in use until the last call. */
void ts_xnor_window_start(ts_xnor_window *window, const ts_xnor_shape *shape, const uint32_t *input, void *scratch);

/* Go to the first pixel of an output row. */
void ts_xnor_window_row(ts_xnor_window *window, int32_t output_row);

/* Leave accumulator + limit of every output channel of one pixel in window->sums. Columns come in order 0, 1, 2, ... */
void ts_xnor_window_sum(ts_xnor_window *window, int32_t output_column);

/* Largest |accumulator| of the layer: input values in a window x (2^A - 1) x (2^B - 1). */
int32_t ts_xnor_window_limit(const ts_xnor_shape *shape);

/* Bits of a counter: those of 2 limit. */
int32_t ts_xnor_window_planes(const ts_xnor_shape *shape);

#endif
