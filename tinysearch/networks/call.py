"""A node lowered to a call of the C runtime, and what the planner and the emitter must know of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from tinysearch.networks.graph import Array

MOVE = "move"
"""Kernel class of bytes that go from one place to another, by ``ts_tfl_move``."""

MOVE_FUNCTION = "ts_tfl_move"

MOVE_ALIGNMENT = 4
"""Places at multiples of this are moved by words."""

Field = int | float | tuple[int, ...]


Work = Iterator[tuple[str, Mapping[str, float]]]
"""Kernel classes with features: see :class:`Call`."""


class Overlap(Enum):
    """Where an output may share memory with an input that dies in its call."""

    NONE = "apart"
    SAME = "at the same place"
    BEHIND = "at the same place, or so many bytes before it that writes stay behind reads"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharing:
    """How an output may lie on an input.

    Attributes:
        distance: for ``BEHIND``: bytes by which the input must start after the output, or more; may be negative.
        backward: of a kernel that can also run from its last output to its first: bytes by which the output must start
            after the input then, or more; its member ``backward`` says which it does.
    """

    overlap: Overlap = Overlap.NONE
    distance: int = 0
    backward: int | None = None


APART = Sharing()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Call:
    """One call ``<function>(&<layer>, <inputs...>, <output>, <scratch>)``.

    The constants become ``static const <function>_layer``; the header is ``<function>.h``.

    Attributes:
        inputs, output: indices of tensors of the graph; a constant one lies in flash.
        fields: members that are numbers, or braces of numbers.
        arrays: members that point to constant arrays, one-dimensional.
        sharing: one for each input.
        macs: multiply-accumulates of the layer.
        kernel_class: whose coefficients of a latency table say how long it takes, "" where none does.
        features: what it counts of :data:`tinysearch.analytic.features.FEATURES`.
        passes: times that the kernel goes over its maps from end to end; others read rows as they come.
        band: of a call that stands for several steps and has no function, fields, arrays and features itself.
    """

    name: str
    operator: str
    function: str
    inputs: tuple[int, ...]
    output: int
    fields: Mapping[str, Field]
    arrays: Mapping[str, Array] = field(default_factory=dict)
    sharing: tuple[Sharing, ...]
    scratch_bytes: int = 0
    macs: int = 0
    kernel_class: str = ""
    features: Mapping[str, float] = field(default_factory=dict)
    passes: int = 1
    band: Band | None = None

    @property
    def wholes(self) -> tuple[Call, ...]:
        """The calls that it computes: itself, or the steps of a band."""
        return (self,) if self.band is None else self.band.steps

    @property
    def parameter_bytes(self) -> int:
        """Bytes of its constant arrays."""
        return sum(array.nbytes for array in self.constants)

    @property
    def constants(self) -> tuple[Array, ...]:
        """Its constant arrays."""
        return tuple(array for whole in self.wholes for array in whole.arrays.values())

    @property
    def layers(self) -> tuple[Call, ...]:
        """Calls with a constant structure of their own: itself, or the different parts of a band."""
        if self.band is None:
            return (self,)
        return tuple({id(part.call): part.call for part in self.band.parts}.values())

    @property
    def functions(self) -> frozenset[str]:
        """Functions of the runtime that it calls."""
        moves = {MOVE_FUNCTION} if self.band is not None and self.band.moves else set[str]()
        return frozenset(layer.function for layer in self.layers) | moves

    @property
    def work(self) -> Work:
        """Kernel class and features of all that runs."""
        if self.band is None:
            yield self.kernel_class, self.features
        else:
            for action in self.band.actions:
                yield from action.work


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where rows begin.

    Attributes:
        tensor: whose buffer they are in, None for the scratch of their band.
        offset: bytes from its start.
    """

    tensor: int | None
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Some rows of a step of a band.

    Attributes:
        step: its number in the band.
        rows: of its inputs and of its output.
        inputs: None where the call's own input is a constant.
        scratch: bytes from the start of the band's scratch; None where the kernel has none.
    """

    step: int
    call: Call
    rows: tuple[int, int]
    inputs: tuple[Place | None, ...]
    output: Place
    scratch: int | None

    @property
    def work(self) -> Work:
        """See :class:`Call`."""
        return self.call.work


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Bytes of a band's scratch that go to a lower place in it."""

    source: int
    result: int
    size_bytes: int

    @property
    def work(self) -> Work:
        """See :class:`Call`: bytes that go by words, or one by one."""
        words = self.source % MOVE_ALIGNMENT == self.result % MOVE_ALIGNMENT == 0
        yield MOVE, {"outputs" if words else "patch": self.size_bytes, "steps": 1}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Band:
    """Steps that are computed a few rows at a time.

    Attributes:
        steps: calls of whole maps that give the same.
        actions: what is done, in order; parts of the same rows share their call.
    """

    steps: tuple[Call, ...]
    actions: tuple[Part | Move, ...]

    @property
    def parts(self) -> tuple[Part, ...]:
        """The calls of kernels."""
        return tuple(action for action in self.actions if isinstance(action, Part))

    @property
    def moves(self) -> tuple[Move, ...]:
        """The others."""
        return tuple(action for action in self.actions if isinstance(action, Move))


@dataclass(frozen=True, slots=True, kw_only=True)
class RowParts:
    """How a call of maps [1, height, width, channels] is computed some rows at a time.

    Attributes:
        span: the first row that rows ``first`` to ``end`` of the output read of an input, and the one behind the last;
            they may lie beside the map.
        part: the call that computes these rows of the output, from an input that begins with the first row of these
            that is not beside the map and ends with the last; it has the arrays of the whole call.
        wide: of the inputs, which are read by rows; the others are as they are in every part.
    """

    span: Callable[[int, int], tuple[int, int]]
    part: Callable[[int, int], Call]
    wide: tuple[bool, ...] = (True,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """A node that only gives a buffer another shape."""

    source: int
    result: int


Lowered = tuple[Call, ...] | Alias
