/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_window.h"

#include "ts_log_mel.h"

enum {
    GAIN_BITS = 16,
    QUIETEST = 64,
    LOG2_FRACTION_BITS = 10
};

/* Rounded down, also below zero; divisor > 0. */
static int32_t floor_division(int32_t value, int32_t divisor)
{
    const int32_t quotient = value / divisor;
    return quotient - (value % divisor < 0);
}

static int8_t clamped(int64_t value)
{
    return (int8_t)(value < -128 ? -128 : value > 127 ? 127 : value);
}

static uint32_t row_samples(const ts_window_layer *layer)
{
    return layer->log2_fft != 0 ? UINT32_C(1) << layer->log2_fft : layer->size;
}

static uint32_t row_start(const ts_window_layer *layer, uint32_t row)
{
    return row * (layer->samples - row_samples(layer)) / (layer->size - 1U);
}

/* What one axis loses: its mean, or nothing. 8192 samples of 16 bits leave 32 bits room. */
static int32_t mean_of(const ts_window_layer *layer, const int16_t *samples)
{
    int32_t sum = layer->samples / 2;
    if (!layer->centered) {
        return 0;
    }
    for (uint32_t index = 0; index < layer->samples; ++index) {
        sum += samples[index * layer->axes];
    }
    return floor_division(sum, layer->samples);
}

/* Gain in Q16 that makes the largest deviation 127, or that of a window QUIETEST times quieter than the range. */
static int32_t own_gain(const ts_window_layer *layer, const int16_t *samples, int32_t mean, int32_t range)
{
    int32_t largest = range / QUIETEST > 1 ? range / QUIETEST : 1;
    for (uint32_t index = 0; index < layer->samples; ++index) {
        const int32_t value = samples[index * layer->axes] - mean;
        const int32_t deviation = value < 0 ? -value : value;
        largest = deviation > largest ? deviation : largest;
    }
    return (INT32_C(127) << GAIN_BITS) / largest;
}

static void image_of_samples(const ts_window_layer *layer, const int16_t *samples, int32_t mean, int32_t gain,
                             int8_t *image)
{
    for (uint32_t row = 0; row < layer->size; ++row) {
        const int16_t *sample = samples + row_start(layer, row) * layer->axes;
        for (uint32_t column = 0; column < layer->size; ++column, sample += layer->axes, image += layer->axes) {
            *image = clamped(((int64_t)(*sample - mean) * gain + (1 << (GAIN_BITS - 1))) >> GAIN_BITS);
        }
    }
}

static void series_of_samples(const ts_window_layer *layer, const int16_t *samples, int32_t mean, int32_t gain,
                              int8_t *series)
{
    for (uint32_t row = 0; row < layer->size; ++row, series += layer->axes) {
        int32_t sum = layer->averaged / 2;
        for (uint32_t index = 0; index < layer->averaged; ++index, samples += layer->axes) {
            sum += *samples;
        }
        const int32_t value = floor_division(sum, layer->averaged) - mean;
        *series = clamped(((int64_t)value * gain + (1 << (GAIN_BITS - 1))) >> GAIN_BITS);
    }
}

/* The part of the audio front-end that makes levels of a frame. */
static ts_log_mel_layer spectrum_layer(const ts_window_layer *layer)
{
    const ts_log_mel_layer spectrum = {
        .window = layer->window,
        .cosine = layer->cosine,
        .sine = layer->sine,
        .first_bin = layer->first_bin,
        .bin_count = layer->bin_count,
        .weights = layer->weights,
        .log2 = layer->log2,
        .size = layer->size,
        .log2_fft = layer->log2_fft,
    };
    return spectrum;
}

static int32_t mean_level(const uint16_t *levels, uint32_t count)
{
    uint32_t sum = count / 2; /* 128 * 128 levels of 16 bits fit */
    for (uint32_t index = 0; index < count; ++index) {
        sum += levels[index];
    }
    return (int32_t)(sum / count);
}

static void image_of_spectra(const ts_window_layer *layer, const int16_t *samples, int32_t mean, int32_t reference,
                             int8_t *image, void *scratch)
{
    const ts_log_mel_layer spectrum = spectrum_layer(layer);
    const uint32_t length = row_samples(layer), size = layer->size;
    ts_log_mel_bin *const bins = scratch;
    uint16_t *const levels = (uint16_t *)(bins + length / 2);
    int16_t *const frame = (int16_t *)(levels + size * size);
    for (uint32_t row = 0; row < size; ++row) {
        const int16_t *sample = samples + row_start(layer, row) * layer->axes;
        for (uint32_t index = 0; index < length; ++index, sample += layer->axes) {
            const int32_t value = *sample - mean;
            frame[index] = (int16_t)(value < INT16_MIN ? INT16_MIN : value > INT16_MAX ? INT16_MAX : value);
        }
        ts_log_mel_frame(&spectrum, frame, bins, levels + row * size);
    }
    const int32_t middle = layer->own_scale ? mean_level(levels, size * size) : reference;
    for (uint32_t place = 0; place < size * size; ++place) {
        const int32_t scaled = ((int32_t)levels[place] - middle) * layer->steps_per_octave;
        image[place * layer->axes] = clamped((scaled + (1 << (LOG2_FRACTION_BITS - 1))) >> LOG2_FRACTION_BITS);
    }
}

size_t ts_window_scratch_bytes(const ts_window_layer *layer)
{
    const size_t length = row_samples(layer), size = layer->size;
    if (layer->log2_fft == 0) {
        return 0;
    }
    return length / 2 * sizeof(ts_log_mel_bin) + size * size * sizeof(uint16_t) + length * sizeof(int16_t);
}

void ts_window(const ts_window_layer *layer, const int16_t *samples, int8_t *image, void *scratch)
{
    for (uint32_t axis = 0; axis < layer->axes; ++axis) {
        const int16_t *own = samples + axis;
        const int32_t mean = mean_of(layer, own);
        if (layer->log2_fft != 0) {
            image_of_spectra(layer, own, mean, layer->reference[axis], image + axis, scratch);
        } else {
            const int32_t gain =
                layer->own_scale ? own_gain(layer, own, mean, layer->range[axis]) : layer->gain[axis];
            if (layer->averaged != 0) {
                series_of_samples(layer, own, mean, gain, image + axis);
            } else {
                image_of_samples(layer, own, mean, gain, image + axis);
            }
        }
    }
}
