"""Error rates of verification: arrays in, numbers out.

Words are those of the paper: FAR (ISO: FMR) is the share of impostor pairs that are accepted, FRR (ISO: FNMR) the
share of genuine pairs that are rejected. A pair is accepted iff its score reaches the threshold; scores are fixed-point
integers as in the firmware (:data:`tinysearch.core.quantization.COSINE_FRACTION_BITS`), of a fusion the sum over its
branches, or a weighted one. Classification uses the same cosines, to one prototype a class; anomalies are far from what
is normal.
"""

from tinysearch.core.pairs import Pairs
from tinysearch.metrics.agreement import Agreement, agreement, distances
from tinysearch.metrics.anomaly import NormalModel, anomaly_distances, area_interval, area_under_curve, normal_model
from tinysearch.metrics.attempts import effective_latency_s, expected_attempts, known, lockout_chance
from tinysearch.metrics.bootstrap import eer_interval, frr_interval
from tinysearch.metrics.cascade import chosen_cascade, fused, with_shares
from tinysearch.metrics.classification import class_prototypes, class_scores, classify, error_interval
from tinysearch.metrics.fusion import FUSION_RULES, FusionRule, integer_weights, learned_weights, weighted_sum
from tinysearch.metrics.rates import (
    DetCurve,
    det_curve,
    equal_error_rate,
    false_accept_rate,
    false_reject_rate,
    smallest_far,
    threshold_at_far,
)
from tinysearch.metrics.scores import branch_scores, fused_scores, score_pairs
from tinysearch.metrics.summary import Distances, anomaly_error_rates, answered_rates, class_error_rates, error_rates

__all__ = [
    "FUSION_RULES",
    "Agreement",
    "DetCurve",
    "Distances",
    "FusionRule",
    "NormalModel",
    "Pairs",
    "agreement",
    "anomaly_distances",
    "anomaly_error_rates",
    "answered_rates",
    "area_interval",
    "area_under_curve",
    "branch_scores",
    "chosen_cascade",
    "class_error_rates",
    "class_prototypes",
    "class_scores",
    "classify",
    "det_curve",
    "distances",
    "eer_interval",
    "effective_latency_s",
    "equal_error_rate",
    "error_interval",
    "error_rates",
    "expected_attempts",
    "false_accept_rate",
    "false_reject_rate",
    "frr_interval",
    "fused",
    "fused_scores",
    "integer_weights",
    "known",
    "learned_weights",
    "lockout_chance",
    "normal_model",
    "score_pairs",
    "smallest_far",
    "threshold_at_far",
    "weighted_sum",
    "with_shares",
]
