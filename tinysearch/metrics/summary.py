"""All error rates of one branch or fusion, from the scores of its pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass

import numpy as np
import numpy.typing as npt

from tinysearch.core.cascade import Cascade
from tinysearch.core.error_rates import AnsweredRates, ErrorEvidence, ErrorRates
from tinysearch.core.pairs import Pairs
from tinysearch.metrics.agreement import Agreement, distance_histogram
from tinysearch.metrics.anomaly import area_interval, area_under_curve
from tinysearch.metrics.bootstrap import eer_interval, frr_interval, grouped_eers
from tinysearch.metrics.classification import Int32, error_interval
from tinysearch.metrics.rates import (
    DetCurve,
    det_curve,
    equal_error_rate,
    false_accept_rate,
    false_reject_rate,
    threshold_at_far,
)
from tinysearch.metrics.windows import UNKNOWN

CURVE_POINTS = 60
HISTOGRAM_BINS = 40
Scores = npt.NDArray[np.integer]


def error_rates(
    *,
    validation_scores: Scores,
    validation_pairs: Pairs,
    test_scores: Scores,
    test_pairs: Pairs,
    rng: np.random.Generator,
    branches: int = 1,
    far: Sequence[float] = (0.01, 0.1),
    resamples: int = 1000,
    evidence: ErrorEvidence = "trained",
    weights: Mapping[str, int] | None = None,
    cascade: Cascade | None = None,
    agreement: Agreement | None = None,
) -> ErrorRates:
    """Rates on test people, at thresholds that validation people set.

    Args:
        validation_scores, test_scores: fixed-point scores [P], one a pair, summed over branches.
        rng: draws the people of the bootstrap.
        branches: how many cosines a score sums.
        far: false accept rates to set thresholds for.
        resamples: of the bootstrap; 0 leaves the intervals unknown.
        evidence: where the embeddings come from.
        weights: by modality, with which the scores were fused; None for a plain sum.
        cascade: by which the scores were fused, with its shares of test pairs; None for a sum.
        agreement: of the two branches of a fusion on the test pairs.

    Returns:
        Curves are ``far`` and ``frr`` (the test curve thinned to about 60 points), ``distance`` (centers of 40 bins
        over 0 .. 2), ``genuine_histogram`` and ``impostor_histogram`` (shares of test pairs), and of a fusion
        ``agreement`` (the fields of :class:`Agreement` in their order).

    Raises:
        ValueError: a kind of pair is missing, or scores and pairs differ in number.
    """
    validation_genuine, validation_impostor = _split(validation_scores, validation_pairs)
    genuine, impostor = _split(test_scores, test_pairs)
    curve = det_curve(genuine, impostor)
    thresholds = {rate: threshold_at_far(validation_impostor, rate) for rate in far}
    interval = eer_interval(test_scores, test_pairs, rng=rng, resamples=resamples) if resamples else None
    eer = equal_error_rate(curve)
    persons = test_pairs.grouped()[0][test_pairs.genuine]
    return ErrorRates(
        eer=eer,
        evidence=evidence,
        eer_ci95=None if interval is None else (min(interval[0], eer), max(interval[1], eer)),
        eer_validation=equal_error_rate(det_curve(validation_genuine, validation_impostor)),
        frr_at_far={rate: false_reject_rate(genuine, threshold) for rate, threshold in thresholds.items()},
        frr_at_far_validation={
            rate: false_reject_rate(validation_genuine, threshold) for rate, threshold in thresholds.items()
        },
        frr_ci95_at_far={
            rate: frr_interval(genuine < threshold, persons, rng=rng, resamples=resamples)
            for rate, threshold in thresholds.items()
            if resamples
        },
        thresholds=thresholds,
        far_at_threshold={rate: false_accept_rate(impostor, threshold) for rate, threshold in thresholds.items()},
        people=test_pairs.people,
        genuine=len(genuine),
        impostor=len(impostor),
        impostor_validation=len(validation_impostor),
        curves={
            **_thinned(curve),
            "distance": ((np.arange(HISTOGRAM_BINS) + 0.5) * 2 / HISTOGRAM_BINS).tolist(),
            "genuine_histogram": distance_histogram(genuine, branches=branches, bins=HISTOGRAM_BINS).tolist(),
            "impostor_histogram": distance_histogram(impostor, branches=branches, bins=HISTOGRAM_BINS).tolist(),
            **({} if agreement is None else {"agreement": list(astuple(agreement))}),
        },
        weights=dict(weights or {}),
        cascade=cascade,
    )


def class_error_rates(
    *,
    validation_found: Int32,
    validation_labels: Int32,
    test_found: Int32,
    test_labels: Int32,
    rng: np.random.Generator,
    test_groups: Int32 | None = None,
    evidence: ErrorEvidence = "trained",
) -> ErrorRates:
    """Classification errors in the place of equal error rates: ``eer`` of test samples with its interval.

    A classification has no pairs and no false acceptances, so rates and thresholds by FAR stay empty.

    Args:
        validation_found, test_found: classes as decided, int32 [N]; ``.._labels`` as they are.
        rng: draws the groups of the bootstrap.
        test_groups: int32 [N], what test samples are from, over whose choice the interval is; None where samples are
            independent, which gives Wilson's interval.

    Raises:
        ValueError: no samples.
    """
    wrong = test_found != test_labels
    if not len(validation_labels) or not len(test_labels):
        raise ValueError("there must be validation and test samples for an error rate")
    return ErrorRates(
        eer=int(np.sum(wrong)) / len(test_labels),
        evidence=evidence,
        eer_ci95=_share_interval(wrong, test_groups, rng=rng),
        eer_validation=float(np.mean(validation_found != validation_labels)),
    )


def answered_rates(
    answers: Int32, labels: Int32, *, rng: np.random.Generator, groups: Int32 | None, smooth: int, reject: float
) -> AnsweredRates:
    """Shares of test windows that are answered with another class, and with ``unknown``, with their intervals.

    Args:
        answers: int32 [N], of :func:`tinysearch.metrics.windows.answer`; ``labels`` as they are.
        rng, groups: see :func:`class_error_rates`.
        smooth, reject: by which was answered.

    Raises:
        ValueError: no windows.
    """
    unknown = answers == UNKNOWN
    wrong = ~unknown & (answers != labels)
    return AnsweredRates(
        smooth=smooth,
        reject=reject,
        wrong=float(np.mean(wrong)),
        wrong_ci95=_share_interval(wrong, groups, rng=rng),
        unknown=float(np.mean(unknown)),
        unknown_ci95=_share_interval(unknown, groups, rng=rng),
    )


def _share_interval(
    told: npt.NDArray[np.bool_], groups: Int32 | None, *, rng: np.random.Generator
) -> tuple[float, float]:
    """Of a share of samples: over the choice of groups, or where there are none Wilson's."""
    return error_interval(int(np.sum(told)), len(told)) if groups is None else frr_interval(told, groups, rng=rng)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Distances:
    """How far the samples of a split are from what is normal.

    Attributes:
        anomalies, normals: int64 [A] and [N].
        anomaly_groups, normal_groups: int32, what each is from; samples of one group are not independent.
    """

    anomalies: npt.NDArray[np.int64]
    normals: npt.NDArray[np.int64]
    anomaly_groups: Int32
    normal_groups: Int32


def anomaly_error_rates(
    *,
    validation: Distances,
    test: Distances,
    rng: np.random.Generator,
    far: Sequence[float] = (0.01, 0.1),
    resamples: int = 1000,
    evidence: ErrorEvidence = "trained",
) -> ErrorRates:
    """Rates of raising an alarm at a distance, in the words of :mod:`tinysearch.metrics.anomaly`.

    ``eer`` is the rate at which as many normal samples raise an alarm as anomalies are missed. Thresholds are set by
    normal validation samples alone. Intervals are over the choice of groups.

    Args:
        far: shares of false alarms to set thresholds for.
        resamples: of the bootstrap, 1 or more.

    Raises:
        ValueError: a split without anomalies or without normal samples.
    """
    curve = det_curve(test.anomalies, test.normals)
    eer = equal_error_rate(curve)
    thresholds = {rate: threshold_at_far(validation.normals, rate) for rate in far}
    area = area_under_curve(test.anomalies, test.normals)
    area_low, area_high = area_interval(
        test.anomalies,
        test.normals,
        anomaly_groups=test.anomaly_groups,
        normal_groups=test.normal_groups,
        rng=rng,
        resamples=resamples,
    )
    low, high = np.quantile(
        grouped_eers(
            test.anomalies,
            test.normals,
            genuine_groups=test.anomaly_groups,
            impostor_groups=test.normal_groups,
            rng=rng,
            resamples=resamples,
        ),
        [0.025, 0.975],
    )
    return ErrorRates(
        eer=eer,
        evidence=evidence,
        eer_ci95=(min(float(low), eer), max(float(high), eer)),
        eer_validation=equal_error_rate(det_curve(validation.anomalies, validation.normals)),
        auc=area,
        auc_ci95=(min(area_low, area), max(area_high, area)),
        frr_at_far={rate: false_reject_rate(test.anomalies, threshold) for rate, threshold in thresholds.items()},
        frr_at_far_validation={
            rate: false_reject_rate(validation.anomalies, threshold) for rate, threshold in thresholds.items()
        },
        frr_ci95_at_far={
            rate: frr_interval(test.anomalies < threshold, test.anomaly_groups, rng=rng, resamples=resamples)
            for rate, threshold in thresholds.items()
        },
        thresholds=thresholds,
        far_at_threshold={rate: false_accept_rate(test.normals, threshold) for rate, threshold in thresholds.items()},
        genuine=len(test.anomalies),
        impostor=len(test.normals),
        impostor_validation=len(validation.normals),
        curves=_thinned(curve),
    )


def _split(scores: Scores, pairs: Pairs) -> tuple[Scores, Scores]:
    if len(scores) != len(pairs):
        raise ValueError(f"every pair must have one score: {len(scores)} scores for {len(pairs)} pairs")
    return scores[pairs.genuine], scores[~pairs.genuine]


def _thinned(curve: DetCurve) -> dict[str, list[float]]:
    """Points equally spaced along the curve of square roots, which keeps small rates visible; both ends stay."""
    steps = np.hypot(np.diff(np.sqrt(curve.far)), np.diff(np.sqrt(curve.frr)))
    along = np.concatenate([[0.0], np.cumsum(steps)])
    places = np.unique(np.searchsorted(along, np.linspace(0.0, along[-1], CURVE_POINTS)))
    return {"far": curve.far[places].tolist(), "frr": curve.frr[places].tolist()}
