"""What a second core saves of the steps that it shares: less than half, and a barrier a step costs of its own."""

from __future__ import annotations

from dataclasses import dataclass

Cycles = tuple[float, float, float, bool]
"""Expected, least and most cycles, and whether every entry behind them is calibrated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoCores:
    """Steps of one network on two cores.

    Attributes:
        speedup, least_speedup, most_speedup: of a shared step, without its barrier; 2 would be two cores for nothing.
        barrier_cycles, least_barrier_cycles, most_barrier_cycles: to hand a step over and to wait for both halves.
    """

    speedup: float
    least_speedup: float
    most_speedup: float
    barrier_cycles: float
    least_barrier_cycles: float
    most_barrier_cycles: float

    def of(self, alone: Cycles, *, steps: int) -> Cycles:
        """Cycles of some shared steps; of no device measured yet, so never calibrated.

        Args:
            alone: cycles of all their halves one after the other.
        """
        expected, low, high, _ = alone
        return (
            expected / self.speedup + steps * self.barrier_cycles,
            low / self.most_speedup + steps * self.least_barrier_cycles,
            high / self.least_speedup + steps * self.most_barrier_cycles,
            False,
        )
