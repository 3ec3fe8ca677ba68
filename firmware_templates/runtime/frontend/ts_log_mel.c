/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_log_mel.h"

enum {
    POWER_SHIFT = 12,
    LOG2_FRACTION_BITS = 10,
    LOG2_INDEX_BITS = 8
};

/* v * 2^15, turned by -angle, rounded to nearest: (re cos + im sin, im cos - re sin). Products need 64 bits: |re|, |im|
 * <= 2^30, so that sums of two such numbers still fit 32. */
static inline int32_t turned_re(int32_t re, int32_t im, int16_t cosine, int16_t sine)
{
    return (int32_t)(((int64_t)re * cosine + (int64_t)im * sine + (1 << 14)) >> 15);
}

static inline int32_t turned_im(int32_t re, int32_t im, int16_t cosine, int16_t sine)
{
    return (int32_t)(((int64_t)im * cosine - (int64_t)re * sine + (1 << 14)) >> 15);
}

static inline int32_t windowed(const ts_log_mel_layer *layer, const int16_t *samples, uint32_t place)
{
    const uint32_t length = UINT32_C(1) << layer->log2_fft;
    const uint32_t mirrored = place <= length / 2 ? place : length - place;
    const int32_t shift = layer->log2_fft - 1;
    return ((int32_t)samples[place] * layer->window[mirrored] + (INT32_C(1) << (shift - 1))) >> shift;
}

/* Even samples as real and odd samples as imaginary parts, in bit-reversed order. */
static void load(const ts_log_mel_layer *layer, const int16_t *samples, ts_log_mel_bin *z)
{
    const uint32_t points = UINT32_C(1) << (layer->log2_fft - 1);
    uint32_t reversed = 0;
    for (uint32_t place = 0; place < points; ++place) {
        uint32_t carry = points >> 1;
        z[reversed].value.re = windowed(layer, samples, 2 * place);
        z[reversed].value.im = windowed(layer, samples, 2 * place + 1);
        while (carry != 0 && (reversed & carry) != 0) {
            reversed ^= carry;
            carry >>= 1;
        }
        reversed |= carry;
    }
}

/* Complex FFT in place, radix 2, decimation in time. No scaling: the inputs leave room for the largest sum. */
static void transform(const ts_log_mel_layer *layer, ts_log_mel_bin *z)
{
    const uint32_t points = UINT32_C(1) << (layer->log2_fft - 1);
    for (uint32_t half = 1; half < points; half *= 2) {
        const uint32_t step = points / half;
        for (uint32_t k = 0; k < half; ++k) {
            const int16_t cosine = layer->cosine[k * step], sine = layer->sine[k * step];
            for (ts_log_mel_bin *high = z + k; high < z + points; high += 2 * half) {
                ts_log_mel_bin *const low = high + half;
                int32_t re = low->value.re, im = low->value.im;
                if (half > 1) {
                    const int32_t before = re;
                    re = turned_re(before, im, cosine, sine);
                    im = turned_im(before, im, cosine, sine);
                }
                low->value.re = high->value.re - re;
                low->value.im = high->value.im - im;
                high->value.re += re;
                high->value.im += im;
            }
        }
    }
}

static inline uint64_t power_of(int64_t re, int64_t im)
{
    re = (re + (1 << 15)) >> 16;
    im = (im + (1 << 15)) >> 16;
    return ((uint64_t)(re * re) + (uint64_t)(im * im)) >> POWER_SHIFT;
}

/* From the FFT of the packed samples to the powers of bins 1 .. points - 1 of the real ones, in place. Bins k and
 * points - k come from the same two numbers. */
static void to_power(const ts_log_mel_layer *layer, ts_log_mel_bin *z)
{
    const uint32_t points = UINT32_C(1) << (layer->log2_fft - 1);
    z[0].power = 0;
    for (uint32_t k = 1; k <= points / 2; ++k) {
        const uint32_t m = points - k;
        const int32_t even_re = z[k].value.re + z[m].value.re, odd_im = z[k].value.re - z[m].value.re;
        const int32_t even_im = z[k].value.im - z[m].value.im, odd_re = z[k].value.im + z[m].value.im;
        const int16_t cos_k = layer->cosine[k], sin_k = layer->sine[k], cos_m = layer->cosine[m], sin_m = layer->sine[m];
        z[k].power = power_of((int64_t)even_re * 32768 + (int64_t)odd_re * cos_k - (int64_t)odd_im * sin_k,
                              (int64_t)even_im * 32768 - (int64_t)odd_im * cos_k - (int64_t)odd_re * sin_k);
        if (m != k) {
            z[m].power = power_of((int64_t)even_re * 32768 + (int64_t)odd_re * cos_m + (int64_t)odd_im * sin_m,
                                  -(int64_t)even_im * 32768 + (int64_t)odd_im * cos_m - (int64_t)odd_re * sin_m);
        }
    }
}

/* log2 in Q10 of a value >= 256. */
static uint16_t log2_fixed(const uint16_t *table, uint64_t value)
{
    uint32_t exponent = 0;
    uint32_t top = (uint32_t)(value >> 32);
    if (top != 0) {
        exponent = 32;
    } else {
        top = (uint32_t)value;
    }
    for (uint32_t step = 16; step > 0; step /= 2) {
        if (top >> step != 0) {
            top >>= step;
            exponent += step;
        }
    }
    return (uint16_t)((exponent << LOG2_FRACTION_BITS) +
                      table[(uint32_t)(value >> (exponent - LOG2_INDEX_BITS)) & ((1U << LOG2_INDEX_BITS) - 1)]);
}

static int8_t steps_of(const ts_log_mel_layer *layer, int32_t level)
{
    const int32_t steps = (level * layer->steps_per_octave + (1 << (LOG2_FRACTION_BITS - 1))) >> LOG2_FRACTION_BITS;
    return (int8_t)(steps < -128 ? -128 : steps > 127 ? 127 : steps);
}

/* Rounded mean of count levels that lie stride apart. */
static int32_t mean_of(const uint16_t *levels, uint32_t count, uint32_t stride)
{
    uint32_t sum = count / 2; /* 256 * 256 levels below 2^16 - 2^8 fit */
    for (uint32_t index = 0; index < count; ++index) {
        sum += levels[index * stride];
    }
    return (int32_t)(sum / count);
}

size_t ts_log_mel_scratch_bytes(const ts_log_mel_layer *layer)
{
    return ((size_t)1 << (layer->log2_fft - 1)) * sizeof(ts_log_mel_bin) +
           (size_t)layer->frames * layer->size * sizeof(uint16_t);
}

uint32_t ts_log_mel_frame_start(const ts_log_mel_layer *layer, uint16_t frame)
{
    return frame * (layer->clip_samples - (UINT32_C(1) << layer->log2_fft)) / (layer->frames - 1U);
}

void ts_log_mel_frame(const ts_log_mel_layer *layer, const int16_t *samples, ts_log_mel_bin *spectrum, uint16_t *levels)
{
    const uint16_t *weight = layer->weights;
    const uint64_t floor = UINT64_C(1) << (27 - layer->log2_fft);
    load(layer, samples, spectrum);
    transform(layer, spectrum);
    to_power(layer, spectrum);
    for (uint32_t band = 0; band < layer->size; ++band) {
        const ts_log_mel_bin *bin = spectrum + layer->first_bin[band], *const end = bin + layer->bin_count[band];
        uint64_t sum = floor;
        for (; bin < end; ++bin) {
            sum += bin->power * *weight++;
        }
        levels[band] = log2_fixed(layer->log2, sum);
    }
}

void ts_log_mel_finish(const ts_log_mel_layer *layer, const uint16_t *levels, int8_t *image)
{
    const uint32_t size = layer->size, frames = layer->frames;
    const int32_t clip_mean = layer->normalize_bands ? 0 : mean_of(levels, frames * size, 1);
    for (uint32_t band = 0; band < size; ++band) {
        const int32_t mean = layer->normalize_bands ? mean_of(levels + band, frames, size) : clip_mean;
        for (uint32_t frame = 0; frame < frames; ++frame) {
            const uint32_t place = frame * size + band;
            const int8_t value = steps_of(layer, (int32_t)levels[place] - mean);
            for (uint32_t channel = 0; channel < layer->channels; ++channel) {
                image[place * layer->channels + channel] = value;
            }
        }
    }
}

void ts_log_mel(const ts_log_mel_layer *layer, const int16_t *clip, int8_t *image, void *scratch)
{
    ts_log_mel_bin *const spectrum = scratch;
    uint16_t *const levels = (uint16_t *)(spectrum + (UINT32_C(1) << (layer->log2_fft - 1)));
    for (uint16_t frame = 0; frame < layer->frames; ++frame) {
        ts_log_mel_frame(layer, clip + ts_log_mel_frame_start(layer, frame), spectrum, levels + frame * layer->size);
    }
    ts_log_mel_finish(layer, levels, image);
}
