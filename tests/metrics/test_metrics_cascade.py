"""Cascades: the first branch decides where it is sure, and the whole is no worse than the sum on validation people."""

import numpy as np
import pytest

from tinysearch.core.cascade import Cascade
from tinysearch.metrics import chosen_cascade, det_curve, equal_error_rate, fused, with_shares
from tinysearch.metrics.cascade import SURE

ONE = 1 << 20
PAIRS = 3000


def drawn(seed: int, *, apart: float = 2.0):
    rng = np.random.default_rng(seed)
    genuine = np.arange(2 * PAIRS) < PAIRS
    means = np.where(genuine, 0.4 + 0.15 * apart / 2, 0.4 - 0.15 * apart / 2)
    scores = {name: np.clip(rng.normal(means, 0.15), -1, 1) * ONE for name in ("face", "voice")}
    return {name: values.astype(np.int64) for name, values in scores.items()}, genuine


def eer(scores, genuine) -> float:
    return equal_error_rate(det_curve(scores[genuine], scores[~genuine]))


def test_the_second_branch_runs_between_the_thresholds_alone():
    cascade = Cascade(first="face", reject_below=100, accept_from=300, runs=1.0, impostor_runs=1.0)
    scores = {"face": np.array([99, 100, 299, 300]), "voice": np.array([ONE, -50, 7, -ONE])}
    assert fused(scores, weights={}, cascade=cascade).tolist() == [99 - SURE, 50, 306, 300 + SURE]
    shares = with_shares(cascade, scores["face"], np.array([True, True, False, False]))
    assert (shares.runs, shares.impostor_runs) == (0.5, 0.5)


@pytest.mark.parametrize("apart", [1.0, 2.0, 4.0])
def test_it_runs_less_at_the_same_error(apart: float):
    scores, genuine = drawn(0, apart=apart)
    cascade = chosen_cascade(scores, genuine, first="voice", far=0.01)
    both = fused(scores, weights={}, cascade=None)
    assert eer(fused(scores, weights={}, cascade=cascade), genuine) <= eer(both, genuine) + 1e-12
    assert cascade.runs + cascade.impostor_runs < 2.0
    early = np.mean(scores["voice"][~genuine] >= cascade.accept_from)
    assert early <= 0.005


def test_a_better_first_branch_runs_the_other_less():
    worse, better = (drawn(1, apart=apart) for apart in (1.0, 4.0))
    runs = [chosen_cascade(*pairs, first="face", far=0.02).runs for pairs in (worse, better)]
    assert runs[1] < runs[0]


def test_a_first_branch_without_errors_decides_alone():
    scores = {"face": np.array([5, 6, 1, 2]) * 1000, "voice": np.array([1, 2, 3, 4])}
    genuine = np.array([True, True, False, False])
    cascade = chosen_cascade(scores, genuine, first="face", far=0.0)
    assert (cascade.runs, cascade.impostor_runs) == (0.0, 0.0)
    assert eer(fused(scores, weights={}, cascade=cascade), genuine) == 0.0
