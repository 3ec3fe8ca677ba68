"""Cascades: the first branch decides where it is sure, and the whole is no worse than the sum on validation people."""

import numpy as np
import pytest

from tinysearch.core.cascade import Cascade
from tinysearch.metrics import (
    chosen_cascade,
    det_curve,
    equal_error_rate,
    false_reject_rate,
    fused,
    threshold_at_far,
    weighted_sum,
    with_shares,
)
from tinysearch.metrics.cascade import SURE

ONE = 1 << 20
PAIRS = 3000
EQUAL = {"face": 1.0, "voice": 1.0}


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


def frr(scores, genuine, far: float) -> float:
    return false_reject_rate(scores[genuine], threshold_at_far(scores[~genuine], far))


@pytest.mark.parametrize("far", [0.01, 0.1, None])
@pytest.mark.parametrize("apart", [1.0, 2.0, 4.0])
def test_it_runs_less_at_the_same_error(apart: float, far: float | None):
    scores, genuine = drawn(0, apart=apart)
    cascade, weights = chosen_cascade(scores, genuine, effort=EQUAL, first="voice", far=far)
    both, found = fused(scores, weights={}, cascade=None), fused(scores, weights=weights, cascade=cascade)
    assert eer(found, genuine) <= eer(both, genuine) + 1e-12
    assert cascade.runs < 1.0 and cascade.impostor_runs < 1.0
    if far is not None:
        assert frr(found, genuine, far) <= frr(both, genuine, far) + 1e-12
        assert np.mean(scores["voice"][~genuine] >= cascade.accept_from) <= far


def test_a_looser_operating_point_lets_the_first_branch_accept_more():
    scores, genuine = drawn(0, apart=1.0)
    runs = [chosen_cascade(scores, genuine, effort=EQUAL, first="face", far=far)[0].runs for far in (0.001, 0.1)]
    assert runs[1] < runs[0]


def test_a_better_first_branch_runs_the_other_less():
    worse, better = (drawn(1, apart=apart) for apart in (1.0, 4.0))
    runs = [chosen_cascade(*pairs, effort=EQUAL, first="face", far=0.02)[0].runs for pairs in (worse, better)]
    assert runs[1] < runs[0]


def test_the_branch_comes_first_with_which_an_attempt_takes_least():
    scores, genuine = drawn(2)
    for cheap, other in (("face", "voice"), ("voice", "face")):
        effort = {cheap: 1.0, other: 9.0}
        assert chosen_cascade(scores, genuine, effort=effort, first=None, far=0.05)[0].first == cheap
    better = scores | {"face": drawn(2, apart=6.0)[0]["face"]}
    found = chosen_cascade(better, genuine, effort={"face": 1.2, "voice": 1.0}, first=None, far=0.05)[0]
    assert found.first == "face"


def test_between_the_thresholds_a_poor_branch_weighs_less_where_that_saves_more():
    scores = {"face": drawn(3)[0]["face"], "voice": drawn(4, apart=1.0)[0]["voice"]}
    genuine = drawn(3)[1]
    cascade, weights = chosen_cascade(scores, genuine, effort=EQUAL, first="face", far=0.1)
    assert weights["face"] > weights["voice"]
    own = np.array([cascade.reject_below - 1, cascade.accept_from])
    both = {"face": np.append(own, cascade.accept_from - 1), "voice": np.array([0, 0, 5])}
    found = fused(both, weights=weights, cascade=cascade)
    assert found.tolist() == [own[0] - SURE, own[1] + SURE, weighted_sum(both, weights)[2]]


def test_a_first_branch_without_errors_decides_alone():
    scores = {"face": np.array([5, 6, 1, 2]) * 1000, "voice": np.array([1, 2, 3, 4])}
    genuine = np.array([True, True, False, False])
    cascade, weights = chosen_cascade(scores, genuine, effort=EQUAL, first="face", far=0.0)
    assert (cascade.runs, cascade.impostor_runs) == (0.0, 0.0)
    assert eer(fused(scores, weights=weights, cascade=cascade), genuine) == 0.0
