/* SPDX-License-Identifier: Apache-2.0 */
/* Where a layer's constants lie: one block of bytes a layer, aligned to 16, made by tinysearch/firmware/packing/pie.
 * Offsets in bytes; words of 32 bits unless said. Read by C, by the assembler and, in the same order, by the packer. */
#ifndef TS_PIE_LAYOUT_H
#define TS_PIE_LAYOUT_H

/* Of every layer. */
#define TS_PIE_LAYER_BYTES 0
#define TS_PIE_LEFT_BYTES 4
#define TS_PIE_RIGHT_BYTES 8
#define TS_PIE_OUTPUT_BYTES 12
#define TS_PIE_SCRATCH_BYTES 16

/* Of layers that ts_pie_tile_s8 computes. */
#define TS_PIE_CHANNELS 20     /* of the output */
#define TS_PIE_WEIGHTS 24      /* offset of the weights, [channel][vector][16] */
#define TS_PIE_RECORDS 28      /* offset of the records, one a channel */
#define TS_PIE_SECTIONS 32     /* sections of six vectors before the last one */
#define TS_PIE_LAST 36         /* vectors of the last section, 1 .. 6 */
#define TS_PIE_STEP_SIX 40     /* bytes from the sixth vector of a section to the first of the next column */
#define TS_PIE_STEP_LAST 44    /* the same from the last vector of the last section */
#define TS_PIE_POOL_PIXELS 48  /* pixels under a max pool, 1 for none */
#define TS_PIE_COLUMN_BYTES 52 /* of one column: a receptive field, a multiple of 16 */

/* Of convolutions. One whose weights the data cache would not keep from tile to tile comes in parts, a block for some of the
 * output channels each, so that weights stream from flash once. A row is one row of the input with its padding, in scratch. */
#define TS_PIE_KERNEL 56
#define TS_PIE_POOL 60
#define TS_PIE_RUN 64           /* windows side by side: the pool's, or without a pool a whole row */
#define TS_PIE_RUNS 68          /* of these in a row of the output */
#define TS_PIE_OUT_HEIGHT 72
#define TS_PIE_IN_HEIGHT 76
#define TS_PIE_IN_ROW_BYTES 80
#define TS_PIE_ROWS 84          /* that one row of the output reads */
#define TS_PIE_ROW_STRIDE 88    /* bytes, a multiple of 16 */
#define TS_PIE_ROW_DATA 92      /* where the input's bytes start in a row, a multiple of 16 */
#define TS_PIE_ROW_FIRST 96     /* where the first window starts */
#define TS_PIE_ROW_FIX 100      /* bytes of padding on the right that a copy of whole lines overwrites */
#define TS_PIE_PIXEL_STEP 104   /* bytes from window to window */
#define TS_PIE_DOWN_STEP 108    /* bytes from a row of windows to the next */
#define TS_PIE_FIRST_ROW 112    /* input row of the first window, 0 or negative */
#define TS_PIE_NEXT_ROW 116     /* input rows from one row of the output to the next */
#define TS_PIE_IN_ZERO 120
#define TS_PIE_LINES 124        /* lines of 16 bytes of one row of a window */
#define TS_PIE_DIRECT 128       /* 1 where the input is a row of columns already */
#define TS_PIE_PIXELS 132       /* of the output */
#define TS_PIE_SCRATCH_ROWS 136 /* offsets in scratch */
#define TS_PIE_SCRATCH_COLUMNS 140
#define TS_PIE_TILE_COLUMNS 144 /* 1 .. 16 */
#define TS_PIE_OUT_PIXEL_BYTES 148 /* channels of the output, those of other parts included */
#define TS_PIE_NEXT_PART 152    /* bytes to the block of the channels that follow, 0 for none */

/* Of fully connected layers: weights [section][channel][vector][16], records of two words a channel, the multiplier and the
 * shift less one. */
#define TS_PIE_FC_STARTS 40     /* offset of what sums start at, 64 bits a channel */
#define TS_PIE_FC_INPUTS 44
#define TS_PIE_FC_OFFSET 48     /* twice the zero point of the output, plus one */
#define TS_PIE_FC_LOW 52        /* lower clamp */
#define TS_PIE_FC_SCRATCH_INPUT 56

/* Of binary convolutions. Pixels of the output are computed 128 at a time, pixel 4 i + l of a tile in bit i of word l of every
 * vector. A plane holds one bit of one input under each of them; the planes of 32 inputs come in groups of 35, of which
 * those at 11, 23 and 34 are zero, so that no list of planes ever steps by more than 15. */
#define TS_PIE_X_KERNEL_HEIGHT 24
#define TS_PIE_X_KERNEL_WIDTH 28
#define TS_PIE_X_STRIDE 32
#define TS_PIE_X_PADDING 36
#define TS_PIE_X_IN_HEIGHT 40
#define TS_PIE_X_ROW_BYTES 44
#define TS_PIE_X_PIXEL_BYTES 48
#define TS_PIE_X_WORDS 52           /* of 32 inputs, of a pixel and bit */
#define TS_PIE_X_ACTIVATION_BITS 56
#define TS_PIE_X_OUT_WIDTH 60
#define TS_PIE_X_PIXELS 64          /* of the output */
#define TS_PIE_X_SPANS 68           /* offset: for each kernel column first and end of the outputs that it lies inside for */
#define TS_PIE_X_PLANE_BYTES 72     /* of all planes of one bit of the activations */
#define TS_PIE_X_WEIGHT_BITS 76
#define TS_PIE_X_SUM_PLANES 80      /* bits of a sum plus limit, 0 .. 2 limit */
#define TS_PIE_X_TOTAL 84           /* largest sum of the activations under a window */
#define TS_PIE_X_EVERY 88           /* offset: the list of all planes, as a list of a channel */
#define TS_PIE_X_LISTS 92           /* offset: three words a list, its start, length / 8, place of its steps; for two channels the bits of what both
                                       add, of the first's rest, of the second's rest */
#define TS_PIE_X_THRESHOLDS 96      /* offset: [channel][2^bits - 1], threshold + limit in 0 .. 2 limit + 1; for int8 the records */
#define TS_PIE_X_OUT_BITS 100       /* 0 for an output of int8, which has records instead of thresholds */
#define TS_PIE_X_OUT_PIXEL_BYTES 104
#define TS_PIE_X_SCRATCH_PLANES 108 /* offsets in scratch; 512 bytes before the planes are free */
#define TS_PIE_X_SCRATCH_SUMS 112
#define TS_PIE_X_SCRATCH_CARRIES 116
#define TS_PIE_X_SCRATCH_RESULTS 120
#define TS_PIE_X_KEPT_PLANES 124    /* of a sum that are there: two more, for int8 at least 16 */
#define TS_PIE_X_STEPS 128          /* offset of the steps of all lists */
#define TS_PIE_X_LANES 128
#define TS_PIE_X_GROUP_BYTES 560    /* 35 planes */
#define TS_PIE_X_LIST_BYTES 12

/* Of depthwise convolutions; channels are filled up to a multiple of 16 in scratch, weights are [group of 16][place][16]. */
#define TS_PIE_D_KERNEL 32
#define TS_PIE_D_PIXEL_BYTES 36     /* of a pixel in scratch */
#define TS_PIE_D_STEP_BYTES 40      /* from window to window */
#define TS_PIE_D_ROW_STRIDE 44
#define TS_PIE_D_ROW_STEP 48        /* from the third pixel of a row to the first of the next */
#define TS_PIE_D_ROW_DATA 52        /* where the input's pixels start in a row */
#define TS_PIE_D_OUT_HEIGHT 56
#define TS_PIE_D_OUT_WIDTH 60
#define TS_PIE_D_IN_HEIGHT 64
#define TS_PIE_D_IN_ROW_BYTES 68
#define TS_PIE_D_PIECES 72          /* in which a row is copied: one, or its pixels where channels are no multiple of 16 */
#define TS_PIE_D_PIECE_BYTES 76
#define TS_PIE_D_FIRST_ROW 80
#define TS_PIE_D_STRIDE 84
#define TS_PIE_D_IN_ZERO 88
#define TS_PIE_D_GROUP_WEIGHTS 92   /* bytes of a group's weights */
#define TS_PIE_D_SUMS 512           /* scratch: 16 pixels of 48 bytes, QACC's lower 16 bytes, L then H, and upper four each */
#define TS_PIE_D_BYTES 1280         /* 40 bytes of QACC by 16 pixels */
#define TS_PIE_D_ROWS 1920

/* Of additions: one record, and two tables of 256 words, by the bytes of left and right. */
#define TS_PIE_A_COUNT 32
#define TS_PIE_A_TABLES 36

/* Of max pools. */
#define TS_PIE_P_LOW 24          /* lower clamp */
#define TS_PIE_P_POOL 28
#define TS_PIE_P_OUT_HEIGHT 32
#define TS_PIE_P_OUT_WIDTH 36
#define TS_PIE_P_NEXT_LINE 40    /* bytes from behind a row of a window to its next one */
#define TS_PIE_P_WINDOW_BYTES 44 /* from window to window */
#define TS_PIE_P_NEXT_ROW 48     /* from behind a row of windows to the next */

/* Of means. */
#define TS_PIE_V_PIXELS 24
#define TS_PIE_V_HALF 28 /* pixels / 2 */
#define TS_PIE_V_LOW 32  /* lower clamp */

/* Of packing; weights are the bits of the channels of a full word, 32 bytes, and of the last one. */
#define TS_PIE_K_PIXELS 28
#define TS_PIE_K_BITS 32
#define TS_PIE_K_PLANE_BYTES 36 /* of a pixel, 4 for each word */
#define TS_PIE_K_SKIP 40        /* of all its planes but one */
#define TS_PIE_K_PLANES 44      /* offset: of each plane */
#define TS_PIE_K_COUNT 0        /* thresholds, */
#define TS_PIE_K_FLIP 4         /* bits that are inverted in a full word, */
#define TS_PIE_K_FLIP_LAST 8    /* and in the last one, */
#define TS_PIE_K_THRESHOLDS 16  /* and the thresholds, a byte each */
#define TS_PIE_K_PLANE_ENTRY 32

/* Record of one output channel. */
#define TS_PIE_RECORD_BYTES 32
#define TS_PIE_RECORD_START 0   /* 64 bits: what sums start at; of binary layers 32 that are added to 256 times a sum */
#define TS_PIE_RECORD_FACTORS 8 /* nine of 16 bits, in the order that ts_pie_requantize.h reads */
#define TS_PIE_RECORD_LOW 26    /* int8: lower clamp */
#define TS_PIE_RECORD_SHIFT 27  /* uint8: right shift less 8, at least 0 */
#define TS_PIE_RECORD_DOUBLE 28 /* uint8: 8 less the right shift, at least 0 */

/* Scratch of ts_pie_tile_s8, before all else. */
#define TS_PIE_TILE 16
#define TS_PIE_TILE_BLOCK 0     /* [channel][pixel], 16 by 16 */
#define TS_PIE_TILE_SUMS 256    /* 16 sums of 64 bits */
#define TS_PIE_TILE_PIXELS 512  /* [pixel][channel], 16 by 16 */
#define TS_PIE_TILE_MAXIMA 768  /* 16 bytes for each 16 channels, where a pool is fused */

#endif
