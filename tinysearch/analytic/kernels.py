"""Calls of kernels: steps, and parts of steps, with what each asks of a board; those that are alike are one object.

Networks of a space have most of their calls in common: what is found of one is remembered for all. What each asks is
told by the operators' records (:mod:`tinysearch.operators`), beside the constants that are packed and the arithmetic
that is computed; tests hold them to the scratch-size functions of ``firmware_templates/runtime``.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import NamedTuple

from tinysearch.analytic.features import arithmetic_of, step_features
from tinysearch.core.bands import Kind, alone, schedule, split
from tinysearch.core.network import INPUT
from tinysearch.core.program import Element, Program, Step
from tinysearch.operators import record_of
from tinysearch.operators.record import KernelFootprint

_REMEMBERED, _PROGRAMS = 1 << 16, 1 << 14
"""So many different calls, and programs of which each step's call is known, are kept; with more all are forgotten."""


class Call:
    """One call of a kernel. Compared by identity: :func:`call_of` has one for all that are alike.

    Args:
        program: whose tensors the step sees.

    Attributes:
        program: of this step alone.
        step: as in that program.
        footprint: of the portable kernel.
        output_bytes: of the tensor that it writes.

    Raises:
        UnsupportedLayerError: no kernel computes this step.
    """

    def __init__(self, program: Program, step: Step) -> None:
        tensors = {name: program.tensors[name] for name in (*step.inputs, step.output)}
        self.program = Program(network=program.network, precision=program.precision, tensors=tensors, steps=(step,))
        self.step = step
        self._record = record_of(step)
        self.footprint: KernelFootprint = self._record.footprint(self.program, step)
        self.output_bytes = tensors[step.output].size_bytes
        self._parts: dict[tuple[int, tuple[int, ...]], Call] = {}

    @cached_property
    def entry(self) -> tuple[str, str]:
        """What entry of a latency table describes it on the portable kernels: arithmetic and kernel class."""
        return arithmetic_of(self.program, self.step), self._record.kernel_class(self.program, self.step)

    @cached_property
    def features(self) -> Mapping[str, float]:
        """Those of :data:`~tinysearch.analytic.features.FEATURES` that are not 0."""
        return {name: value for name, value in step_features(self.program, self.step).items() if value}

    @cached_property
    def halves(self) -> tuple[Call, Call]:
        """The upper and the lower half of the rows, one and the same where they differ in their place alone."""
        upper, lower = (call_of(part.program, part.step) for part in split(self.program, self.step))
        return upper, lower

    def part(self, kind: Kind) -> Call:
        """Some of the rows, as bands compute them."""
        key = kind.cut, kind.rows
        if key not in self._parts:
            self._parts[key] = call_of(*alone(self.program, self.step, kind))
        return self._parts[key]


class _Calls(NamedTuple):
    """Calls of whole steps, and what they were found for."""

    program: Program
    calls: tuple[Call, ...]


_known: dict[object, Call] = {}
_of_steps: dict[int, _Calls] = {}


def call_of(program: Program, step: Step) -> Call:
    """The call of a whole step.

    Alike are those of one precision that differ in names at most: of names, records know that of a network's input
    alone.

    Raises:
        UnsupportedLayerError: no kernel computes this step.
    """
    key: list[object] = [
        program.precision,
        *(record_of(step), step.kernel, step.stride, step.padding, step.pool, step.cut, step.flat, step.function),
        *(step.relu, step.weight_bits, step.activation_bits, step.macs),
    ]
    for name in (*step.inputs, step.output):
        tensor = program.tensors[name]
        shape = tensor.shape
        key += (shape.height, shape.width, shape.channels, tensor.bits)
        key += (tensor.element is Element.FLOAT32, name == INPUT)
    alike = tuple(key)
    found = _known.get(alike)
    if found is None:
        if len(_known) >= _REMEMBERED:
            _known.clear()
        found = _known[alike] = Call(program, step)
    return found


def step_calls(program: Program) -> tuple[Call, ...]:
    """Calls of all steps as a whole, found once for all ways to execute them.

    Raises:
        UnsupportedLayerError: no kernel computes one of them.
    """
    found = _of_steps.get(id(program.steps))  # not taken by others as long as the entry holds the steps
    if found is None or found.program.tensors is not program.tensors:
        if len(_of_steps) >= _PROGRAMS:
            _of_steps.clear()
        found = _Calls(program, tuple(call_of(program, step) for step in program.steps))
        _of_steps[id(program.steps)] = found
    return found.calls


def single_calls(program: Program) -> list[tuple[str, Call, int]]:
    """Calls that one core makes one after the other, each with how many differ from it in nothing but their place.

    Returns:
        The name of the step, the call, and how many there are.
    """
    steps, calls = program.steps, step_calls(program)
    apart = {index for bands in program.bands for index in bands.steps} | {*program.shared}
    found = [(steps[index].name, call, 1) for index, call in enumerate(calls) if index not in apart]
    for bands in program.bands:
        for kind, (_, count) in schedule(program, bands).walk.kinds.items():
            index = bands.first + kind.step
            found.append((steps[index].name, calls[index].part(kind), count))
    return found


def halves(program: Program) -> list[tuple[Call, Call]]:
    """Of every step that two cores share, the calls of its halves."""
    calls = step_calls(program)
    return [calls[index].halves for index in program.shared]


def every_call(program: Program) -> list[tuple[str, Call, int]]:
    """Calls of one core, then of two, as :func:`single_calls` has them."""
    names = (program.steps[index].name for index in program.shared)
    shared = zip(names, halves(program), strict=True)
    return single_calls(program) + [(name, half, 1) for name, pair in shared for half in pair]


def footprint(program: Program, step: Step) -> KernelFootprint:
    """Footprint of one step on its portable kernel.

    Raises:
        UnsupportedLayerError: no kernel computes this step.
    """
    return call_of(program, step).footprint
