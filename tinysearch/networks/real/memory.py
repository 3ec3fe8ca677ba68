"""LSTM over one sequence, from zero at its start: ONNX's gates as TensorFlow Lite has them, and in floats."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from tinysearch.networks.graph import ABSENT, Node
from tinysearch.networks.operators.kind import Unfit, given, require
from tinysearch.networks.operators.lstm import BIASES, NAME, RECURRENT, WEIGHTS
from tinysearch.networks.operators.moving import bounds_of
from tinysearch.networks.options import LstmOptions, StridedSliceOptions
from tinysearch.networks.real.builder import Value
from tinysearch.networks.real.nodes import Array
from tinysearch.networks.real.step import AGAIN, Operand, Step

INPUTS = 24
"""Of the operator; most are absent."""

_GATES = "ifco"
"""TensorFlow Lite's order: input, forget, cell, output."""

_PLAIN = "use an LSTM with its default functions"


def _lstm(step: Step) -> list[Operand]:
    """Values of all steps, and the last ones; with ``gates`` the order of rows, which is ONNX's where none is given."""
    build, units = step.build, step.integer("hidden_size", 0)
    require(step.text("direction", "forward") == "forward", "has other directions than forward", "use one direction")
    require(not step.integer("layout", 0), "has the batch first", "export it with layout 0")
    require("activations" not in step.node.attributes or _default(step), "has functions of its own", _PLAIN)
    require(not step.integer("input_forget", 0) and step.operand(7) is None, "couples gates or has peepholes", _PLAIN)
    require(len(step.node.outputs) < 3 or not step.node.outputs[2], "gives its cell", "use the values that it shows")
    for position in (5, 6):
        state = step.operand(position)
        if state is not None and (isinstance(state, Value) or np.asarray(state.values).any()):
            raise Unfit("has a state from outside", "let it start at zero")
    value = step.value()
    steps, batch, inputs = build.shape(value)
    require(batch == 1, f"has a batch of {batch}", "use a batch of 1")
    weights, recurrent = step.reals(1, "weights"), step.reals(2, "weights")
    require(
        weights.shape == (1, 4 * units, inputs) and recurrent.shape == (1, 4 * units, units), "has odd weights", AGAIN
    )
    bias = np.zeros(8 * units) if step.operand(3) is None else step.reals(3, "biases").reshape(-1)
    require(bias.size == 8 * units, f"has {bias.size} biases for {units} units", AGAIN)
    both = bias[: 4 * units] + bias[4 * units :]
    order = step.text("gates", "iofc")
    nodes = [ABSENT] * INPUTS
    nodes[0] = build.ordered(value, (1, 0, 2), step.name)
    for positions, rows in ((WEIGHTS, weights[0]), (RECURRENT, recurrent[0]), (BIASES, both)):
        parts = dict(zip(order, np.split(rows, len(order)), strict=True))
        for position, gate in zip(positions, _GATES, strict=True):
            nodes[position] = build.constant(parts[gate].astype(np.float32), f"{step.name} {gate} {position}")
    require(step.real("clip", 0.0) == 0.0, "clips its gates", _PLAIN)
    whole = build.emit_pair(NAME, nodes, (1, steps, units), step.name, LstmOptions(tanh=True, cell_clip=0.0))
    every = Value(tensor=build.reshaped(whole, (steps, 1, 1, units), step.name), order=(0, 1, 2, 3))
    last = _row(step, whole, steps, units)
    return [every, Value(tensor=build.reshaped(last, (1, 1, units), step.name), order=(0, 1, 2))]


def _default(step: Step) -> bool:
    found = step.node.attributes["activations"]
    return isinstance(found, tuple) and [str(name).lower() for name in found] == ["sigmoid", "tanh", "tanh"]


def _row(step: Step, tensor: int, steps: int, units: int) -> int:
    """The last step's values."""
    build = step.build
    sides, rows = bounds_of((1, steps, units), (slice(None), slice(steps - 1, steps), slice(None)))
    bounds = [build.constant(row, f"{step.name} bounds") for row in rows]
    return build.emit("STRIDED_SLICE", (tensor, *bounds), sides, f"{step.name} last", StridedSliceOptions())


def run_lstm(node: Node, values: Sequence[Array | None]) -> tuple[Array, Array]:
    """Values [N, 1, T, units] of float32 samples [N, 1, T, inputs], and the cells behind them."""
    options = node.options
    if not isinstance(options, LstmOptions):
        raise TypeError(f"{node.name} has no options of an LSTM")
    source = given(values)
    weights, recurrent, bias = (
        np.concatenate([given(values, position)[0] for position in positions])
        for positions in (WEIGHTS, RECURRENT, BIASES)
    )
    rows = source.reshape(len(source), -1, source.shape[-1])
    hidden = cell = np.zeros((len(rows), recurrent.shape[1]), np.float32)
    shown, inside = [], []
    for number in range(rows.shape[1]):
        gates = np.split(rows[:, number] @ weights.T + hidden @ recurrent.T + bias, 4, axis=1)
        add, keep, show = (1 / (1 + np.exp(-gates[gate])) for gate in (0, 1, 3))
        cell = keep * cell + add * np.tanh(gates[2])
        if options.cell_clip > 0:
            cell = np.clip(cell, -options.cell_clip, options.cell_clip)
        hidden = show * np.tanh(cell)
        shown.append(hidden)
        inside.append(cell)
    shape = (*source.shape[:-1], recurrent.shape[1])
    return np.stack(shown, 1).reshape(shape), np.stack(inside, 1).reshape(shape)


def cell_scale(most: float) -> float:
    """The power of 2 by which 16 bits hold a cell."""
    return float(2.0 ** min(max(math.ceil(math.log2(max(most, 1e-6) / ((1 << 15) - 1))), -15), -4))


MEMORY: Mapping[str, Callable[[Step], list[Operand]]] = {"LSTM": _lstm}
