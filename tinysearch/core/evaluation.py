"""The evaluation of one candidate: every figure that is known of it, and the point of front.json."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from tinysearch.core.bill import BomLine, OrderNote
from tinysearch.core.candidate import BranchSpec, Candidate
from tinysearch.core.cascade import CascadeFigures
from tinysearch.core.error_rates import NO_ERROR_RATES, ErrorRates, OperatingPoint
from tinysearch.core.limits import Violation
from tinysearch.core.power import PowerReport
from tinysearch.core.task import Decision

LatencyEvidence = Literal["calibrated", "uncalibrated"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchFigures:
    """Analytic figures of one branch: parameters, MACs, weights in flash and arena (bytes), latency (s)."""

    params: int
    macs: int
    weight_bytes: int
    arena_bytes: int
    latency_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Everything known of one candidate; ``to_dict`` gives the point of front.json.

    Attributes:
        figures: by modality.
        sensors: parts that sense, by name.
        flash_bytes, ram_bytes, psram_bytes: what the firmware needs; a board may carry PSRAM that nothing lies in.
        latency_range_s: low and high estimate of ``latency_s``.
        acquisition_s: capture and front-end of one attempt, before the networks.
        effective_latency_s: by FAR, the mean time until an owner who retries is accepted; without FARs whose FRR is not
            known, None where nobody is ever accepted.
        operating_point: what the firmware's threshold means to people; None where no FRR is known.
        violations: broken rules; empty means feasible.
        order: whether the bill is one that can be ordered; None for a board that nobody sells.
        power: average power and battery life; None where neither a schedule nor a battery asks for it.
        decision: of the task; an error rate of a verification is its EER.
        input_kinds: by modality.
        cascade: means over attempts, where one branch decides alone when it is sure; ``latency_s`` is of both.
        details: figures for the report that no outsider relies on (memory map, layer times ...), JSON-able.
    """

    candidate: Candidate
    figures: Mapping[str, BranchFigures]
    sensors: tuple[str, ...]
    flash_bytes: int
    ram_bytes: int
    psram_bytes: int
    bom: tuple[BomLine, ...]
    latency_s: float
    latency_range_s: tuple[float, float]
    latency_evidence: LatencyEvidence
    acquisition_s: float
    energy_mj: float | None
    violations: tuple[Violation, ...] = ()
    errors: ErrorRates = NO_ERROR_RATES
    order: OrderNote | None = None
    effective_latency_s: Mapping[float, float | None] = field(default_factory=dict)
    operating_point: OperatingPoint | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    power: PowerReport | None = None
    decision: Decision = "verification"
    input_kinds: Mapping[str, str] = field(default_factory=dict)
    cascade: CascadeFigures | None = None

    @property
    def feasible(self) -> bool:
        return not self.violations

    @property
    def bom_cost_usd(self) -> float | None:
        """Sum of the bill of materials; None for a board that nobody sells."""
        return sum(line.usd for line in self.bom) if self.bom else None

    @property
    def attempt_s(self) -> float:
        """One whole attempt: capture and front-end, then inference. Whoever is rejected waits for another."""
        return self.acquisition_s + self.latency_s

    def values(self) -> dict[str, float | None]:
        """Objective values by name, and the time of capture."""
        return {
            "eer": self.errors.eer,
            "bom_cost_usd": None if self.bom_cost_usd is None else round(self.bom_cost_usd, 4),
            "latency_s": self.latency_s,
            "acquisition_s": self.acquisition_s,
            "effective_latency_far1_s": self.effective_latency_s.get(0.01),
            "effective_latency_far10_s": self.effective_latency_s.get(0.1),
            "flash_bytes": self.flash_bytes,
            "ram_bytes": self.ram_bytes,
            "energy_mj": self.energy_mj,
            **self._power_values(),
        }

    def _power_values(self) -> dict[str, float | None]:
        """Average power, and days where there is a battery; nothing where nobody asked."""
        if self.power is None:
            return {}
        days = {"battery_days": self.power.battery_days} if self.power.battery else {}
        return {"power_mw": self.power.total_mw, **days}

    def _area(self) -> dict[str, Any]:
        """The area under the curve of an anomaly task."""
        if self.decision != "anomaly":
            return {}
        bounds = self.errors.auc_ci95
        return {"auc": self.errors.auc, "auc_ci95": None if bounds is None else list(bounds)}

    def to_dict(self) -> dict[str, Any]:
        """The point as front.json spells it, with feasibility and violations; ``firmware`` is null until emitted."""
        platform = self.candidate.platform
        shown = self.values()
        return {
            "id": self.candidate.id,
            "modality": self.candidate.modality,
            "decision": self.decision,
            "branches": {
                branch.modality: _branch_dict(
                    branch, self.figures[branch.modality], self.input_kinds.get(branch.modality)
                )
                for branch in self.candidate.branches
            },
            "platform": {
                "processor": self.details.get("family", platform.processor),
                "chip": platform.processor,
                "cores": self.details.get("cores"),
                "flash_bytes": platform.flash_bytes,
                "psram_bytes": platform.psram_bytes,
                "sensors": list(self.sensors),
                "board": platform.board,
                **platform.execution.to_dict(),
                **({"text": platform.execution.text} if platform.execution.text else {}),
            },
            "requires": {
                "flash_bytes": self.flash_bytes,
                "ram_bytes": self.ram_bytes,
                "psram_bytes": self.psram_bytes,
            },
            "bom": [line.to_dict() for line in self.bom],
            "order": None if self.order is None else self.order.to_dict(),
            "values": {
                "error": shown["eer"],
                "error_ci95": None if self.errors.eer_ci95 is None else list(self.errors.eer_ci95),
                "eer": shown["eer"],
                "eer_ci95": None if self.errors.eer_ci95 is None else list(self.errors.eer_ci95),
                "eer_validation": self.errors.eer_validation,
                **self._area(),
                "bom_cost_usd": shown["bom_cost_usd"],
                "latency_s": self.latency_s,
                "latency_range_s": list(self.latency_range_s),
                "acquisition_s": self.acquisition_s,
                "effective_latency_far1_s": shown["effective_latency_far1_s"],
                "effective_latency_far10_s": shown["effective_latency_far10_s"],
                "energy_mj": self.energy_mj,
                **self._power_values(),
            },
            **({} if self.cascade is None else {"fusion": self.cascade.to_dict(self.errors.weights)}),
            **({} if self.power is None else {"power": self.power.to_dict()}),
            "operating_point": None if self.operating_point is None else self.operating_point.to_dict(),
            **({} if self.errors.answered is None else {"answered": asdict(self.errors.answered)}),
            "evidence": {"eer": self.errors.evidence, "latency": self.latency_evidence},
            "firmware": None,
            "feasible": self.feasible,
            "violations": [violation.to_dict() for violation in self.violations],
        }


def _branch_dict(branch: BranchSpec, figures: BranchFigures, kind: str | None) -> dict[str, Any]:
    """A branch as front.json spells it: what its family knows of it, then figures."""
    own = branch.architecture.parameters()
    return {
        "input_kind": kind,
        "architecture": branch.architecture.family,
        "layout": branch.architecture.label,
        "parameters": own,
        "precision": str(branch.precision),
        "input_size": branch.input_size,
        "channels": branch.channels,
        **({} if branch.frames is None else {"frames": branch.frames}),
        **{name: own[name] for name in ("blocks", "width", "embedding") if name in own},
        "params": figures.params,
        "macs": figures.macs,
        "weight_bytes": figures.weight_bytes,
    }
