"""What of a network's maps goes to and from a slow memory, byte by byte, if they lie there.

A chip sees its external memory through a cache. A kernel that reads and writes rows as they come moves every byte of an
operand once. One that goes over its maps several times, as a depthwise convolution does channel by channel, moves them
as often where they do not fit into the cache; rows in a band are read with those above and below them again.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass

from tinysearch.networks.call import Band, Call, Part
from tinysearch.networks.lowering import LoweredNetwork


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """Bytes read from a memory and written to it in one inference."""

    read: int = 0
    written: int = 0

    def __add__(self, other: Traffic) -> Traffic:
        return Traffic(read=self.read + other.read, written=self.written + other.written)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowMemory:
    """An external memory behind a cache.

    Attributes:
        read_s, write_s: seconds a byte, of long runs.
        cache_bytes: of maps that stay in the cache beside what else is in it.
    """

    read_s: float
    write_s: float
    cache_bytes: int

    def seconds(self, traffic: Traffic) -> float:
        """What so many bytes take."""
        return traffic.read * self.read_s + traffic.written * self.write_s


def traffic_of(network: LoweredNetwork, *, cache_bytes: int) -> dict[int, Traffic]:
    """Traffic of every buffer by tensor, if it lies in slow memory."""
    found: dict[int, Traffic] = {}
    for call in network.calls:
        for index, traffic in _operands(network, call, cache_bytes):
            owner = network.owners[index]
            found[owner] = found.get(owner, Traffic()) + traffic
    return found


def slow_traffic(network: LoweredNetwork, slow: Container[int], *, cache_bytes: int) -> Traffic:
    """Traffic of the buffers of some tensors together."""
    every = traffic_of(network, cache_bytes=cache_bytes)
    return sum((traffic for index, traffic in every.items() if index in slow), Traffic())


def _operands(network: LoweredNetwork, call: Call, cache_bytes: int) -> Iterator[tuple[int, Traffic]]:
    """Traffic of a call's operands, if they lie in slow memory."""
    if call.band is not None:
        yield from _of_band(network, call.band, cache_bytes)
        return
    tensors = network.graph.tensors
    for index in call.inputs:
        if index in network.owners:
            yield index, Traffic(read=_moved(tensors[index].size_bytes, call, cache_bytes))
    yield call.output, Traffic(written=_moved(tensors[call.output].size_bytes, call, cache_bytes))


def _of_band(network: LoweredNetwork, band: Band, cache_bytes: int) -> Iterator[tuple[int, Traffic]]:
    """The same of a band's parts: rows between source and result are never there."""
    for part in band.parts:
        for place, rows in _rows_of(part):
            index = part.call.inputs[place] if place < len(part.call.inputs) else part.call.output
            tensor = network.graph.tensors[index]
            size = _moved(rows * (tensor.size_bytes // tensor.shape[1]), part.call, cache_bytes)
            yield index, Traffic(written=size) if place == len(part.call.inputs) else Traffic(read=size)


def _rows_of(part: Part) -> Iterator[tuple[int, int]]:
    """Positions of a part's operands that are whole maps, its output behind its inputs, with rows that it touches."""
    for position, place in enumerate(part.inputs):
        if place is not None and place.tensor is not None:
            yield position, part.rows[0]
    if part.output.tensor is not None:
        yield len(part.inputs), part.rows[1]


def _moved(size_bytes: int, call: Call, cache_bytes: int) -> int:
    return size_bytes * (call.passes if size_bytes > cache_bytes else 1)
