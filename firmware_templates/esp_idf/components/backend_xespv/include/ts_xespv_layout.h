/* SPDX-License-Identifier: Apache-2.0 */
/* Where a layer's constants lie: one block of bytes a layer, aligned to 16, made by tinysearch/firmware/packing/xespv.
 * Offsets in bytes; words of 32 bits unless said. Read by the assembler and, in the same order, by the packer. */
#ifndef TS_XESPV_LAYOUT_H
#define TS_XESPV_LAYOUT_H

/* Of every layer. */
#define TS_XESPV_LAYER_BYTES 0
#define TS_XESPV_LEFT_BYTES 4
#define TS_XESPV_RIGHT_BYTES 8
#define TS_XESPV_OUTPUT_BYTES 12
#define TS_XESPV_SCRATCH_BYTES 16

/* Of every layer; offsets and bytes of groups are 0 where there are no weights. Output channels come in groups of 16, the last
 * one filled up. */
#define TS_XESPV_CHANNELS 20     /* of the output */
#define TS_XESPV_WEIGHTS 24      /* offset of the weights, [group][place][16]; 32 readable bytes follow */
#define TS_XESPV_RECORDS 28      /* offset of the records, one a group */
#define TS_XESPV_GROUP_BYTES 32  /* of the weights of a group */
#define TS_XESPV_LOW 36          /* clamps of the output */
#define TS_XESPV_HIGH 40
#define TS_XESPV_OFFSET 44       /* twice the zero point of the output, plus one */

/* Of convolutions, fully connected layers among them. One whose weights the cache would not keep from pixel to pixel comes in
 * parts, a block for some of the output channels each. A row is one row of the input with its padding, in scratch. */
#define TS_XESPV_KERNEL 48
#define TS_XESPV_POOL 52
#define TS_XESPV_FULL 56            /* of a row of a window: vectors, */
#define TS_XESPV_REST 60            /* and fours of bytes behind them, 0 .. 3 */
#define TS_XESPV_OUT_HEIGHT 64
#define TS_XESPV_OUT_WIDTH 68
#define TS_XESPV_IN_HEIGHT 72
#define TS_XESPV_IN_ROW_BYTES 76
#define TS_XESPV_ROWS 80            /* that one row of the output reads */
#define TS_XESPV_ROW_STRIDE 84      /* bytes, a multiple of 16 */
#define TS_XESPV_ROW_DATA 88        /* where the input's bytes start in a row, a multiple of 16 */
#define TS_XESPV_ROW_FIRST 92       /* where the first window starts */
#define TS_XESPV_ROW_LINES 96       /* vectors of the input's bytes in a row */
#define TS_XESPV_TAIL 100           /* offset: the bytes of the last of them that are the input's, and padding for the others */
#define TS_XESPV_WINDOW_BYTES 104   /* from window to window */
#define TS_XESPV_PIXEL_BYTES 108    /* from the windows of an output to those of the next */
#define TS_XESPV_DOWN_BYTES 112     /* from a row of windows to the next */
#define TS_XESPV_FIRST_ROW 116      /* input row of the first window, 0 or negative */
#define TS_XESPV_NEXT_ROW 120       /* input rows from one row of the output to the next */
#define TS_XESPV_PADDING 124        /* offset: 16 bytes of the input's zero point */
#define TS_XESPV_DIRECT 128         /* 1 where the input is a row of windows already */
#define TS_XESPV_PIXELS 132         /* of the output */
#define TS_XESPV_OUT_PIXEL_BYTES 136 /* channels of the output, those of other parts included */
#define TS_XESPV_NEXT_PART 140      /* bytes to the block of the channels that follow, 0 for none */
#define TS_XESPV_NOW 0              /* scratch: 16 sums, */
#define TS_XESPV_LARGEST 64         /* the largest of a pool, */
#define TS_XESPV_ROW 128            /* and rows */

/* Of depthwise convolutions; weights are [group][place][16]. Channels are filled up to a multiple of 16 in scratch. */
#define TS_XESPV_D_KERNEL 48
#define TS_XESPV_D_PIXEL_BYTES 52   /* of a pixel in scratch */
#define TS_XESPV_D_STEP_BYTES 56    /* from window to window */
#define TS_XESPV_D_ROW_STRIDE 60
#define TS_XESPV_D_ROW_DATA 64      /* where the input's pixels start in a row */
#define TS_XESPV_D_OUT_HEIGHT 68
#define TS_XESPV_D_OUT_WIDTH 72
#define TS_XESPV_D_IN_HEIGHT 76
#define TS_XESPV_D_IN_ROW_BYTES 80
#define TS_XESPV_D_PIECES 84        /* in which a row is copied: one, or its pixels where channels are no multiple of 16 */
#define TS_XESPV_D_PIECE_BYTES 88
#define TS_XESPV_D_PIECE_LINES 92
#define TS_XESPV_D_FIRST_ROW 96
#define TS_XESPV_D_STRIDE 100
#define TS_XESPV_D_PADDING 104      /* offset: 16 bytes of the input's zero point */
#define TS_XESPV_D_ROW 64           /* scratch: 16 sums, and rows */

/* Of max pools. */
#define TS_XESPV_P_POOL 48
#define TS_XESPV_P_OUT_HEIGHT 52
#define TS_XESPV_P_OUT_WIDTH 56
#define TS_XESPV_P_NEXT_LINE 60     /* bytes from behind a row of a window to its next one */
#define TS_XESPV_P_WINDOW_BYTES 64  /* from window to window */
#define TS_XESPV_P_NEXT_ROW 68      /* from behind a row of windows to the next */

/* Of means. */
#define TS_XESPV_V_PIXELS 48
#define TS_XESPV_V_HALF 52          /* pixels / 2 */
#define TS_XESPV_V_ONE 56           /* 1 */

/* Of additions. */
#define TS_XESPV_A_COUNT 48         /* values */
#define TS_XESPV_A_FACTOR 52        /* unsigned, twice the multiplier */
#define TS_XESPV_A_SHIFT 56         /* less one */
#define TS_XESPV_A_TABLES 60        /* offset: 256 words of the left input by its byte, and as many of the right one */

/* Of packings. */
#define TS_XESPV_K_PIXELS 48
#define TS_XESPV_K_BITS 52          /* planes of the output */
#define TS_XESPV_K_PLANE_BYTES 56   /* of a pixel */
#define TS_XESPV_K_PIXEL_BYTES 60
#define TS_XESPV_K_CHANNEL_BITS 64  /* offset: the bit of each of 16 channels in its byte, and of the last ones of a pixel */
#define TS_XESPV_K_PLANES 68        /* offset: an entry a plane */
#define TS_XESPV_K_PLANE_ENTRY 48   /* bytes of one: */
#define TS_XESPV_K_COUNT 0          /* thresholds, */
#define TS_XESPV_K_START 16         /* 16 bytes of ones where an odd number is reached by every value, and from here + 16 on the
                                     * thresholds less one, bytes */

/* Of binary convolutions, fully connected layers among them; weights are [group][kernel row][kernel column][lane][16], 16 times
 * their value. A row is one row of the input with its padding, in scratch, a byte a channel; channels are filled up to words. One whose
 * weights the cache would not keep comes in parts. */
#define TS_XESPV_X_KERNEL 48        /* rows of a window */
#define TS_XESPV_X_ROW_LINES 52     /* of a row of a window: pairs of vectors */
#define TS_XESPV_X_ROW_STRIDE 56    /* bytes, a multiple of 32 */
#define TS_XESPV_X_ROW_DATA 60      /* where the input's pixels start in a row */
#define TS_XESPV_X_STEP_BYTES 64    /* from window to window */
#define TS_XESPV_X_OUT_HEIGHT 68
#define TS_XESPV_X_OUT_WIDTH 72
#define TS_XESPV_X_IN_HEIGHT 76
#define TS_XESPV_X_IN_WIDTH 80
#define TS_XESPV_X_IN_WORDS 84      /* of a plane of a pixel */
#define TS_XESPV_X_IN_BITS 88
#define TS_XESPV_X_IN_PLANE_BYTES 92
#define TS_XESPV_X_IN_PIXEL_BYTES 96
#define TS_XESPV_X_IN_ROW_BYTES 100
#define TS_XESPV_X_FIRST_ROW 104    /* input row of the first window, 0 or negative */
#define TS_XESPV_X_NEW_ROWS 108     /* rows that each row of the output but the first adds, */
#define TS_XESPV_X_SKIPPED_ROWS 112 /* those of the input before them that no window needs, */
#define TS_XESPV_X_KEPT_LINES 116   /* vectors of the rows that stay, */
#define TS_XESPV_X_MOVE_BYTES 120   /* and by how much they move */
#define TS_XESPV_X_MASKS 124        /* offset: two bits of a word a vector, and 16, 32, .. for the bits of a level */
#define TS_XESPV_X_BITS 128         /* of a level of the output; 0: int8 */
#define TS_XESPV_X_THRESHOLDS 132   /* of a channel */
#define TS_XESPV_X_RECORD_BYTES 136 /* of a group: a record, or [threshold][16] of words, 256 times a threshold, less one */
#define TS_XESPV_X_CHANNEL_BITS 140 /* offset: the bit of each of 16 channels in its byte */
#define TS_XESPV_X_PLANE_BYTES 144  /* of a pixel of the output */
#define TS_XESPV_X_OUT_PIXEL_BYTES 148 /* channels of other parts included */
#define TS_XESPV_X_PART_BYTES 152   /* of a pixel: where the next part starts */
#define TS_XESPV_X_NEXT_PART 156    /* bytes to the block of the channels that follow, 0 for none */
#define TS_XESPV_X_REACHED 64       /* scratch, behind 16 sums: up to seven vectors of thresholds that are reached, */
#define TS_XESPV_X_ROW 176          /* and rows */

/* Record of a group of channels, 16 of each. */
#define TS_XESPV_RECORD_BYTES 192
#define TS_XESPV_RECORD_FACTORS 64  /* behind what sums start at: unsigned, twice the multiplier */
#define TS_XESPV_RECORD_SHIFTS 128  /* less one */

#endif
