"""The operating point: the FAR that the firmware's threshold is set for, and what it means to the people at the door.

Rule: the threshold of a run is that of the strictest of its ``far=`` levels at which the best network of the front is
usable on validation people; of the loosest where none is. A network is *usable* where an owner is let in at the first
attempt at least four times out of five. Everything that is said of people is said at this point. For an anomaly task
FAR is the share of false alarms, and usable where at least four anomalies out of five raise one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from tinysearch.core.cascade import Cascade, CascadeFigures
from tinysearch.core.error_rates import FAILURES_TO_LOCK, AnsweredRates, ErrorRates, OperatingPoint
from tinysearch.core.evaluation import Evaluation
from tinysearch.core.limits import Limit
from tinysearch.core.objectives import FAR_OF_OBJECTIVE
from tinysearch.metrics.attempts import effective_latency_s, expected_attempts, known, lockout_chance

USABLE_FRR = 0.2
"""A network that rejects more of an owner's attempts is said to be hardly usable."""

NEVER = 1e-6
"""Chances below are not told as ``1 in ..``: attempts are not as independent as that."""


def operating_far(rates: Iterable[ErrorRates], levels: Sequence[float]) -> float | None:
    """The FAR to set thresholds for, by the rule above; None where no FRR at any level is known.

    Args:
        rates: of the front's points; the lowest deciding EER is the best.
        levels: false accept rates to choose from.
    """
    rated = [found for found in rates if found.decision_eer is not None and set(levels) & found.frr_at_far.keys()]
    if not rated:
        return None
    best = min(rated, key=lambda found: found.decision_eer or 0.0)
    candidates = sorted(set(levels) & best.frr_at_far.keys())
    usable = [far for far in candidates if best.decision_frr_at_far.get(far, best.frr_at_far[far]) <= USABLE_FRR]
    return usable[0] if usable else candidates[-1]


def rated(
    evaluation: Evaluation, rates: ErrorRates, *, far: float | None = None, limits: Sequence[Limit] = ()
) -> Evaluation:
    """An evaluation with error rates and what follows from them for people.

    Args:
        far: of the operating point; None, or one at which no FRR is known, leaves that unknown.
        limits: those of errors are judged by the rates that decide.
    """
    found = _rated(evaluation, rates, far=far)
    found = replace(found, cascade=_cascade_figures(found, rates.cascade))
    frr = {name: rates.decision_frr_at_far.get(level) for name, level in FAR_OF_OBJECTIVE.items()}
    retried = {name: effective_latency_s(evaluation.attempt_s, at) for name, at in frr.items() if at is not None}
    values = {"eer": rates.decision_eer, **{name: float(value) for name, value in retried.items()}}
    known = [(limit, values.get(limit.objective)) for limit in limits if limit.is_error]
    broken = [limit.violation(value) for limit, value in known if value is not None]
    return replace(found, violations=(*found.violations, *(each for each in broken if each is not None)))


def _rated(evaluation: Evaluation, rates: ErrorRates, *, far: float | None) -> Evaluation:
    if evaluation.decision == "anomaly":
        point = None if far is None else _alarm_point(rates, far)
        return replace(evaluation, errors=rates, operating_point=point)
    attempt_s = evaluation.attempt_s
    return replace(
        evaluation,
        errors=rates,
        effective_latency_s={
            level: known(effective_latency_s(attempt_s, frr)) for level, frr in rates.frr_at_far.items()
        },
        operating_point=None if far is None else _operating_point(rates, far, attempt_s=attempt_s),
    )


def _cascade_figures(evaluation: Evaluation, cascade: Cascade | None) -> CascadeFigures | None:
    """Means over an owner's attempts. Energy is the power of one core times time, so it shrinks as the latency does."""
    if cascade is None:
        return None

    def mean(parts: Mapping[str, float]) -> float:
        rest = sum(value for name, value in parts.items() if name != cascade.first)
        return parts[cascade.first] + cascade.runs * rest

    (second,) = evaluation.details["branch_latency_s"].keys() - {cascade.first}
    latency = mean(evaluation.details["branch_latency_s"])
    acquisition = mean(evaluation.details["branch_acquisition_s"])
    point, energy = evaluation.operating_point, evaluation.energy_mj
    return CascadeFigures(
        cascade=cascade,
        second=second,
        latency_s=latency,
        acquisition_s=acquisition,
        energy_mj=None if energy is None else energy * latency / evaluation.latency_s,
        effective_latency_s=None if point is None else known(effective_latency_s(acquisition + latency, point.frr)),
    )


def _operating_point(rates: ErrorRates, far: float, *, attempt_s: float) -> OperatingPoint | None:
    """The operating point of a verification: whoever is rejected tries again, until the lock is closed."""
    point = _alarm_point(rates, far)
    if point is None:
        return None
    return replace(
        point,
        # The paper states no FRR: those beside its EERs are of the same model as predicted EERs.
        evidence="surrogate" if rates.evidence == "published" else rates.evidence,
        attempts=known(expected_attempts(point.frr)),
        effective_latency_s=known(effective_latency_s(attempt_s, point.frr)),
        locked_out=float(lockout_chance(point.frr, failures=FAILURES_TO_LOCK)),
    )


def _alarm_point(rates: ErrorRates, far: float) -> OperatingPoint | None:
    """The operating point of an anomaly task: nobody tries again, and nobody is locked out."""
    frr = rates.frr_at_far.get(far)
    if frr is None:
        return None
    return OperatingPoint(
        far=far,
        far_test=rates.far_at_threshold.get(far),
        frr=frr,
        frr_ci95=rates.frr_ci95_at_far.get(far),
        evidence=rates.evidence,
        attempts=None,
        effective_latency_s=None,
        locked_out=None,
        usable=frr <= USABLE_FRR,
        threshold=rates.thresholds.get(far),
    )


def in_words(point: OperatingPoint) -> str:
    """What an operating point means to strangers and owners, for report cards, terminal and README alike."""
    bounds = "" if point.frr_ci95 is None else f" [{100 * point.frr_ci95[0]:.1f}-{100 * point.frr_ci95[1]:.1f} %]"
    if not point.retried:
        verdict = "" if point.usable else f"Hardly usable (rule: up to {100 * USABLE_FRR:g} % missed). "
        false = "" if point.far_test is None else f", {100 * point.far_test:.1f} % with the test data"
        return (
            f"{verdict}Set for false alarms at {100 * point.far:g} % of what is normal{false}, it misses "
            f"{100 * point.frr:.1f} %{bounds} of anomalies."
        )
    owner = f"rejects {100 * point.frr:.1f} %{bounds} of an owner's attempts{_one_in(point.frr)}"
    if point.attempts is None or point.locked_out is None:
        return f"At FAR {100 * point.far:g} % it {owner}: it is not usable."
    times = f"an owner is in after {point.attempts:.2f} attempts on average"
    verdict = "" if point.usable else f"Hardly usable (rule: up to {100 * USABLE_FRR:g} % rejected). "
    return f"{verdict}At FAR {100 * point.far:g} % it {owner}; {times}, {_locked(point.locked_out)}."


def answers_in_words(rates: AnsweredRates) -> str:
    """What a classification's device answers, for report cards and terminal alike."""
    wrong, unknown = (
        f"{100 * rate:.1f} % [{100 * low:.1f}-{100 * high:.1f} %]"
        for rate, (low, high) in ((rates.wrong, rates.wrong_ci95), (rates.unknown, rates.unknown_ci95))
    )
    over = f"scores of {rates.smooth} windows added" if rates.smooth > 1 else "each window by itself"
    return (
        f"On the device, {over}, {wrong} of test windows are answered with another class and {unknown} with unknown "
        f"(thresholds give up {100 * rates.reject:g} % of right answers on validation data)."
    )


def _one_in(rate: float) -> str:
    return f", 1 in {round(1 / rate)}" if 0 < rate < 0.4 else ""


def _locked(chance: float) -> str:
    often = "less than once in a million visits" if chance < NEVER else f"in 1 of {1 / chance:,.0f} visits"
    return f"and locked out by {FAILURES_TO_LOCK} failures in a row {often}"
