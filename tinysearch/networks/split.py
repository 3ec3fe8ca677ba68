"""Where the buffers of a network lie that has more of them than fast memory: the others in a slow one.

Scratch, which kernels read most, is always in fast memory. Of the tensors those are there that save most of the time
that the slow memory takes, by a knapsack over all calls: in none may be alive more than there is room, less what
outputs on dying inputs save. Bands shorten that time, for what is between their source and result is never in slow
memory, and a kernel that goes over its maps several times finds rows in the cache: they are added as long as the
network gets faster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from tinysearch.networks.arena import ArenaPlan, Buffer, Pairs, buffers_of, pairs_of, plan, saved_by
from tinysearch.networks.bands import with_band
from tinysearch.networks.call import Call
from tinysearch.networks.lowering import LoweredNetwork
from tinysearch.networks.traffic import SlowMemory, Traffic, slow_traffic, traffic_of

Floats = npt.NDArray[np.float64]

_ATTEMPTS = 6
"""Knapsacks to pack until a plan of one fits: gaps take room that the knapsack does not see."""

_MOST_BANDS = 24
_ROWS = (8, 2)
_BEFORE, _BEHIND = 2, 3  # calls before and behind a dear one that a band may have
_DEAREST = 3  # calls around which bands are tried


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Split:
    """A network in two memories.

    Attributes:
        network: with the bands that it has there.
        memory: whose ``slow`` is the second arena.
        traffic: between the two.
        seconds: of one inference, computing and slow memory.
    """

    network: LoweredNetwork
    memory: ArenaPlan
    traffic: Traffic
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What a board gives a network.

    Attributes:
        fast_bytes: of internal memory for the arena.
        seconds: that calls take with all their operands in fast memory.
    """

    fast_bytes: int
    slow: SlowMemory
    seconds: Callable[[Call], float]


def split(network: LoweredNetwork, room: Room, *, in_bands: bool = True) -> Split | None:
    """The fastest that was found, None where fast memory has no room for the scratch of kernels.

    Args:
        in_bands: whether calls may be computed a few rows at a time.
    """
    best = _of_calls(network, room)
    for _ in range(_MOST_BANDS if in_bands else 0):
        found = _faster(network if best is None else best.network, best, room)
        if found is None:
            break
        best = found
    return best


def _of_calls(network: LoweredNetwork, room: Room) -> Split | None:
    """The calls as they are."""
    buffers = tuple(buffers_of(network))
    pairs = pairs_of(network, buffers)
    worth = {
        index: room.slow.seconds(traffic)
        for index, traffic in traffic_of(network, cache_bytes=room.slow.cache_bytes).items()
    }
    limit = room.fast_bytes
    for _ in range(_ATTEMPTS):
        outside = _left_out(buffers, pairs, worth, limit)
        if outside is None:
            return None
        memory = plan(network, without=outside)
        if memory.peak_bytes <= room.fast_bytes:
            return _split(network, memory, outside, buffers, room)
        limit -= memory.peak_bytes - room.fast_bytes
    return None


def _split(
    network: LoweredNetwork, memory: ArenaPlan, outside: frozenset[int], buffers: Sequence[Buffer], room: Room
) -> Split:
    inside = {buffer.key for buffer in buffers} - outside
    slow = plan(network, without=inside) if outside else None
    both = memory if slow is None else replace(memory, slow=slow, backward=memory.backward | slow.backward)
    traffic = slow_traffic(network, outside, cache_bytes=room.slow.cache_bytes)
    seconds = sum(map(room.seconds, network.calls)) + room.slow.seconds(traffic)
    return Split(network=network, memory=both, traffic=traffic, seconds=seconds)


def _left_out(buffers: Sequence[Buffer], pairs: Pairs, worth: dict[int, float], limit: int) -> frozenset[int] | None:
    """Keys of tensors for slow memory, by a knapsack over all calls; None where scratch alone is more than the limit.

    Variables are 1 for a tensor in fast memory, then 1 for a pair of such whose output lies on its input.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp

    tensors = [buffer for buffer in buffers if buffer.key >= 0]
    alive, room = _alive(buffers, tensors, pairs, limit)
    if room.min() < 0:
        return None
    gains = np.zeros(alive.shape[1])
    gains[: len(tensors)] = [worth.get(buffer.key, 0.0) for buffer in tensors]
    rules = [LinearConstraint(alive, ub=room)]
    if pairs:
        rows, most = zip(*_sharing(tensors, pairs), strict=True)
        rules.append(LinearConstraint(np.stack(rows), ub=most))
    scaled = -gains / max(gains.max(), 1e-30)
    found = milp(scaled, constraints=rules, integrality=np.ones(len(gains)), bounds=Bounds(0, 1))
    if found.x is None:
        return None
    return frozenset(buffer.key for buffer, chosen in zip(tensors, found.x, strict=False) if chosen < 0.5)


def _alive(buffers: Sequence[Buffer], tensors: Sequence[Buffer], pairs: Pairs, limit: int) -> tuple[Floats, Floats]:
    """Bytes that each variable takes in each call [calls, variables], and those that scratch leaves [calls]."""
    calls = max(buffer.last for buffer in buffers) + 1
    alive, room = np.zeros((calls, len(tensors) + len(pairs))), np.full(calls, float(limit))
    for buffer in buffers:
        if buffer.key < 0:
            room[buffer.first : buffer.last + 1] -= buffer.size_bytes
    for column, tensor in enumerate(tensors):
        alive[max(tensor.first, 0) : tensor.last + 1, column] = tensor.size_bytes
    by_key = {tensor.key: tensor for tensor in tensors}
    for column, ((source, result), sharing) in enumerate(pairs.items(), len(tensors)):
        saved = saved_by(sharing, by_key[source].size_bytes, by_key[result].size_bytes)
        alive[by_key[result].first, column] = -saved
    return alive, room


def _sharing(tensors: Sequence[Buffer], pairs: Pairs) -> Iterator[tuple[Floats, int]]:
    """Rules with their upper bounds: a pair needs both of its tensors, and an output lies on one input at most."""
    place = {tensor.key: column for column, tensor in enumerate(tensors)}
    columns = {pair: column for column, pair in enumerate(pairs, len(tensors))}
    count = len(tensors) + len(pairs)
    for pair, column in columns.items():
        for key in pair:
            row = np.zeros(count)
            row[column], row[place[key]] = 1, -1
            yield row, 0
    for result in {result for _, result in pairs}:
        row = np.zeros(count)
        row[[column for (_, other), column in columns.items() if other == result]] = 1
        yield row, 1


def _faster(network: LoweredNetwork, best: Split | None, room: Room) -> Split | None:
    """The network with the band around its dearest call that makes it fastest; around others where none does so.

    Returns:
        None where no band makes it faster.
    """
    for dear in _dearest(network, best, room)[:_DEAREST]:
        found = best
        for candidate in _with_one_more(network, dear):
            tried = _of_calls(candidate, room)
            if tried is not None and (found is None or tried.seconds < found.seconds):
                found = tried
        if found is not best:
            return found
    return None


def _with_one_more(network: LoweredNetwork, dearest: int) -> Iterator[LoweredNetwork]:
    """The network with a band around a call."""
    for first in range(max(dearest - _BEFORE, 0), dearest + 1):
        for last in range(dearest, min(dearest + _BEHIND, len(network.calls) - 1) + 1):
            for rows in _ROWS:
                found = with_band(network, first, last, rows=rows)
                if found is None:
                    break
                yield found


def _dearest(network: LoweredNetwork, best: Split | None, room: Room) -> list[int]:
    """Calls with operands in slow memory, those whose take longest first."""
    slow = None if best is None or best.memory.slow is None else best.memory.slow.offsets
    costs = []
    for number, call in enumerate(network.calls):
        alone = replace(network, calls=(call,))
        outside = network.owners.values() if slow is None else slow
        traffic = slow_traffic(alone, {*outside}, cache_bytes=room.slow.cache_bytes)
        if call.band is None:
            costs.append((-room.slow.seconds(traffic), number))
    return [number for seconds, number in sorted(costs) if seconds < 0]
