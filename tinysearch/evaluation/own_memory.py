"""Where a network of one's own lies on a board: in internal RAM, in external RAM, or split between the two."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from tinysearch.analytic.latency import LatencyTable
from tinysearch.analytic.psram import PsramAccess
from tinysearch.core.execution import Execution
from tinysearch.core.platform import BoardOption, Chip
from tinysearch.core.protocols import LatencyEstimate
from tinysearch.evaluation.own_profile import OwnNetwork, features_of
from tinysearch.networks.call import Call
from tinysearch.networks.split import Room, split
from tinysearch.networks.traffic import SlowMemory, Traffic, slow_traffic

_CACHE_SHARE = 2
"""Constants stream from flash through the cache that maps in external RAM come through: half of it is theirs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalRam:
    """External RAM of a board as the latency table prices it.

    Attributes:
        memory: seconds a byte, and the cache.
        low, high: factors on these seconds that bound them.
    """

    memory: SlowMemory
    low: float
    high: float

    def added(self, latency: LatencyEstimate, traffic: Traffic) -> LatencyEstimate:
        """A latency with this traffic."""
        seconds = self.memory.seconds(traffic)
        return replace(
            latency,
            seconds=latency.seconds + seconds,
            low=latency.low + seconds * self.low,
            high=latency.high + seconds * self.high,
        )

    def whole(self, network: OwnNetwork) -> Traffic:
        """Traffic of a network whose arena is there."""
        owners = {*network.lowered.owners.values()}
        return slow_traffic(network.lowered, owners, cache_bytes=self.memory.cache_bytes)


def external_ram(access: PsramAccess | None, chip: Chip, option: BoardOption) -> ExternalRam | None:
    """The external RAM of a board; None where it has none, or nothing is known of its speed."""
    psram, interface = chip.psram, option.psram_interface
    if access is None or psram is None or interface is None or not option.psram_bytes:
        return None
    if psram.bandwidth_bytes_per_s is None or interface not in psram.clock_hz:
        return None
    memory = SlowMemory(
        read_s=access.read_s(psram, interface),
        write_s=access.write_s(psram, interface),
        cache_bytes=access.cache_bytes // _CACHE_SHARE,
    )
    return ExternalRam(memory=memory, low=access.low, high=access.high)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Splits:
    """Networks in two memories, each found once for boards that are alike."""

    table: LatencyTable
    _found: dict[tuple[int, str, int, SlowMemory], OwnNetwork | None] = field(default_factory=dict, init=False)

    def of(self, network: OwnNetwork, *, processor: str, fast_bytes: int, external: ExternalRam) -> OwnNetwork | None:
        """The network with the tensors in internal RAM that make it fastest; None where not even scratch has room."""
        key = id(network), processor, fast_bytes, external.memory
        if key not in self._found:
            self._found[key] = self._split(network, processor, fast_bytes, external.memory)
        return self._found[key]

    def _split(self, network: OwnNetwork, processor: str, fast_bytes: int, memory: SlowMemory) -> OwnNetwork | None:
        seconds = _Seconds(table=self.table, processor=processor)
        found = split(network.lowered, Room(fast_bytes=fast_bytes, slow=memory, seconds=seconds.of))
        if found is None:
            return None
        bands = any(call.band is not None for call in found.network.calls)
        return replace(
            network,
            lowered=found.network,
            memory=found.memory,
            accelerated={},
            execution=Execution(bands=bands),
            traffic=found.traffic,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Seconds:
    """Seconds of calls by portable kernels, each found once; calls are kept, so that their identities stay theirs."""

    table: LatencyTable
    processor: str
    _known: dict[int, tuple[Call, float]] = field(default_factory=dict, init=False)

    def of(self, call: Call) -> float:
        if id(call) not in self._known:
            found = self.table.profile(features_of((call,)), processor=self.processor, arena_in_psram=False)
            self._known[id(call)] = call, found.seconds
        return self._known[id(call)][1]
