"""Bands: the first steps of a program a few rows at a time, so that no whole map of theirs is ever in memory.

A band of steps has one tensor that it reads as a whole, its source, and one that it leaves, its result. In every turn
each step computes the rows that the result's next rows want; rows that the next turn wants again are moved to the front
of their buffer, and none is computed twice. Rows of the result may come to lie on rows of the source that nobody reads
any more. What comes out is what whole maps give, bit for bit.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

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


class Window(NamedTuple):
    """What decides which rows a step reads for some rows of its output."""

    inputs: tuple[str, ...]
    output: str
    kernel: int
    stride: int
    padding: int
    pool: int

    def span(self, first: int, end: int) -> tuple[int, int]:
        """First row that some rows of the output read, and the one behind the last; they may lie beside the map."""
        return (
            first * self.pool * self.stride - self.padding,
            (end * self.pool - 1) * self.stride + self.kernel - self.padding,
        )


@dataclass(frozen=True, slots=True)
class Kind:
    """What parts of a step are alike in that differ in nothing but their place.

    Attributes:
        step: its number.
        cut: as in :class:`~tinysearch.core.steps.Step`.
        rows: of each input, then of the output.
    """

    step: int
    cut: int
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Walk:
    """The turns of a band in any network whose maps have these rows, whatever their channels.

    Attributes:
        calls: moves and rows in order, rows with their kind.
        kinds: in order of appearance, each with its first rows and how many there are of it.
    """

    turns: Turns[str]
    calls: tuple[Shift[str] | tuple[Kind, Rows], ...]
    kinds: Mapping[Kind, tuple[Rows, int]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Schedule:
    """What a band does, turn by turn.

    Attributes:
        rows: that the buffer of each tensor between source and result holds.
        kept: those tensors that keep rows from turn to turn.
        overlays: whether the result may lie where the source begins.
        walk: the same without a program.
    """

    program: Program
    bands: Bands
    source: str
    result: str
    rows: Mapping[str, int]
    kept: frozenset[str]
    overlays: bool
    walk: Walk

    @property
    def calls(self) -> tuple[Shift[str] | Part, ...]:
        """Moves and parts in order; parts that differ in nothing but their place have one program."""
        steps, alike = self.program.steps[self.bands.first :], dict[Kind, Part]()
        for kind, (rows, _) in self.walk.kinds.items():
            alike[kind] = _part(self.program, steps[kind.step], kind, rows)
        return tuple(
            call if isinstance(call, Shift) else replace(alike[call[0]], reads=call[1].reads, writes=call[1].writes)
            for call in self.walk.calls
        )

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
    steps = program.steps[bands.first : bands.last + 1]
    result = steps[-1].output
    heights = ((name, program.tensors[name].shape.height) for name in (source, *(step.output for step in steps)))
    walk = _walk(tuple(map(_window, steps)), tuple(heights), source, bands.rows)
    return Schedule(
        program=program,
        bands=bands,
        source=source,
        result=result,
        rows=walk.turns.rows,
        kept=frozenset(walk.turns.kept),
        overlays=_overlays(program, walk.turns.turns, source, result),
        walk=walk,
    )


@lru_cache(maxsize=1 << 14)
def _walk(windows: tuple[Window, ...], heights: tuple[tuple[str, int], ...], source: str, rows: int) -> Walk:
    """The turns of a band: the same for networks of all widths.

    Args:
        windows: of its steps.
        heights: of the maps of source and outputs, by name.
        rows: of the result in a turn.
    """
    height = dict(heights)
    steps = [RowStep(inputs=window.inputs, output=window.output, span=window.span) for window in windows]
    turns = Turns(steps, heights=height, source=source, rows=rows)
    calls: list[Shift[str] | tuple[Kind, Rows]] = []
    kinds: dict[Kind, tuple[Rows, int]] = {}
    for action in (action for turn in turns.turns for action in turn.actions):
        if isinstance(action, Shift):
            calls.append(action)
            continue
        kind = _kind(windows[action.step], height, action)
        first, count = kinds.get(kind, (action, 0))
        kinds[kind] = first, count + 1
        calls.append((kind, action))
    return Walk(turns=turns, calls=tuple(calls), kinds=kinds)


@lru_cache(maxsize=4096)
def halves(program: Program, index: int) -> tuple[Part, Part]:
    """A shared step as two parts that may be computed at once: the upper rows of its output, and the lower ones."""
    return split(program, program.steps[index])


def split(program: Program, step: Step) -> tuple[Part, Part]:
    """The halves of a step; where they differ in their place alone, their program is one."""
    window, height = _window(step), program.tensors[step.output].shape.height
    heights, middle = {name: program.tensors[name].shape.height for name in step.inputs}, (height + 1) // 2
    upper, lower = (_apart(window, first, end) for first, end in ((0, middle), (middle, height)))
    kinds = [_kind(window, heights, rows) for rows in (upper, lower)]
    part = _part(program, step, kinds[0], upper)
    if kinds[0] == kinds[1]:
        return part, replace(part, reads=lower.reads, writes=lower.writes)
    return part, _part(program, step, kinds[1], lower)


def _apart(window: Window, first: int, end: int) -> Rows:
    """Rows of a step alone, whose inputs and output lie in memory as a whole."""
    top = max(window.span(first, end)[0], 0)
    return Rows(step=0, first=first, end=end, reads=(top,) * len(window.inputs), writes=first)


def whole_steps(program: Program) -> list[Step]:
    """Steps that are in no band and not shared."""
    inside = {index for bands in program.bands for index in bands.steps} | {*program.shared}
    return [step for index, step in enumerate(program.steps) if index not in inside]


def _window(step: Step) -> Window:
    return Window(step.inputs, step.output, step.kernel, step.stride, step.padding, step.pool)


def _kind(window: Window, heights: Mapping[str, int], rows: Rows) -> Kind:
    """What some rows of a step's output take.

    Args:
        heights: of the inputs' maps, by name.
    """
    low, high = window.span(rows.first, rows.end)
    top = max(low, 0)
    read = (min(high, heights[name]) - top for name in window.inputs)
    return Kind(step=rows.step, cut=window.padding - max(-low, 0), rows=(*read, rows.end - rows.first))


def _part(program: Program, step: Step, kind: Kind, rows: Rows) -> Part:
    """Some rows of a step of a program."""
    own, part = alone(program, step, kind)
    return Part(program=own, step=part, reads=rows.reads, writes=rows.writes)


def alone(program: Program, step: Step, kind: Kind) -> tuple[Program, Step]:
    """Some rows of a step as the one step of a program."""
    *_, written = kind.rows
    part = replace(step, macs=step.macs // program.tensors[step.output].shape.height * written, cut=kind.cut)
    places = zip((*step.inputs, step.output), kind.rows, strict=True)
    tensors = {name: _rows_of(program.tensors[name], count) for name, count in places}
    return Program(network=program.network, precision=program.precision, tensors=tensors, steps=(part,)), part


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
