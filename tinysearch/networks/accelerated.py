"""A network some of whose calls the vector unit of a chip computes, with the portable kernels to fall back to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tinysearch.analytic.entries import WeightedStep
from tinysearch.analytic.flash import array_bytes
from tinysearch.networks.arena import ArenaPlan
from tinysearch.networks.lowering import LoweredNetwork
from tinysearch.operators.record import PackedStep


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Accelerated:
    """What a backend does for a network.

    Attributes:
        backend: its name.
        lowered: the calls with what either kernel asks of the arena.
        memory: an arena that serves both.
        packed: constants for the backend by number of a call.
        costs: of these calls: arithmetic and kernel class, and features.
        streamed: those with weights.
    """

    backend: str
    lowered: LoweredNetwork
    memory: ArenaPlan
    packed: Mapping[int, PackedStep]
    costs: Mapping[int, tuple[tuple[str, str], Mapping[str, float]]]
    streamed: tuple[WeightedStep, ...]

    @property
    def constant_bytes(self) -> int:
        """Bytes of the backend's constants in flash, every array aligned to 16 bytes."""
        return array_bytes(array.nbytes for part in self.packed.values() for array in part.arrays.values())

    @property
    def macs(self) -> int:
        """MACs of the network that the backend computes."""
        return sum(self.lowered.calls[number].macs for number in self.packed)
