"""A fusion in which one branch decides where it is sure, and another runs only where it is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Cascade:
    """When the first branch decides alone, and how often it does not.

    Attributes:
        first: the input that is sensed and computed in every attempt.
        reject_below, accept_from: its cosine below which an attempt is rejected, and from which it is accepted, without
            the second branch; fixed point as in the firmware, from validation people.
        runs, impostor_runs: share of an owner's and of a stranger's attempts in which the second branch runs, of test
            people.
    """

    first: str
    reject_below: int
    accept_from: int
    runs: float
    impostor_runs: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CascadeFigures:
    """What an owner's attempt takes on average where the second branch runs only when it is needed.

    Attributes:
        second: the input that is sensed and computed only where the first is not sure.
        latency_s, acquisition_s, energy_mj: means of inference, of capture with front-end, and of energy.
        effective_latency_s: mean time until an owner is in, at the operating point; None where that is unknown.
    """

    cascade: Cascade
    second: str
    latency_s: float
    acquisition_s: float
    energy_mj: float | None
    effective_latency_s: float | None

    @property
    def text(self) -> str:
        """One sentence for people."""
        own = self.cascade
        return (
            f"A cascade: {own.first} decides alone where it is sure; {self.second} is sensed and computed in "
            f"{100 * own.runs:.0f} % of an owner's attempts and {100 * own.impostor_runs:.0f} % of a stranger's (test "
            f"people), so that computing takes {1e3 * self.latency_s:.3g} ms on average."
        )

    def to_dict(self, weights: Mapping[str, int]) -> dict[str, Any]:
        """As a point of front.json has it under ``fusion``.

        Args:
            weights: of the cosines between the thresholds; empty for their plain sum.
        """
        return {
            "rule": "cascade",
            "first": self.cascade.first,
            "thresholds": {"reject_below": self.cascade.reject_below, "accept_from": self.cascade.accept_from},
            "weights": dict(weights) or None,
            "second_runs": {"genuine": self.cascade.runs, "impostor": self.cascade.impostor_runs},
            "expected_latency_s": self.latency_s,
            "expected_acquisition_s": self.acquisition_s,
            "expected_energy_mj": self.energy_mj,
            "effective_latency_s": self.effective_latency_s,
            "text": self.text,
        }
