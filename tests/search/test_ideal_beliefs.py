"""The benchmark's beliefs of one who knows the laws by which error rates are drawn."""

from __future__ import annotations

import numpy as np
from drawn_errors import WORST, DrawnErrors
from ideal_beliefs import LawSurrogate

from tinysearch.search.memoized.evidence import Evidence


def test_they_are_as_sure_as_they_may_be(space):
    beliefs, squares, wrong = LawSurrogate(space.table), [], []
    for seed in range(12):
        errors = DrawnErrors(space, seed=seed)
        truth = np.array([errors.error_rates([branch]).eer for branch in space.table.branches])
        order = np.random.default_rng(seed).permutation(len(truth))
        known, wanted = order[:12], order[12:]
        metrics = truth[known][:, None]
        seen = Evidence(branches=known, metrics=metrics, implied=metrics, spreads=np.zeros(len(known)))
        drawn = beliefs.posterior(seen, wanted).draw(480, np.random.default_rng(0))[:, :, 0]
        inside = truth[wanted] < WORST - 1e-6
        off = (np.log(truth[wanted]) - drawn.mean(axis=0))[inside]
        squares += ((off / drawn.std(axis=0)[inside]) ** 2).tolist()
        wrong += np.abs(off).tolist()
    assert 0.6 < np.mean(squares) < 1.6
    # Knowing no more than the laws' first guess they are off by 0.35.
    assert np.mean(wrong) < 0.16
