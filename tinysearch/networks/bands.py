"""Which calls of a network to compute a few rows at a time, and how: no whole map of theirs is ever in memory.

A band is one call to the planner: it reads the source, leaves the result, and has the row buffers between them and the
scratch of its kernels as its scratch. What comes out is what whole maps give, byte for byte, and no row is computed
twice. See :mod:`tinysearch.core.turns`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from tinysearch.core.turns import Rows, RowStep, Shift, Turns
from tinysearch.networks.arena import ALIGNMENT, Buffer, bound_of, peak_of, placed, plan
from tinysearch.networks.call import APART, Band, Call, Move, Overlap, Part, Place, RowParts, Sharing
from tinysearch.networks.graph import ABSENT
from tinysearch.networks.lowering import LoweredNetwork
from tinysearch.networks.operators import KINDS
from tinysearch.operators.counts import padded

LEAST_ARENA_BYTES = 16 * 1024
"""Arenas up to this size are left alone: every chip has room for them."""

OPERATOR = "BAND"

_ROWS = (4, 2, 1)
_MOST_BANDS = 3
_REACH = 3  # calls from where most is alive to where a band may begin; three times as many to where it may end


def banded(network: LoweredNetwork, *, room_bytes: int = LEAST_ARENA_BYTES) -> LoweredNetwork:
    """The network with the bands that make its arena smallest, itself where none does.

    Bands are added as long as the plan gets smaller and is larger than the room; of equal ones those with the fewest
    calls.
    """
    least = plan(network).peak_bytes
    for _ in range(_MOST_BANDS):
        found = None if least <= room_bytes else _smallest(network)
        peak = least if found is None else plan(found).peak_bytes
        if found is None or peak >= least:
            break
        network, least = found, peak
    return network


def with_band(network: LoweredNetwork, first: int, last: int, *, rows: int) -> LoweredNetwork | None:
    """The network with calls ``first`` to ``last`` as a band, ``rows`` rows of its result in a turn.

    Returns:
        None where they are no band: one is not computed by rows, or they read more than one tensor, or leave more.
    """
    steps = [_rowwise(network, number) for number in range(first, last + 1)]
    known = tuple(step for step in steps if step is not None)
    return _with(network, known, first, rows=rows) if len(known) == len(steps) else None


def _with(network: LoweredNetwork, steps: Sequence[_Step], first: int, *, rows: int) -> LoweredNetwork | None:
    """The network with so many calls from ``first`` on as a band, None where they read or leave several tensors."""
    behind = first + len(steps)
    source = _source_of(network, steps, behind - 1)
    if source is None:
        return None
    call = _Banding(network, steps, source, rows).call()
    return replace(network, calls=(*network.calls[:first], call, *network.calls[behind:]))


def _smallest(network: LoweredNetwork) -> LoweredNetwork | None:
    """The network with that band more, around the call where most is alive, that leaves the least alive."""
    least: tuple[int, int] | None = None
    best: tuple[int, Sequence[_Step]] | None = None
    for first, steps in _places(network):
        found = _with(network, steps, first, rows=1)
        place = None if found is None else (bound_of(found)[0], len(steps))
        if place is not None and (least is None or place < least):
            least, best = place, (first, steps)
    return None if best is None else _of_fewest_calls(network, *best)


def _of_fewest_calls(network: LoweredNetwork, first: int, steps: Sequence[_Step]) -> LoweredNetwork:
    """A band of as many rows a turn as make the arena no larger."""
    sizes = (_with(network, steps, first, rows=rows) for rows in _ROWS)
    return min((found for found in sizes if found is not None), key=lambda found: bound_of(found)[0])


def _places(network: LoweredNetwork) -> Iterator[tuple[int, Sequence[_Step]]]:
    """First call and steps of bands to try, those that begin at one call in order of their length."""
    _, peak = bound_of(network)
    end = min(peak + 3 * _REACH, len(network.calls))
    every = {number: _rowwise(network, number) for number in range(end)}
    for first in sorted({0, *range(max(0, peak - _REACH), peak + 1)}):
        steps: list[_Step] = []
        for number in range(first, end):
            step = every[number]
            if step is None:
                break
            steps.append(step)
            if number >= max(first + 1, peak):
                yield first, tuple(steps)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Step:
    """A call that is computed by rows.

    Attributes:
        wide: positions of the inputs that are read by rows.
    """

    call: Call
    parts: RowParts
    wide: tuple[int, ...]

    @property
    def inputs(self) -> tuple[int, ...]:
        """The tensors at these positions."""
        return tuple(self.call.inputs[position] for position in self.wide)


def _rowwise(network: LoweredNetwork, number: int) -> _Step | None:
    """A call as a step of a band; None where it cannot be one."""
    call, graph = network.calls[number], network.graph
    node = next((node for node in graph.nodes if call.output in node.outputs), None)
    several = sum(other.output == call.output for other in network.calls) > 1
    by_rows = None if node is None or several or call.band is not None else KINDS[node.operator].by_rows
    parts = None if node is None or by_rows is None else by_rows(graph, node, call)
    if parts is None:
        return None
    wide = tuple(position for position, reads in enumerate(parts.wide) if reads)
    others = [index for position, index in enumerate(call.inputs) if position not in wide]
    maps = [graph.tensors[index] for index in (*(call.inputs[position] for position in wide), call.output)]
    known = all(index == ABSENT or index not in network.owners for index in others)
    if not known or any(len(tensor.shape) != 4 or tensor.shape[0] != 1 for tensor in maps):
        return None
    computed = all(call.inputs[position] in network.owners for position in wide)
    reads = _reads_rows(parts, rows=maps[-1].shape[1], height=maps[0].shape[1])
    return _Step(call=call, parts=parts, wide=wide) if computed and reads else None


def _reads_rows(parts: RowParts, *, rows: int, height: int) -> bool:
    """Whether no row of an output lies in padding alone: kernels want a row of their input."""
    return all(max(low, 0) < min(high, height) for low, high in (parts.span(row, row + 1) for row in range(rows)))


def _source_of(network: LoweredNetwork, steps: Sequence[_Step], last: int) -> int | None:
    """The one tensor that steps read from outside; None for several, or if more than their result is read later."""
    inner = {step.call.output for step in steps}
    outside = {index for step in steps for index in step.inputs} - inner
    result = steps[-1].call.output
    later = {index for call in network.calls[last + 1 :] for index in call.inputs}
    later |= {*network.graph.outputs, *(state.tensor for state in network.graph.states)}
    read = {network.owners[index] for index in later if index in network.owners}
    alone = all(network.owners[index] == index for index in inner) and not read & (inner - {result})
    return outside.pop() if alone and len(outside) == 1 else None


class _Banding:
    """A band while it is made."""

    def __init__(self, network: LoweredNetwork, steps: Sequence[_Step], source: int, rows: int) -> None:
        tensors = network.graph.tensors
        self.steps, self.source, self.result = steps, source, steps[-1].call.output
        every = {source, *(step.call.output for step in steps)}
        self.heights = {index: tensors[index].shape[1] for index in every}
        self.row_bytes = {index: tensors[index].size_bytes // tensors[index].shape[1] for index in every}
        row_steps = [RowStep(inputs=step.inputs, output=step.call.output, span=step.parts.span) for step in steps]
        self.turns = Turns(row_steps, heights=self.heights, source=source, rows=rows)
        self._kinds: dict[tuple[int, int, int, int], Call] = {}

    def call(self) -> Call:
        """The band as one call."""
        first, last = self.steps[0].call, self.steps[-1].call
        found, _ = placed(tuple(self._buffers()), dict(self._pairs()))
        offsets = {buffer.key: offset for buffer, offset in found}
        actions = (
            self._move(action, offsets) if isinstance(action, Shift) else self._part(action, offsets)
            for action in self._actions
        )
        wholes = tuple(step.call for step in self.steps)
        return Call(
            name=f"{first.name} to {last.name}",
            operator=OPERATOR,
            function="",
            inputs=(self.source,),
            output=self.result,
            fields={},
            sharing=(self._sharing(),),
            scratch_bytes=peak_of(found),
            macs=sum(whole.macs for whole in wholes),
            band=Band(steps=wholes, actions=tuple(actions)),
        )

    @cached_property
    def _actions(self) -> tuple[Shift[int] | Rows, ...]:
        return tuple(action for turn in self.turns.turns for action in turn.actions)

    @cached_property
    def _parts(self) -> list[list[tuple[Rows, Call]]]:
        """All parts by step."""
        found: list[list[tuple[Rows, Call]]] = [[] for _ in self.steps]
        for action in self._actions:
            if isinstance(action, Rows):
                found[action.step].append((action, self._call_of(action)))
        return found

    def _call_of(self, rows: Rows) -> Call:
        """The call of a part; parts that differ in nothing but their place share one."""
        step = self.steps[rows.step]
        low, _ = step.parts.span(rows.first, rows.end)
        kind = rows.step, max(-low, 0), *self._counts(rows)
        if kind not in self._kinds:
            self._kinds[kind] = step.parts.part(rows.first, rows.end)
        return self._kinds[kind]

    def _counts(self, rows: Rows) -> tuple[int, int]:
        """Rows of a part's inputs and of its output."""
        step = self.steps[rows.step]
        low, high = step.parts.span(rows.first, rows.end)
        return min(high, self.heights[step.inputs[0]]) - max(low, 0), rows.end - rows.first

    def _buffers(self) -> Iterator[Buffer]:
        """Rows between source and result, and scratch, with the steps of a turn in which they live."""
        last = len(self.steps) - 1
        for number, step in enumerate(self.steps):
            index = step.call.output
            scratch = max((call.scratch_bytes for _, call in self._parts[number]), default=0)
            if scratch:
                yield Buffer(key=-1 - number, size_bytes=padded(scratch, ALIGNMENT), first=number, last=number)
            if index != self.result:
                size = padded(self.turns.rows[index] * self.row_bytes[index], ALIGNMENT)
                kept = index in self.turns.kept
                first, end = (0, last) if kept else (number, self._last_reader(index))
                yield Buffer(key=index, size_bytes=size, first=first, last=end)

    def _last_reader(self, index: int) -> int:
        return max(number for number, step in enumerate(self.steps) if index in step.inputs)

    def _pairs(self) -> Iterator[tuple[tuple[int, int], Sharing]]:
        """Row buffers that may lie on others which die in their step: neither has rows of another turn."""
        for number, step in enumerate(self.steps[:-1]):
            result = step.call.output
            for place, index in enumerate(step.inputs):
                dies = index in self.turns.rows and self._last_reader(index) == number
                alone = step.inputs.count(index) == 1 and not {index, result} & self.turns.kept
                distance = self._distance(number, place) if dies and alone else None
                if distance is not None:
                    yield (index, result), Sharing(overlap=Overlap.BEHIND, distance=distance)

    def _distance(self, number: int, place: int) -> int | None:
        """Bytes by which a step's input must start after its output; None where they must lie apart."""
        step, found = self.steps[number], list[int]()
        read, written = self.row_bytes[step.inputs[place]], self.row_bytes[step.call.output]
        for rows, call in self._parts[number]:
            sharing = call.sharing[step.wide[place]]
            if sharing.overlap is not Overlap.BEHIND:
                return None
            found.append(sharing.distance + rows.writes * written - rows.reads[place] * read)
        return max(found)

    def _sharing(self) -> Sharing:
        """How the result may lie on the source: its rows behind those that are still to be read."""
        read, written = self.row_bytes[self.source], self.row_bytes[self.result]
        distances = [turn.written * written - turn.unread * read for turn in self.turns.turns[:-1]]
        for place, index in enumerate(self.steps[-1].inputs):
            if index == self.source:
                distance = self._distance(len(self.steps) - 1, place)
                if distance is None:
                    return APART
                distances.append(distance)
        least = -self.heights[self.source] * read
        return Sharing(overlap=Overlap.BEHIND, distance=max(distances, default=least))

    def _place(self, index: int, row: int, offsets: dict[int, int]) -> Place:
        at = row * self.row_bytes[index]
        inner = index in self.turns.rows
        return Place(tensor=None, offset=offsets[index] + at) if inner else Place(tensor=index, offset=at)

    def _part(self, rows: Rows, offsets: dict[int, int]) -> Part:
        step, call = self.steps[rows.step], self._call_of(rows)
        places: list[Place | None] = [None] * len(call.inputs)
        for position, row in zip(step.wide, rows.reads, strict=True):
            places[position] = self._place(call.inputs[position], row, offsets)
        return Part(
            step=rows.step,
            call=call,
            rows=self._counts(rows),
            inputs=tuple(places),
            output=self._place(call.output, rows.writes, offsets),
            scratch=offsets[-1 - rows.step] if call.scratch_bytes else None,
        )

    def _move(self, shift: Shift[int], offsets: dict[int, int]) -> Move:
        row, start = self.row_bytes[shift.tensor], offsets[shift.tensor]
        return Move(source=start + shift.first * row, result=start, size_bytes=shift.rows * row)
