"""Bands: the first steps of a program a few rows at a time, so that no whole map of theirs is ever in memory.

A band of steps has one tensor that it reads as a whole, its source, and one that it leaves, its result. In every turn
each step computes the rows that the result's next rows want; rows that the next turn wants again are moved to the front
of their buffer, and none is computed twice. Rows of the result may come to lie on rows of the source that nobody reads
any more. What comes out is what whole maps give, bit for bit.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial

from tinysearch.core.program import Bands, Program, Step, Tensor
from tinysearch.core.turns import Rows, RowStep, Shift, Turn, Turns

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
    calls: tuple[Shift[str] | Part, ...]
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
    parts = _Parts(program, bands)
    result = parts.steps[-1].output
    steps = [RowStep(inputs=step.inputs, output=step.output, span=partial(_span, step)) for step in parts.steps]
    found = Turns(steps, heights=parts.height, source=source, rows=bands.rows)
    actions = [action for turn in found.turns for action in turn.actions]
    calls = tuple(parts.part(action) if isinstance(action, Rows) else action for action in actions)
    return Schedule(
        bands=bands,
        source=source,
        result=result,
        rows=found.rows,
        kept=frozenset(found.kept),
        overlays=_overlays(program, found.turns, source, result),
        calls=calls,
        kinds=tuple(parts.kinds.values()),
    )


@lru_cache(maxsize=4096)
def halves(program: Program, index: int) -> tuple[Part, Part]:
    """A shared step as two parts that may be computed at once: the upper rows of its output, and the lower ones."""
    step = program.steps[index]
    height = program.tensors[step.output].shape.height
    middle = (height + 1) // 2
    parts = _Parts(program, Bands(first=index, last=index, rows=height))
    upper, lower = (_apart(step, first, end) for first, end in ((0, middle), (middle, height)))
    return parts.part(upper), parts.part(lower)


def _apart(step: Step, first: int, end: int) -> Rows:
    """Rows of a step alone, whose inputs and output lie in memory as a whole."""
    top = max(_span(step, first, end)[0], 0)
    return Rows(step=0, first=first, end=end, reads=(top,) * len(step.inputs), writes=first)


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


class _Parts:
    """Parts of the steps of a band; those that differ in nothing but their place share a program."""

    def __init__(self, program: Program, bands: Bands) -> None:
        self.program = program
        self.steps = program.steps[bands.first : bands.last + 1]
        self.height = {name: tensor.shape.height for name, tensor in program.tensors.items()}
        self.kinds: dict[tuple[str, int, tuple[int, ...]], Part] = {}

    def part(self, rows: Rows) -> Part:
        """Some rows of a step's output."""
        step, first, end = self.steps[rows.step], rows.first, rows.end
        low, high = _span(step, first, end)
        top, cut = max(low, 0), step.padding - max(-low, 0)
        sizes = (*(min(high, self.height[name]) - top for name in step.inputs), end - first)
        kind = step.output, cut, sizes
        if kind not in self.kinds:
            part = replace(step, macs=step.macs // self.height[step.output] * (end - first), cut=cut)
            alone = self._alone(part, sizes)
            self.kinds[kind] = Part(program=alone, step=part, reads=rows.reads, writes=rows.writes)
        alike = self.kinds[kind]
        return Part(program=alike.program, step=alike.step, reads=rows.reads, writes=rows.writes)

    def _alone(self, part: Step, rows: tuple[int, ...]) -> Program:
        """The program of a part alone."""
        whole = self.program
        places = zip((*part.inputs, part.output), rows, strict=True)
        tensors = {name: _rows_of(whole.tensors[name], count) for name, count in places}
        return Program(network=whole.network, precision=whole.precision, tensors=tensors, steps=(part,))


def _overlays(program: Program, turns: Sequence[Turn[str]], source: str, result: str) -> bool:
    """Whether all rows of a result but its last ones are written behind all that is still to be read."""
    out, read = (program.tensors[name].shape for name in (result, source))
    return all(
        turn.written * out.width * out.channels <= turn.unread * read.width * read.channels for turn in turns[:-1]
    )


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
