"""Error rates of verification: arrays in, numbers out.

Words are those of the paper: FAR (ISO: FMR) is the share of impostor pairs that are accepted, FRR (ISO: FNMR) the
share of genuine pairs that are rejected. A pair is accepted iff its score reaches the threshold; scores are fixed-point
integers as in the firmware (:data:`tinysearch.core.quantization.COSINE_FRACTION_BITS`), summed over the branches of a
fusion.
"""

from tinysearch.metrics.agreement import Agreement, agreement, distances
from tinysearch.metrics.bootstrap import eer_interval
from tinysearch.metrics.pairs import Pairs
from tinysearch.metrics.rates import (
    DetCurve,
    det_curve,
    effective_latency_s,
    equal_error_rate,
    false_accept_rate,
    false_reject_rate,
    threshold_at_far,
)
from tinysearch.metrics.scores import fused_scores, score_pairs
from tinysearch.metrics.summary import error_rates

__all__ = [
    "Agreement",
    "DetCurve",
    "Pairs",
    "agreement",
    "det_curve",
    "distances",
    "eer_interval",
    "effective_latency_s",
    "equal_error_rate",
    "error_rates",
    "false_accept_rate",
    "false_reject_rate",
    "fused_scores",
    "score_pairs",
    "threshold_at_far",
]
