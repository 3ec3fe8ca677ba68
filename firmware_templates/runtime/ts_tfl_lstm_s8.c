/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_tfl_lstm_s8.h"

#include "ts_multiply_eight.h"

enum { GATES = 4, CELL_GATE = 2, LAST = 255 };

static int32_t gate_values(const ts_tfl_lstm_s8_layer *layer)
{
    return (GATES * layer->units + OUTPUTS - 1) / OUTPUTS * OUTPUTS;
}

size_t ts_tfl_lstm_s8_scratch_bytes(const ts_tfl_lstm_s8_layer *layer)
{
    return (size_t)(2 * gate_values(layer) + 3 * layer->units);
}

static int32_t in_16_bits(int32_t x)
{
    return ts_clamp(x, INT16_MIN, INT16_MAX);
}

/* A place on the table, |x| * 3 for 12 fraction bits, and what is interpolated there with so many bits. */
static int32_t interpolated(const uint16_t *table, int32_t place, int32_t bits)
{
    const int32_t index = place >> bits;
    if (index >= LAST) {
        return -1;
    }
    return (int32_t)(((uint32_t)table[index] << bits) +
                     (uint32_t)(place & ((1 << bits) - 1)) * (uint32_t)(table[index + 1] - table[index]));
}

/* 15 fraction bits, of 12. */
static int32_t sigmoid(const uint16_t *table, int32_t x)
{
    const int32_t place = 3 * x, found = interpolated(table, place < 0 ? -place : place, 9);
    const int32_t result = found < 0 ? INT32_C(0x7FFF) << 10 : found;
    return (place >= 0 ? result + (1 << 9) : (1 << 25) - result + (1 << 9) - 1) >> 10;
}

/* Twice the sigmoid of twice x, less one: 15 fraction bits, for a place of three times 12. */
static int32_t tangent(const uint16_t *table, int32_t place)
{
    const int32_t found = interpolated(table, place < 0 ? -place : place, 8);
    const int32_t result = (found < 0 ? INT32_C(0xFFFF) << 8 : found) - (1 << 23);
    return (place >= 0 ? result + (1 << 7) : -result + (1 << 7) - 1) >> 8;
}

static int32_t cell_tangent(const ts_tfl_lstm_s8_layer *layer, int32_t cell)
{
    const int32_t shift = layer->cell_shift;
    return tangent(layer->sigmoid, shift >= 0 ? cell * (3 << shift) : (cell * 3 + (1 << (-shift - 1))) >> -shift);
}

static int32_t scaled(int32_t x, const ts_tfl_factor *by)
{
    return ts_tfl_scale(x, by->multiplier, by->shift);
}

static void gates_of(const ts_tfl_lstm_s8_layer *layer, const int8_t *input, const int8_t *hidden, int16_t *gates)
{
    const int8_t *weights = layer->input_weights, *recurrent = layer->hidden_weights;
    int32_t sums[OUTPUTS], others[OUTPUTS], gate = 0, left = layer->units;
    for (int32_t first = 0; first < GATES * layer->units; first += OUTPUTS) {
        multiply_eight(input, weights, layer->inputs, layer->input_bias + first, sums);
        multiply_eight(hidden, recurrent, layer->units, layer->hidden_bias + first, others);
        weights += layer->inputs * OUTPUTS;
        recurrent += layer->units * OUTPUTS;
        for (int32_t k = 0; k < OUTPUTS && gate < GATES; ++k) {
            const int32_t *const of_input = layer->input_factors + 2 * gate;
            const int32_t *const of_hidden = layer->hidden_factors + 2 * gate;
            const int32_t seen = in_16_bits(ts_tfl_scale(sums[k], of_input[0], of_input[1]));
            const int32_t kept = in_16_bits(ts_tfl_scale(others[k], of_hidden[0], of_hidden[1]));
            const int32_t sum = in_16_bits(seen + kept);
            gates[first + k] =
                (int16_t)(gate == CELL_GATE ? tangent(layer->sigmoid, 3 * sum) : sigmoid(layer->sigmoid, sum));
            if (--left == 0) {
                left = layer->units;
                ++gate;
            }
        }
    }
}

static void step(const ts_tfl_lstm_s8_layer *layer, const int16_t *gates, int16_t *cell, int8_t *output)
{
    const int32_t units = layer->units, clip = layer->cell_clip;
    for (int32_t unit = 0; unit < units; ++unit, ++gates) {
        const int32_t kept = in_16_bits(scaled(gates[units] * cell[unit], &layer->keep));
        const int32_t added = in_16_bits(scaled(gates[0] * gates[CELL_GATE * units], &layer->add));
        int32_t sum = in_16_bits(kept + added);
        if (clip > 0) {
            sum = ts_clamp(sum, -clip, clip);
        }
        cell[unit] = (int16_t)sum;
        output[unit] = (int8_t)ts_clamp(
            scaled(cell_tangent(layer, sum) * gates[3 * units], &layer->show) + layer->hidden_zero, INT8_MIN, INT8_MAX);
    }
}

void ts_tfl_lstm_s8(const ts_tfl_lstm_s8_layer *layer, const int8_t *input, int8_t *hidden, int16_t *cell,
                    int8_t *output, void *scratch)
{
    const int32_t units = layer->units;
    int16_t *const gates = scratch;
    const int8_t *before = hidden;
    if (hidden == NULL) {
        cell = gates + gate_values(layer);
        hidden = (int8_t *)(cell + units);
        before = hidden;
        for (int32_t unit = 0; unit < units; ++unit) {
            hidden[unit] = (int8_t)layer->hidden_zero;
            cell[unit] = 0;
        }
    }
    for (int32_t number = 0; number < layer->steps; ++number) {
        gates_of(layer, input, before, gates);
        step(layer, gates, cell, output);
        before = output;
        input += layer->inputs;
        output += units;
    }
    for (int32_t unit = 0; unit < units; ++unit) {
        hidden[unit] = before[unit];
    }
}
