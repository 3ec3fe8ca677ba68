"""Which rows every step of a band computes in every turn, whatever the steps are.

A band of steps has one tensor that it reads as a whole, its source, and one that it leaves, its result. In every turn
each step computes the rows that the result's next rows want; rows that the next turn wants again are moved to the front
of their buffer, and none is computed twice.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
Span = Callable[[int, int], tuple[int, int]]
"""The first row that some rows of an output read, and the one behind the last; they may lie beside the map."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowStep(Generic[K]):
    """A step that computes any rows of its output from rows of its inputs."""

    inputs: tuple[K, ...]
    output: K
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift(Generic[K]):
    """Rows of a buffer, from ``first`` on, that go to its front."""

    tensor: K
    first: int
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Rows ``first`` to ``end`` of a step's output.

    Attributes:
        step: its number.
        reads: by input, the row of its buffer at which what they read begins.
        writes: the same of the output.
    """

    step: int
    first: int
    end: int
    reads: tuple[int, ...]
    writes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn(Generic[K]):
    """One turn.

    Attributes:
        actions: in order.
        written: rows of the result at its end.
        unread: the first row of the source that later turns read.
    """

    actions: tuple[Shift[K] | Rows, ...]
    written: int
    unread: int


class Turns(Generic[K]):
    """All turns of a band.

    Args:
        heights: rows of all tensors.
        rows: of the result in a turn.

    Attributes:
        turns: in order.
        rows: that the buffer of each tensor between source and result holds.
        kept: those tensors that keep rows from turn to turn.
    """

    def __init__(self, steps: Sequence[RowStep[K]], *, heights: Mapping[K, int], source: K, rows: int) -> None:
        self._steps, self._heights, self._source, self._each = steps, heights, source, rows
        self._result = steps[-1].output
        inner = [step.output for step in steps[:-1]]
        self._done: dict[K, int] = dict.fromkeys([*inner, self._result], 0)
        self._start: dict[K, int] = dict.fromkeys([*inner, self._result, source], 0)
        self.rows: dict[K, int] = dict.fromkeys(inner, 0)
        self.kept: set[K] = set()
        self.turns: tuple[Turn[K], ...] = tuple(self._run())

    def _run(self) -> Iterator[Turn[K]]:
        while self._done[self._result] < self._heights[self._result]:
            yield self._turn()

    def _turn(self) -> Turn[K]:
        wanted, actions = self._wanted(), list[Shift[K] | Rows]()
        for tensor in self.rows:
            actions += self._keep(tensor)
            self.rows[tensor] = max(self.rows[tensor], wanted[tensor] - self._start[tensor])
        for number, step in enumerate(self._steps):
            if wanted[step.output] > self._done[step.output]:
                actions.append(self._rows(number, step, wanted[step.output]))
        self._done.update(wanted)
        return Turn(actions=tuple(actions), written=self._done[self._result], unread=self._first_wanted(self._source))

    def _wanted(self) -> dict[K, int]:
        """Rows of every output that must be done at the end of the turn."""
        wanted = dict(self._done)
        wanted[self._result] = min(self._done[self._result] + self._each, self._heights[self._result])
        for step in reversed(self._steps):
            _, end = step.span(0, wanted[step.output])
            for tensor in step.inputs:
                if tensor != self._source:
                    wanted[tensor] = max(wanted[tensor], min(end, self._heights[tensor]))
        return wanted

    def _first_wanted(self, tensor: K) -> int:
        """The first row of a tensor that steps still read."""
        readers = [step for step in self._steps if tensor in step.inputs]
        firsts = (step.span(self._done[step.output], self._heights[step.output])[0] for step in readers)
        return min(max(first, 0) for first in firsts)

    def _keep(self, tensor: K) -> Iterator[Shift[K]]:
        """Move the rows that are still wanted to the front of their buffer."""
        first = min(self._first_wanted(tensor), self._done[tensor])
        left, ahead = self._done[tensor] - first, first - self._start[tensor]
        self._start[tensor] = first
        if left > 0:
            self.kept.add(tensor)
            if ahead > 0:
                yield Shift(tensor=tensor, first=ahead, rows=left)

    def _rows(self, number: int, step: RowStep[K], end: int) -> Rows:
        first = self._done[step.output]
        top = max(step.span(first, end)[0], 0)
        reads = tuple(top - self._start[tensor] for tensor in step.inputs)
        return Rows(step=number, first=first, end=end, reads=reads, writes=first - self._start[step.output])
