/* SPDX-License-Identifier: Apache-2.0 */
/* A window of a motion sensor or of any other time series to network input: a square image or a series in int8. The same bytes as
 * tinysearch/data/window.py, which defines it.
 *
 * Nothing here knows about time, units or allocates; all tables are constant data made by the generator.
 */
#ifndef TS_WINDOW_H
#define TS_WINDOW_H

#include <stddef.h>
#include <stdint.h>

/* fft = 1 << log2_fft samples make a row of a spectrum, 16 .. 2048; rows of samples have size of them. */
typedef struct {
    const int32_t *gain;       /* [axes], Q16: counts to image, of a fixed range */
    const int32_t *range;      /* [axes], counts that fill the image */
    const int32_t *reference;  /* [axes], Q10: level that becomes 0 in a spectrum with a fixed range */
    const int16_t *window;     /* this and what follows of a spectrum only, as in ts_log_mel_layer */
    const int16_t *cosine;
    const int16_t *sine;
    const uint16_t *log2;
    const uint16_t *first_bin;
    const uint16_t *bin_count;
    const uint16_t *weights;
    uint16_t samples;          /* of a window, at most 8192 and at least those of a row */
    uint16_t size;             /* rows and columns, 4 .. 128; of a series rows alone, up to samples */
    uint16_t averaged;         /* samples whose mean is a row of a series; 0 for an image */
    uint8_t axes;              /* 1 .. 16 */
    uint8_t centered;          /* whether each axis loses its mean */
    uint8_t own_scale;         /* 0: fixed range; 1: by what is in the window */
    uint8_t log2_fft;          /* 0: samples as they are */
    uint8_t steps_per_octave;  /* of a spectrum */
} ts_window_layer;

/* Bytes of scratch of ts_window, to be aligned to 8: none for samples; of a spectrum fft / 2 bins, size * size levels
 * and a frame. */
size_t ts_window_scratch_bytes(const ts_window_layer *layer);

/* Image [size][size][axes], or series [size][axes], of a window [samples][axes]. No overlaps. */
void ts_window(const ts_window_layer *layer, const int16_t *samples, int8_t *image, void *scratch);

#endif
