"""Where every buffer of a network lies in one static arena.

A buffer lives from the call that first writes it to the last that reads it, the scratch of a kernel during its call,
a state from before the first call to behind the last. An
output may lie on an input that dies in its call as far as the kernel's writes stay behind its reads: a pointwise
convolution, a depthwise one, an addition or a pool needs no second buffer, and a 3x3 convolution two rows more. A
convolution may also run from its end, its output lying behind the input.
The lower bound is the largest sum alive in any call less what its sharing can save. The search starts with the buffers
of that call, goes on with its neighbors in time, so that whoever disagrees was placed shortly before, places each at
offsets that touch what is there, and turns back where the ceiling is broken.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tinysearch.networks.call import APART, Overlap, Sharing
from tinysearch.networks.lowering import LoweredNetwork
from tinysearch.operators.counts import padded

ALIGNMENT = 4
"""Every buffer starts at a multiple of this: kernels access bytes, floats and words."""

Pairs = Mapping[tuple[int, int], Sharing]
"""How outputs may lie on inputs, by (key of the input, key of the output)."""

_MOST_STEPS = 20_000
_BISECTIONS = 6
_MOST_HANDED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Buffer:
    """Bytes in the arena from the start of call ``first`` to the end of call ``last``.

    Attributes:
        key: index of a tensor, or -1 - index of the call whose scratch it is.
    """

    key: int
    size_bytes: int
    first: int
    last: int


Placed = list[tuple[Buffer, int]]
"""Buffers with their offsets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArenaPlan:
    """Offsets of all buffers.

    Attributes:
        offsets: bytes from the start by tensor, of those that own a buffer.
        scratch: the same by call.
        peak_bytes: size of the arena.
        bound_bytes: no plan is smaller.
        backward: positions of calls that must run from their last output to their first.
        slow: where tensors without a place here lie, in a second memory; None where all have one.
    """

    buffers: tuple[Buffer, ...]
    offsets: Mapping[int, int]
    scratch: Mapping[int, int]
    peak_bytes: int
    bound_bytes: int
    backward: frozenset[int] = frozenset()
    slow: ArenaPlan | None = None


@dataclass(slots=True, kw_only=True)
class _Search:
    """Buffers in the order in which they are placed, and with whom each shares time.

    Attributes:
        rivals: positions of others that live at the same time.
        ahead: bytes by which a buffer may have to start after another that comes to share its memory.
        pairs: how two of them may overlap all the same, by (position of input, position of output).
    """

    sizes: Sequence[int]
    rivals: Sequence[Sequence[int]]
    ahead: Sequence[Sequence[int]]
    pairs: Mapping[tuple[int, int], Sharing]
    steps: int = 0
    offsets: list[int] = field(default_factory=list)

    def place(self, ceiling: int) -> list[int] | None:
        """Offsets below a ceiling, or None where none were found."""
        self.offsets, self.steps = [], 0
        return self.offsets if self._descend(ceiling) else None

    def _descend(self, ceiling: int) -> bool:
        position = len(self.offsets)
        if position == len(self.sizes):
            return True
        for offset in sorted(self._candidates(position)):
            self.steps += 1
            if self.steps > _MOST_STEPS:
                return False
            if offset + self.sizes[position] <= ceiling and self._fits(position, offset):
                self.offsets.append(offset)
                if self._descend(ceiling):
                    return True
                self.offsets.pop()
        return False

    def _placed(self, position: int) -> Iterator[int]:
        return (rival for rival in self.rivals[position] if rival < position)

    def _candidates(self, position: int) -> set[int]:
        size, found = self.sizes[position], {0}
        for rival in self._placed(position):
            start = self.offsets[rival]
            found |= {start + self.sizes[rival], start - size}
            as_input, as_output = self.pairs.get((position, rival)), self.pairs.get((rival, position))
            if as_input is not None:
                found |= {start, *(start + distance for distance in _distances(as_input))}
            if as_output is not None:
                found |= {start, *(start - distance for distance in _distances(as_output))}
        found |= {offset + ahead for offset in found for ahead in self.ahead[position]}
        return {offset for offset in found if offset >= 0}

    def _fits(self, position: int, offset: int) -> bool:
        end = offset + self.sizes[position]
        for rival in self._placed(position):
            start = self.offsets[rival]
            if start >= end or start + self.sizes[rival] <= offset:
                continue
            as_input, as_output = self.pairs.get((position, rival)), self.pairs.get((rival, position))
            if not (_allowed(as_input, offset, start) or _allowed(as_output, start, offset)):
                return False
        return True


def _distances(sharing: Sharing) -> Iterator[int]:
    """Bytes, at least, by which an input starts after an output that lies on it, forward and backward."""
    yield padded(sharing.distance, ALIGNMENT)
    if sharing.backward is not None:
        yield -padded(sharing.backward, ALIGNMENT)


def _allowed(sharing: Sharing | None, source: int, result: int) -> bool:
    """Whether an output may start at ``result`` while its input starts at ``source``."""
    if sharing is None:
        return False
    if sharing.overlap is Overlap.SAME:
        return source == result
    return sharing.overlap is Overlap.BEHIND and (
        _forward(sharing, source, result) or _backward(sharing, source, result)
    )


def _forward(sharing: Sharing, source: int, result: int) -> bool:
    return source - result >= sharing.distance


def _backward(sharing: Sharing, source: int, result: int) -> bool:
    return sharing.backward is not None and result - source >= sharing.backward


def plan(network: LoweredNetwork, *, without: Container[int] = ()) -> ArenaPlan:
    """Arena of one network.

    Args:
        without: keys of buffers that lie elsewhere.
    """
    every = tuple(buffers_of(network))
    pairs = pairs_of(network, every)
    buffers = tuple(buffer for buffer in every if buffer.key not in without)
    here = {pair: sharing for pair, sharing in pairs.items() if not any(key in without for key in pair)}
    best, bound = placed(buffers, here)
    return ArenaPlan(
        buffers=tuple(buffer for buffer, _ in best),
        offsets={buffer.key: offset for buffer, offset in best if buffer.key >= 0},
        scratch={-1 - buffer.key: offset for buffer, offset in best if buffer.key < 0},
        peak_bytes=peak_of(best),
        bound_bytes=bound,
        backward=frozenset(_backward_calls(network, best)),
    )


def placed(buffers: Sequence[Buffer], pairs: Pairs) -> tuple[Placed, int]:
    """Offsets of buffers, and what no plan of them is below."""
    if not buffers:
        return [], 0
    bound, peak = _bound(buffers, pairs)
    best: Placed = []
    for order in _orders(peak):
        ordered = tuple(sorted(buffers, key=order))
        found = list(zip(ordered, _offsets(ordered, _by_position(ordered, pairs), bound), strict=True))
        best = min(best or found, found, key=peak_of)
        if peak_of(best) == bound:
            break
    return best, bound


def bound_of(network: LoweredNetwork) -> tuple[int, int]:
    """Bytes that no arena of a network is below, and the call that needs them."""
    buffers = tuple(buffers_of(network))
    return _bound(buffers, pairs_of(network, buffers))


def _backward_calls(network: LoweredNetwork, found: Placed) -> Iterator[int]:
    """Positions of calls whose output lies on their input where only running backward is safe."""
    at = {buffer.key: (offset, offset + buffer.size_bytes) for buffer, offset in found}
    for position, call in enumerate(network.calls):
        if network.owners[call.output] not in at:
            continue
        result, end = at[network.owners[call.output]]
        for index, sharing in zip(call.inputs, call.sharing, strict=True):
            if network.owners.get(index) not in at or sharing.backward is None:
                continue
            source, source_end = at[network.owners[index]]
            if source < end and result < source_end and not _forward(sharing, source, result):
                yield position


def peak_of(found: Placed) -> int:
    """Bytes of an arena that holds all buffers where they are placed."""
    return max((offset + buffer.size_bytes for buffer, offset in found), default=0)


def _orders(call: int) -> Iterator[Callable[[Buffer], tuple[int, ...]]]:
    """Orders of placement to try: around a call; and before that what outlives it, which splits no room then."""
    yield lambda buffer: _nearness(buffer, call)
    yield lambda buffer: (buffer.first - buffer.last, *_nearness(buffer, call))
    yield lambda buffer: (0 if buffer.first < 0 else 1, *_nearness(buffer, call))


def buffers_of(network: LoweredNetwork) -> Iterator[Buffer]:
    """All buffers, with the calls between which they live."""
    first = {network.owners[index]: 0 for index in network.graph.inputs}
    last = dict(first)
    states = {state.tensor for state in network.graph.states}
    first.update(dict.fromkeys(states, -1))
    for position, call in enumerate(network.calls):
        first.setdefault(network.owners[call.output], position)
        for index in (*call.inputs, call.output):
            if index in network.owners:
                last[network.owners[index]] = position
        if call.scratch_bytes:
            size = padded(call.scratch_bytes, ALIGNMENT)
            yield Buffer(key=-1 - position, size_bytes=size, first=position, last=position)
    last.update((network.owners[index], len(network.calls) - 1) for index in network.graph.outputs)
    last.update(dict.fromkeys(states, len(network.calls)))
    for owner, start in first.items():
        size = padded(network.graph.tensors[owner].size_bytes, ALIGNMENT)
        yield Buffer(key=owner, size_bytes=size, first=start, last=last[owner])


def _by_position(buffers: Sequence[Buffer], pairs: Pairs) -> Pairs:
    """Pairs by the positions of their buffers in place of their keys."""
    at = {buffer.key: position for position, buffer in enumerate(buffers)}
    return {(at[source], at[result]): sharing for (source, result), sharing in pairs.items()}


def pairs_of(network: LoweredNetwork, buffers: Sequence[Buffer]) -> Pairs:
    """How outputs may lie on inputs that die in the same call."""
    found: dict[tuple[int, int], Sharing] = {}
    by_key = {buffer.key: buffer for buffer in buffers}
    for position, call in enumerate(network.calls):
        result = network.owners[call.output]
        for index, sharing in zip(call.inputs, call.sharing, strict=True):
            if index not in network.owners:
                continue
            source = network.owners[index]
            dies = by_key[source].last == position == by_key[result].first and source != result
            other = found.get((source, result), sharing)
            found[source, result] = sharing if dies and other.overlap is not Overlap.NONE else APART
    return {pair: sharing for pair, sharing in found.items() if sharing.overlap is not Overlap.NONE}


def _nearness(buffer: Buffer, call: int) -> tuple[int, int, int, int]:
    """Order of placement: those alive in a call, then later ones, then earlier ones, the nearest in time first."""
    if buffer.first <= call <= buffer.last:
        return 0, 0, -buffer.size_bytes, buffer.key
    later = buffer.first > call
    return 1 if later else 2, buffer.first - call if later else call - buffer.last, -buffer.size_bytes, buffer.key


def _bound(buffers: Sequence[Buffer], pairs: Pairs) -> tuple[int, int]:
    """The largest sum of bytes alive in a call, less the most that outputs on dying inputs save; and that call."""
    by_key = {buffer.key: buffer for buffer in buffers}
    calls = 1 + max(buffer.last for buffer in buffers)
    alive = [sum(b.size_bytes for b in buffers if b.first <= call <= b.last) for call in range(calls)]
    saved: dict[int, int] = {}
    for (source, result), sharing in pairs.items():
        size, other = by_key[source].size_bytes, by_key[result].size_bytes
        saving = saved_by(sharing, size, other)
        call = by_key[result].first
        saved[call] = min(saved.get(call, 0) + saving, other)
    return max((total - saved.get(call, 0), call) for call, total in enumerate(alive))


def saved_by(sharing: Sharing, source_bytes: int, result_bytes: int) -> int:
    """The most bytes that an output saves by lying on its input."""
    together = max(source_bytes, result_bytes)
    if sharing.overlap is Overlap.BEHIND:
        away = padded(max(sharing.distance, 0), ALIGNMENT)
        together = max(result_bytes, away + source_bytes)
        if sharing.backward is not None:
            back = padded(max(sharing.backward, 0), ALIGNMENT)
            together = min(together, max(source_bytes, back + result_bytes))
    return max(source_bytes + result_bytes - together, 0)


def _offsets(buffers: Sequence[Buffer], pairs: Pairs, bound: int) -> list[int]:
    rivals = [
        [other for other, rival in enumerate(buffers) if other != position and _together(buffer, rival)]
        for position, buffer in enumerate(buffers)
    ]
    ahead = _ahead(buffers, pairs)
    search = _Search(sizes=[buffer.size_bytes for buffer in buffers], rivals=rivals, ahead=ahead, pairs=pairs)
    best = search.place(bound)
    if best is not None:
        return best
    low, high = bound, sum(buffer.size_bytes for buffer in buffers)
    best = search.place(high)
    if best is None:
        raise AssertionError("buffers one behind the other are always a plan")
    best = list(best)
    for _ in range(_BISECTIONS):
        high = max(offset + buffer.size_bytes for buffer, offset in zip(buffers, best, strict=True))
        middle = padded((low + high) // 2, ALIGNMENT)
        found = search.place(middle)
        if found is None:
            low = middle
        else:
            best = list(found)
    return best


def _ahead(buffers: Sequence[Buffer], pairs: Pairs) -> list[list[int]]:
    """Bytes by which each buffer may have to start after another, for what comes to share its memory.

    An output that lies on its input and must itself leave room hands that on to it; a scratch may lie before both.
    """
    ahead: list[set[int]] = [set() for _ in buffers]
    for (source, result), sharing in pairs.items():
        ahead[source].add(padded(sharing.distance, ALIGNMENT))
        if sharing.backward is not None:
            ahead[result].add(padded(sharing.backward, ALIGNMENT))
        call = buffers[result].first
        scratch = {other.size_bytes for other in buffers if other.key < 0 and other.first == call}
        ahead[result] |= scratch
    for (source, result), sharing in sorted(pairs.items(), key=lambda pair: -buffers[pair[0][1]].first):
        handed = {padded(sharing.distance, ALIGNMENT) + more for more in ahead[result] if more > 0}
        ahead[source] |= set(sorted(handed - ahead[source])[:_MOST_HANDED])
    return [sorted(found) for found in ahead]


def _together(left: Buffer, right: Buffer) -> bool:
    return left.first <= right.last and right.first <= left.last
