"""Error rates with the evidence behind them, and what they mean where a device decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tinysearch.core.cascade import Cascade

ErrorEvidence = Literal["trained", "table", "published", "surrogate", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredRates:
    """How a device answers test windows that follow each other, by thresholds of validation data; in fractions.

    Attributes:
        smooth: windows of one recording whose scores are added before an answer.
        reject: share of right answers on validation data that thresholds were set to give up.
        wrong, wrong_ci95: share that is answered with another class, and its interval.
        unknown, unknown_ci95: share that is answered ``unknown``, and its interval.
    """

    smooth: int
    reject: float
    wrong: float
    wrong_ci95: tuple[float, float]
    unknown: float
    unknown_ci95: tuple[float, float]

    @classmethod
    def of_dict(cls, value: Mapping[str, Any]) -> AnsweredRates:
        """As ``dataclasses.asdict`` writes it, through JSON.

        Raises:
            KeyError, TypeError, ValueError: it is something else.
        """
        bounds = {name: (float(value[name][0]), float(value[name][1])) for name in ("wrong_ci95", "unknown_ci95")}
        return cls(**{**value, **bounds})


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRates:
    """Error rates of one branch or one fusion of branches. Rates are fractions.

    Attributes:
        eer: equal error rate on test people, of a classification the share of wrongly classified test samples; None
            where nothing was trained.
        eer_ci95: bootstrap interval over people, or the interval of the table; None where unknown.
        eer_validation: equal error rate on validation people, by which the search decides; equals ``eer`` for tables.
        frr_at_far: FRR by FAR (0.01, 0.1) on test people at the threshold from validation people.
        frr_at_far_validation: the same on the validation people, by which the search decides; empty for tables.
        frr_ci95_at_far: bootstrap interval of ``frr_at_far`` over test people; empty where unknown.
        thresholds: accepting score by FAR, fixed point as in the firmware (sum of cosines over branches), from
            validation people; without the FARs that these have too few pairs for.
        far_at_threshold: by the FAR that a threshold was set for, the FAR of test people at it.
        people, genuine, impostor: how many test people and pairs stand behind it.
        impostor_validation: how many impostor pairs of validation people the thresholds rest on; 0 where unknown.
        curves: arrays for the report by name ("far", "frr", "genuine_histogram" ...), possibly empty.
        weights: by modality, with which the scores of a fusion are added, fixed point
            (:mod:`tinysearch.metrics.fusion`); empty for the plain sum.
        cascade: when one branch of a fusion decides alone; None where all always run.
        auc, auc_ci95: of an anomaly task the chance that an anomaly is farther from what was seen than a normal test
            sample, and its interval; None for others. There an alarm is what is accepted, so that FAR is the share of
            normal samples with an alarm, and FRR the share of anomalies without (:mod:`tinysearch.metrics.anomaly`).
        answered: of a classification, how a device answers; None for others, and where nothing is ever recognized.
    """

    eer: float | None
    evidence: ErrorEvidence
    eer_ci95: tuple[float, float] | None = None
    eer_validation: float | None = None
    frr_at_far: Mapping[float, float] = field(default_factory=dict)
    frr_at_far_validation: Mapping[float, float] = field(default_factory=dict)
    frr_ci95_at_far: Mapping[float, tuple[float, float]] = field(default_factory=dict)
    thresholds: Mapping[float, int] = field(default_factory=dict)
    far_at_threshold: Mapping[float, float] = field(default_factory=dict)
    people: int = 0
    genuine: int = 0
    impostor: int = 0
    impostor_validation: int = 0
    curves: Mapping[str, list[float]] = field(default_factory=dict)
    weights: Mapping[str, int] = field(default_factory=dict)
    cascade: Cascade | None = None
    auc: float | None = None
    auc_ci95: tuple[float, float] | None = None
    answered: AnsweredRates | None = None

    @property
    def decision_eer(self) -> float | None:
        """The rate that the search minimizes."""
        return self.eer if self.eer_validation is None else self.eer_validation

    @property
    def decision_frr_at_far(self) -> Mapping[float, float]:
        """The false reject rates by which the search decides."""
        return self.frr_at_far_validation or self.frr_at_far


NO_ERROR_RATES = ErrorRates(eer=None, evidence="none")


FAILURES_TO_LOCK = 5
"""Failed attempts in a row after which the firmware locks, unless menuconfig says otherwise (``TS_ATTEMPTS``)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatingPoint:
    """At which FAR the firmware's threshold is set, and what that means to an owner. Rates are fractions.

    Attributes:
        far: false accept rate that the threshold is set for.
        far_test: false accept rate of test people at that threshold; None where unknown.
        frr, frr_ci95: share of an owner's attempts that are rejected, and its interval over test people.
        evidence: where ``frr`` comes from.
        attempts: mean number of attempts until an owner is in; None if that never happens.
        effective_latency_s: mean time until then, capturing and computing in every attempt.
        locked_out: chance that an owner fails :data:`FAILURES_TO_LOCK` times in a row, attempts being independent;
            None, as ``attempts`` and ``effective_latency_s``, for an anomaly task, where nobody tries again.
        usable: whether the FRR leaves it usable, by the rule of :mod:`tinysearch.evaluation.operating`.
        threshold: accepting score, fixed point as in the firmware; None where no network was trained here.
    """

    far: float
    far_test: float | None
    frr: float
    frr_ci95: tuple[float, float] | None
    evidence: ErrorEvidence
    attempts: float | None
    effective_latency_s: float | None
    locked_out: float | None
    usable: bool
    threshold: int | None

    @property
    def retried(self) -> bool:
        """Whether whoever is rejected tries again; nobody does of an anomaly task."""
        return self.locked_out is not None

    def to_dict(self) -> dict[str, Any]:
        """As a point of front.json has it."""
        return {
            "far": self.far,
            "far_test": self.far_test,
            "frr": self.frr,
            "frr_ci95": None if self.frr_ci95 is None else list(self.frr_ci95),
            "evidence": self.evidence,
            "attempts": self.attempts,
            "effective_latency_s": self.effective_latency_s,
            "locked_out": self.locked_out,
            "usable": self.usable,
            "threshold": self.threshold,
            "threshold_from": None if self.threshold is None else "validation",
        }
