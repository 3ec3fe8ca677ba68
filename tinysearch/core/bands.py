"""Bands: the first steps of a program a few rows at a time, so that no whole map of theirs is ever in memory.

A band of steps has one tensor that it reads as a whole, its source, and one that it leaves, its result. In every turn
each step computes the rows that the result's next rows want; rows that the next turn wants again are moved to the front
of their buffer, and none is computed twice. Rows of the result may come to lie on rows of the source that nobody reads
any more. What comes out is what whole maps give, bit for bit.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from tinysearch.core.program import Bands, Program, Step, Tensor

_TO = "_to_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One call of a kernel on some rows.

    Attributes:
        program: of this step alone, with tensors of these rows: records, packing and features see no difference.
        step: as in that program.
        reads: by input, the row of its buffer at which these rows begin.
        writes: the same of the output.
    """

    program: Program
    step: Step
    reads: tuple[int, ...]
    writes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Rows of a buffer, from ``first`` on, that go to its front."""

    tensor: str
    first: int
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Schedule:
    """What a band does, turn by turn.

    Attributes:
        rows: that the buffer of each tensor between source and result holds.
        kept: those tensors that keep rows from turn to turn.
        overlays: whether the result may lie where the source begins.
        calls: moves and parts in order.
        kinds: one of all parts that differ in nothing but their place.
    """

    bands: Bands
    source: str
    result: str
    rows: Mapping[str, int]
    kept: frozenset[str]
    overlays: bool
    calls: tuple[Move | Part, ...]
    kinds: tuple[Part, ...]

    @property
    def parts(self) -> tuple[Part, ...]:
        """The calls of kernels."""
        return tuple(call for call in self.calls if isinstance(call, Part))


def band_name(steps: Sequence[str]) -> str:
    """What logs call a band: it is timed as a whole."""
    return f"{steps[0]}{_TO}{steps[-1]}"


def is_band(name: str, steps: Container[str]) -> bool:
    """Whether a log's name is that of a band of these steps."""
    first, to, last = name.partition(_TO)
    return bool(to) and first in steps and last in steps and name not in steps


def source_of(program: Program, first: int, last: int) -> str | None:
    """The one tensor that steps read from outside; None for several, or if more than their result is read later."""
    steps = program.steps[first : last + 1]
    inner = {step.output for step in steps}
    outside = {name for step in steps for name in step.inputs} - inner
    beyond = {name for step in program.steps[last + 1 :] for name in step.inputs} | {program.output.name}
    alone = (inner & beyond) <= {steps[-1].output} and len(outside) == 1
    return outside.pop() if alone else None


@lru_cache(maxsize=4096)
def schedule(program: Program, bands: Bands) -> Schedule:
    """What a band of a program does.

    Raises:
        ValueError: the steps read more than one tensor, or more than their result is read after them.
    """
    source = source_of(program, bands.first, bands.last)
    if source is None:
        raise ValueError(f"steps {bands.first} to {bands.last} are no band")
    return _Run(program, bands, source).schedule()


@lru_cache(maxsize=4096)
def halves(program: Program, index: int) -> tuple[Part, Part]:
    """A shared step as two parts that may be computed at once: the upper rows of its output, and the lower ones."""
    step = program.steps[index]
    height = program.tensors[step.output].shape.height
    middle = (height + 1) // 2
    run = _Run(program, Bands(first=index, last=index, rows=height), step.inputs[0])
    return run.part(step, 0, middle), run.part(step, middle, height)


def whole_steps(program: Program) -> list[Step]:
    """Steps that are in no band and not shared."""
    inside = {index for bands in program.bands for index in bands.steps} | {*program.shared}
    return [step for index, step in enumerate(program.steps) if index not in inside]


def shared_calls(program: Program) -> Iterator[tuple[Program, Step]]:
    """Calls of kernels that two cores may make at once, each with the program whose tensors it sees."""
    for index in program.shared:
        yield from ((part.program, part.step) for part in halves(program, index))


def single_calls(program: Program) -> Iterator[tuple[Program, Step]]:
    """All other calls, which one core makes one after the other."""
    yield from ((program, step) for step in whole_steps(program))
    for bands in program.bands:
        yield from ((part.program, part.step) for part in schedule(program, bands).parts)


def calls_of(program: Program) -> Iterator[tuple[Program, Step]]:
    """Every call of a kernel, with the program whose tensors it sees: the program itself but for parts of steps."""
    yield from single_calls(program)
    yield from shared_calls(program)


class _Run:
    """State of one schedule: by tensor how many rows are done, and which one is the first in its buffer."""

    def __init__(self, program: Program, bands: Bands, source: str) -> None:
        self.program, self.bands, self.source = program, bands, source
        self.steps = program.steps[bands.first : bands.last + 1]
        self.result = self.steps[-1].output
        self.height = {name: tensor.shape.height for name, tensor in program.tensors.items()}
        self.inner = [step.output for step in self.steps[:-1]]
        self.done = dict.fromkeys([*self.inner, self.result], 0)
        self.start = dict.fromkeys([*self.inner, self.result, source], 0)
        self.rows = dict.fromkeys(self.inner, 0)
        self.kept: set[str] = set()
        self.overlays = True
        self.calls: list[Move | Part] = []
        self.kinds: dict[tuple[str, int, tuple[int, ...]], Part] = {}

    def schedule(self) -> Schedule:
        while self.done[self.result] < self.height[self.result]:
            self._turn()
        return Schedule(
            bands=self.bands,
            source=self.source,
            result=self.result,
            rows=self.rows,
            kept=frozenset(self.kept),
            overlays=self.overlays,
            calls=tuple(self.calls),
            kinds=tuple(self.kinds.values()),
        )

    def _turn(self) -> None:
        wanted = self._wanted()
        for name in self.inner:
            self._keep(name)
            self.rows[name] = max(self.rows[name], wanted[name] - self.start[name])
        for step in self.steps:
            if wanted[step.output] > self.done[step.output]:
                self.calls.append(self.part(step, self.done[step.output], wanted[step.output]))
        self.done.update(wanted)
        result, source = self.program.tensors[self.result].shape, self.program.tensors[self.source].shape
        written = self.done[self.result] * result.width * result.channels
        unread = self._first_wanted(self.source) * source.width * source.channels
        self.overlays &= written <= unread or self.done[self.result] == self.height[self.result]

    def _wanted(self) -> dict[str, int]:
        """Rows of every output that must be done at the end of the turn."""
        wanted = dict(self.done)
        wanted[self.result] = min(self.done[self.result] + self.bands.rows, self.height[self.result])
        for step in reversed(self.steps):
            _, end = _span(step, 0, wanted[step.output])
            for name in step.inputs:
                if name != self.source:
                    wanted[name] = max(wanted[name], min(end, self.height[name]))
        return wanted

    def _first_wanted(self, name: str) -> int:
        """The first row of a tensor that steps still read."""
        readers = [step for step in self.steps if name in step.inputs]
        return min(max(_span(step, self.done[step.output], self.height[step.output])[0], 0) for step in readers)

    def _keep(self, name: str) -> None:
        """Move the rows that are still wanted to the front of their buffer."""
        first = min(self._first_wanted(name), self.done[name])
        left, ahead = self.done[name] - first, first - self.start[name]
        self.start[name] = first
        if left > 0:
            self.kept.add(name)
            if ahead > 0:
                self.calls.append(Move(tensor=name, first=ahead, rows=left))

    def part(self, step: Step, first: int, end: int) -> Part:
        """Rows ``first`` to ``end`` of a step's output, with the buffers as they are now."""
        low, high = _span(step, first, end)
        top, cut = max(low, 0), step.padding - max(-low, 0)
        rows = (*(min(high, self.height[name]) - top for name in step.inputs), end - first)
        reads, writes = tuple(top - self.start.get(name, 0) for name in step.inputs), first - self.start[step.output]
        kind = step.output, cut, rows
        if kind not in self.kinds:
            part = replace(step, macs=step.macs // self.height[step.output] * (end - first), cut=cut)
            self.kinds[kind] = Part(program=self._alone(part, rows), step=part, reads=reads, writes=writes)
        alike = self.kinds[kind]
        return Part(program=alike.program, step=alike.step, reads=reads, writes=writes)

    def _alone(self, part: Step, rows: tuple[int, ...]) -> Program:
        """The program of a part alone."""
        whole = self.program
        places = zip((*part.inputs, part.output), rows, strict=True)
        tensors = {name: _rows_of(whole.tensors[name], count) for name, count in places}
        return Program(network=whole.network, precision=whole.precision, tensors=tensors, steps=(part,))


@lru_cache(maxsize=1 << 14)
def _rows_of(tensor: Tensor, count: int) -> Tensor:
    """So many rows of a tensor: parts of many programs have the same."""
    return replace(tensor, shape=replace(tensor.shape, height=count))


def _span(step: Step, first: int, end: int) -> tuple[int, int]:
    """First row that some rows of a step's output read, and the one behind the last; they may lie beside the map."""
    return (
        first * step.pool * step.stride - step.padding,
        (end * step.pool - 1) * step.stride + step.kernel - step.padding,
    )
