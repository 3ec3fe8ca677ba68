"""UNIDIRECTIONAL_SEQUENCE_LSTM: int8 in and out, gates and cell of 16 bits, one sequence at a time.

A file keeps hidden values and cell from run to run, as states of the graph; networks that were quantized here name none
and start every run at zero.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinysearch.core.quantization import Int64
from tinysearch.networks.arithmetic import quantize_multiplier, scaled
from tinysearch.networks.call import APART, Call
from tinysearch.networks.graph import ABSENT, Array, Element, Graph, Node, Tensor
from tinysearch.networks.operators.kind import (
    OperatorKind,
    Unfit,
    constant,
    given,
    int8,
    int8_tensor,
    offset,
    require,
    same_quantization,
    shape_is,
)
from tinysearch.networks.options import LstmOptions
from tinysearch.operators.counts import padded
from tinysearch.operators.products import interleave, product

NAME = "UNIDIRECTIONAL_SEQUENCE_LSTM"
HIDDEN, CELL = 18, 19
"""Positions of the states among the inputs."""

WEIGHTS, RECURRENT, BIASES = range(1, 5), range(5, 9), range(12, 16)
"""Positions of constants by gate: input, forget, cell, output."""

_VARIANTS = (*range(9, 12), 16, 17, *range(20, 24))
_GATES, _CELL_GATE = 4, 2
_TILE = 8
_GATE_SCALE, _SHARE_SCALE = 2.0**-12, 2.0**-15
_LEAST_16, _MOST_16 = -(1 << 15), (1 << 15) - 1
_INT32 = 1 << 31
_AGAIN = "convert the network again"

_Factor = tuple[int, int]


def _sigmoids() -> Int64:
    """Nodes of a sigmoid of i / 24 with 16 fraction bits, moved where chords between them lie nearest to it."""
    places = np.arange(-1, 257) / 24
    curve = 65536 / (1 + np.exp(-places))
    found = np.floor(curve[1:-1] - np.diff(curve, 2) / 16 + 0.5).astype(np.int64)
    found[-1] = 65535
    return found


SIGMOIDS = _sigmoids()
"""TensorFlow Lite's table for 16 bits: int64 [256]."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Side:
    """What gates make of inputs, or of hidden values: rows of all gates one behind the other."""

    weights: npt.NDArray[np.int8]
    bias: Int64
    factors: tuple[_Factor, ...]
    zero: int

    def sums(self, values: Array) -> Int64:
        """int8 [N, K] to gates [N, 4 * units] with 12 fraction bits."""
        wide = product(values, self.weights, self.zero).astype(np.int64) + self.bias
        parts = np.split(wide, _GATES, axis=-1)
        return np.concatenate(
            [_in_16_bits(scaled(part, *factor)) for part, factor in zip(parts, self.factors, strict=True)], axis=-1
        )

    def arrays(self, name: str) -> dict[str, Array]:
        """Constants of the kernel, which multiplies stored values."""
        folded = self.bias - self.zero * self.weights.astype(np.int64).sum(1)
        return {
            f"{name}_factors": np.array([(m, -shift) for m, shift in self.factors], np.int32).reshape(-1),
            f"{name}_weights": interleave(self.weights, _TILE),
            f"{name}_bias": np.pad(folded, (0, -len(folded) % _TILE)).astype(np.int32),
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Memory:
    """A node with its constants; ``show`` makes hidden values of an output gate and a tangent."""

    steps: int
    inputs: int
    units: int
    of_input: _Side
    of_hidden: _Side
    hidden_zero: int
    cell_shift: int
    cell_clip: int
    keep: _Factor
    add: _Factor
    show: _Factor


def _in_16_bits(values: Int64) -> Int64:
    return np.clip(values, _LEAST_16, _MOST_16)


def _side(graph: Graph, node: Node, positions: Sequence[int], source: Tensor, biases: Sequence[int] = ()) -> _Side:
    tensors = [graph.source(node, position) for position in positions]
    rows = [constant(tensor, Element.INT8, "weights") for tensor in tensors]
    scales = [_scale(tensor) for tensor in tensors]
    require(len({values.shape for values in rows}) == 1 and rows[0].ndim == 2, "has gates of different shapes", _AGAIN)
    weights = np.concatenate(rows).astype(np.int8)
    bias = np.zeros(len(weights), np.int64)
    if biases:
        bias = np.concatenate([constant(graph.source(node, position), Element.INT32, "biases") for position in biases])
    require(len(bias) == len(weights), f"has {len(bias)} biases for {len(weights)} rows", _AGAIN)
    factors = tuple(quantize_multiplier(source.quantized.scale * scale / _GATE_SCALE) for scale in scales)
    most = np.abs(weights.astype(np.int64)).sum(1) * 255 + np.abs(bias.astype(np.int64))
    left = max(0, *(shift for _, shift in factors))
    require(bool((most < _INT32 >> min(left, 31)).all()), "has sums of products that may leave 32 bits", "use less")
    return _Side(weights=weights, bias=bias.astype(np.int64), factors=factors, zero=offset(source))


def _scale(tensor: Tensor | None) -> float:
    found = None if tensor is None else tensor.quantization
    one = found is not None and len(found.scales) == 1 and found.zero_point == 0
    if found is None or not one:
        raise Unfit("has weights without one scale and a zero point of 0", "quantize it again")
    return found.scale


def _memory(graph: Graph, node: Node) -> _Memory:
    options = node.options
    if not isinstance(options, LstmOptions):
        raise TypeError(f"{node.name} has no options of an LSTM")
    require(options.tanh, "has a cell gate that is no hyperbolic tangent", "use tanh")
    require(math.isfinite(options.cell_clip), f"has the cell clip {options.cell_clip}", _AGAIN)
    plain = all(graph.source(node, position) is None for position in _VARIANTS)
    require(plain, "has peepholes, a projection or layer normalization", "use a plain LSTM")
    source, result = int8_tensor(graph.source(node, 0), "input"), int8_tensor(graph.result(node), "output")
    single = len(source.shape) == 3 and 1 in source.shape[:2]
    require(single, f"has an input of {list(source.shape)}", "use a batch of 1")
    scale = _cell_scale(graph, node, options)
    power = round(math.log2(scale))
    whole = math.isclose(scale, 2.0**power, rel_tol=1e-3) and -24 <= power <= 0
    require(whole, f"has the cell scale {scale:.4g}", "use a power of 2")
    of_input = _side(graph, node, WEIGHTS, source, BIASES)
    of_hidden = _side(graph, node, RECURRENT, result)
    units = result.shape[-1]
    shapes = of_input.weights.shape, of_hidden.weights.shape
    wanted = (_GATES * units, source.shape[2]), (_GATES * units, units)
    require(shapes == wanted, f"has weights {shapes} where {wanted} belong", _AGAIN)
    steps = source.shape[0] * source.shape[1]
    return _Memory(
        steps=steps,
        inputs=source.shape[2],
        units=units,
        of_input=of_input,
        of_hidden=of_hidden,
        hidden_zero=offset(result),
        cell_shift=12 + power,
        cell_clip=int(min(max(options.cell_clip / scale, 0.0), float(_MOST_16))),
        keep=quantize_multiplier(_SHARE_SCALE),
        add=quantize_multiplier(_SHARE_SCALE * _SHARE_SCALE / scale),
        show=quantize_multiplier(_SHARE_SCALE * _SHARE_SCALE / result.quantized.scale),
    )


def _cell_scale(graph: Graph, node: Node, options: LstmOptions) -> float:
    """Of the state, which a network that keeps none has in its options."""
    hidden, cell = graph.source(node, HIDDEN), graph.source(node, CELL)
    if hidden is None and cell is None:
        return options.cell_scale
    if cell is None or cell.element is not Element.INT16 or cell.quantization is None:
        raise Unfit("has a cell that is not int16 with a scale", "quantize the network to full int8")
    same_quantization(int8_tensor(hidden, "hidden state"), graph.result(node), "hidden state and output")
    return cell.quantization.scale


def _check(graph: Graph, node: Node) -> None:
    memory = _memory(graph, node)
    shape_is(graph.result(node), (*graph.tensors[node.inputs[0]].shape[:2], memory.units))
    for position in (HIDDEN, CELL):
        state = graph.source(node, position)
        require(state is None or state.elements == memory.units, "has a state of another size", _AGAIN)
    fine = max(memory.add[1], memory.show[1]) > 0
    require(not fine, "has an output scale far below a step of 15 bits", "quantize it again")


def _sigmoid(values: Int64) -> Int64:
    """12 fraction bits to 15."""
    found = _interpolated(3 * np.abs(values), 9, 0x7FFF << 10)
    return np.where(values >= 0, found + (1 << 9), (1 << 25) - found + (1 << 9) - 1) >> 10


def _tangent(places: Int64) -> Int64:
    """Three times 12 fraction bits to 15."""
    found = _interpolated(np.abs(places), 8, 0xFFFF << 8) - (1 << 23)
    return np.where(places >= 0, found + (1 << 7), -found + (1 << 7) - 1) >> 8


def _interpolated(places: Int64, bits: int, most: int) -> Int64:
    index = np.minimum(places >> bits, 254)
    left, right = SIGMOIDS[index], SIGMOIDS[index + 1]
    found = (left << bits) + (places & ((1 << bits) - 1)) * (right - left)
    return np.where(places >> bits >= 255, most, found)


def _run(graph: Graph, node: Node, values: Sequence[Array | None]) -> list[Array]:
    """The output, and behind it the states that the run leaves."""
    memory, source = _memory(graph, node), given(values)
    count, units = len(source), memory.units
    hidden, cell = values[HIDDEN:][:1], values[CELL:][:1]
    before: Array = np.full((count, units), memory.hidden_zero, np.int8)
    inside: Int64 = np.zeros((count, units), np.int64)
    kept = bool(hidden) and hidden[0] is not None
    if kept:
        before, inside = given(hidden).reshape(count, units), given(cell).reshape(count, units).astype(np.int64)
    rows, outputs = source.reshape(count, memory.steps, memory.inputs), []
    for number in range(memory.steps):
        sums = _in_16_bits(memory.of_input.sums(rows[:, number]) + memory.of_hidden.sums(before))
        parts = np.split(sums, _GATES, axis=-1)
        add, keep, new, show = (
            _tangent(3 * part) if gate == _CELL_GATE else _sigmoid(part) for gate, part in enumerate(parts)
        )
        left, right = scaled(keep * inside, *memory.keep), scaled(add * new, *memory.add)
        inside = _in_16_bits(_in_16_bits(left) + _in_16_bits(right))
        if memory.cell_clip > 0:
            inside = np.clip(inside, -memory.cell_clip, memory.cell_clip)
        bounded = _tangent(_places(inside, memory.cell_shift))
        before = int8(scaled(bounded * show, *memory.show) + memory.hidden_zero, -128, 127)
        outputs.append(before)
    found = np.stack(outputs, axis=1).reshape(count, *graph.result(node).shape)
    if not kept:
        return [found]
    states = [graph.tensors[node.inputs[position]] for position in (HIDDEN, CELL)]
    return [found, before.reshape(count, *states[0].shape), inside.astype(np.int16).reshape(count, *states[1].shape)]


def _places(cells: Int64, shift: int) -> Int64:
    """Three times a cell with 12 fraction bits."""
    return 3 * cells << shift if shift >= 0 else (3 * cells + (1 << (-shift - 1))) >> -shift


def _lower(graph: Graph, node: Node) -> tuple[Call, ...]:
    memory = _memory(graph, node)
    units, steps = memory.units, memory.steps
    rows = padded(_GATES * units, _TILE)
    macs = steps * _GATES * units * (memory.inputs + units)
    states = tuple(node.inputs[position] if position < len(node.inputs) else ABSENT for position in (HIDDEN, CELL))
    return (
        Call(
            name=node.name,
            operator=node.operator,
            function="ts_tfl_lstm_s8",
            inputs=(node.inputs[0], *states),
            output=node.outputs[0],
            fields={
                "steps": steps,
                "inputs": memory.inputs,
                "units": units,
                "hidden_zero": memory.hidden_zero,
                "cell_shift": memory.cell_shift,
                "cell_clip": memory.cell_clip,
                "keep": (memory.keep[0], -memory.keep[1]),
                "add": (memory.add[0], -memory.add[1]),
                "show": (memory.show[0], -memory.show[1]),
            },
            arrays={
                **memory.of_input.arrays("input"),
                **memory.of_hidden.arrays("hidden"),
                "sigmoid": SIGMOIDS.astype(np.uint16),
            },
            sharing=(APART, APART, APART),
            scratch_bytes=2 * rows + 3 * units,
            macs=macs,
            kernel_class="lstm",
            features={
                "macs": macs,
                "lane_macs": steps * rows * (memory.inputs + units),
                "sums": steps * rows,
                "outputs": steps * units,
                "steps": steps,
            },
        ),
    )


LSTM = OperatorKind(operator=NAME, check=_check, run=_run, lower=_lower, states=(HIDDEN, CELL))
