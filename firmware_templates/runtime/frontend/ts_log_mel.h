/* SPDX-License-Identifier: Apache-2.0 */
/* Speech to network input: a spectrogram in int8. The same bytes as tinysearch/data/log_mel.py, which defines it.
 *
 * Either the whole clip at once (ts_log_mel), or frame by frame while the microphone runs, which needs no more of the
 * clip than one frame: ts_log_mel_frame for frame 0 .. frames - 1 as soon as its samples are there, then ts_log_mel_finish.
 * Nothing here knows about time or allocates; all tables are constant data made by the generator.
 */
#ifndef TS_LOG_MEL_H
#define TS_LOG_MEL_H

#include <stddef.h>
#include <stdint.h>

#define TS_LOG_MEL_RATE_HZ 16000

/* fft = 1 << log2_fft samples make a frame, 512 .. 2048. */
typedef struct {
    const int16_t *window;     /* [fft / 2 + 1], first half of the window, Q15 */
    const int16_t *cosine;     /* [fft / 2], of 2 pi k / fft, Q15 */
    const int16_t *sine;       /* [fft / 2] */
    const uint16_t *first_bin; /* [size], first bin under each band's triangle, at least 1 */
    const uint16_t *bin_count; /* [size], first_bin + bin_count <= fft / 2 */
    const uint16_t *weights;   /* [sum of bin_count], Q12, at most 1 << 12 */
    const uint16_t *log2;      /* [256], log2(1 + (i + 1/2) / 256), Q10 */
    uint32_t clip_samples;     /* at least fft */
    uint16_t size;             /* bands, 8 .. 256 */
    uint16_t frames;           /* 8 .. 256 */
    uint8_t channels;          /* of the image, all equal */
    uint8_t log2_fft;
    uint8_t steps_per_octave;
    uint8_t normalize_bands; /* 0: subtract the mean of the clip; 1: of each band */
} ts_log_mel_layer;

/* One bin of a spectrum: first a complex number, then its power. */
typedef union {
    struct {
        int32_t re, im;
    } value;
    uint64_t power;
} ts_log_mel_bin;

/* Bytes of scratch of ts_log_mel, to be aligned to 8: fft / 2 bins and frames * size levels. */
size_t ts_log_mel_scratch_bytes(const ts_log_mel_layer *layer);

/* Where frame 0 .. frames - 1 starts in the clip; it ends layer's fft samples later. */
uint32_t ts_log_mel_frame_start(const ts_log_mel_layer *layer, uint16_t frame);

/* Levels [size] (log2 of power, Q10) of one frame of fft samples; spectrum [fft / 2] is scratch. No overlaps. */
void ts_log_mel_frame(const ts_log_mel_layer *layer, const int16_t *samples, ts_log_mel_bin *spectrum, uint16_t *levels);

/* Image [frames][size][channels] from the levels [frames][size] of all frames. No overlap. */
void ts_log_mel_finish(const ts_log_mel_layer *layer, const uint16_t *levels, int8_t *image);

/* Image [frames][size][channels] (time, band) of a clip [clip_samples] of 16 kHz mono. No overlaps. */
void ts_log_mel(const ts_log_mel_layer *layer, const int16_t *clip, int8_t *image, void *scratch);

#endif
