"""What is known of branches, as the surrogate sees it: trainings, hints, other tables."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tinysearch.search.known.design import Floats, Ints
from tinysearch.search.known.fidelity import ToldErrors
from tinysearch.search.known.knowledge import Knowledge
from tinysearch.search.memoized.covariance import LEVEL_TOLD, prior_mean
from tinysearch.search.memoized.told import Told

LOG_FLOOR = -9.2
"""Rates below exp of this (one in ten thousand) count as this."""

MOST_POINTS, MOST_WEIGHED = 256, 48
"""A Gaussian process costs the cube of its points: a prediction looks at so many trained branches, the latest, and the
weighing of hypotheses, which makes a process for each, at so many."""

FIRST_GUESS = float(np.log(0.15))
"""Logarithm of the metrics of a middling branch before any is trained."""

SHARES = (0.0, 0.5, 1.0)
"""How far a branch's error is taken to be what its fusions imply: one training may be lucky, many hardly all are."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evidence:
    """What is known of branches, exactly or by hints.

    Attributes:
        branches: int64 [k].
        metrics: float64 [k, M], NaN where unknown.
        implied: float64 [k, M], what the fusions with these branches imply.
        spreads: float64 [k], standard deviation of a log metric beside the scatter of trainings: 0 for what is trained.
        sources: what tables and runs of elsewhere tell.
    """

    branches: Ints
    metrics: Floats
    implied: Floats
    spreads: Floats
    sources: tuple[ToldErrors, ...] = ()

    def latest(self, most: int) -> Evidence:
        """The same of the last branches only."""
        kept = slice(max(0, len(self.branches) - most), None)
        return replace(
            self,
            branches=self.branches[kept],
            metrics=self.metrics[kept],
            implied=self.implied[kept],
            spreads=self.spreads[kept],
        )


def evidence_of(knowledge: Knowledge) -> Evidence:
    """Hints about untrained branches, then trained ones in their order, the recent ones if there are very many."""
    order = np.array(knowledge.order[-MOST_POINTS:], np.int64)
    # A hint is an EER, so it says nothing where the search asks for other error rates.
    hints = knowledge.hints if knowledge.objectives.metrics[:1] == ("eer",) else {}
    hinted = [b for b in sorted(hints) if not knowledge.known[b]]
    metrics = np.full((len(hinted), len(knowledge.objectives.metrics)), np.nan)
    metrics[:, :1] = [[knowledge.hints[b].eer] for b in hinted] if hinted else np.zeros((0, 1))
    trained = knowledge.branch_metrics[order]
    return Evidence(
        branches=np.concatenate([np.array(hinted, np.int64), order]),
        metrics=np.concatenate([metrics, trained]),
        implied=np.concatenate([metrics, knowledge.relation.implied(order, trained)]),
        spreads=np.array([knowledge.hints[b].spread for b in hinted] + [0.0] * len(order)),
        sources=knowledge.sources,
    )


class Levels:
    """What is known as residuals of a common latent log error, for every share that its fusions may have in it.

    Attributes:
        levels, ratios: float64 [M] by share, see :func:`levels_of`.
        residuals: float64 [r, k], beyond the first guess.

    Args:
        x: features [k, 11] of the evidence's branches.
        told, shift: what a source says, and the part of the first guess [k] that is its.
    """

    def __init__(self, x: Floats, evidence: Evidence, *, told: Told | None = None, shift: Floats | None = None) -> None:
        first_guess = prior_mean(x) if shift is None else prior_mean(x) + shift
        level = FIRST_GUESS if told is None else FIRST_GUESS + told.trust * LEVEL_TOLD * (told.level - FIRST_GUESS)
        self.levels: list[Floats] = []
        self.ratios: list[Floats] = []
        residuals = []
        # Without fusions all shares are the same hypothesis, which must not stand for several.
        shares = SHARES if not np.array_equal(evidence.implied, evidence.metrics, equal_nan=True) else SHARES[:1]
        for share in shares:
            mixed = evidence.metrics + share * (evidence.implied - evidence.metrics)
            y = np.log(np.maximum(mixed, np.exp(LOG_FLOOR)))
            level_of, ratio = levels_of(y, first_guess, level)
            latent = np.nanmean((y - level_of) / ratio, axis=1) if len(y) else np.zeros(0)
            self.levels.append(level_of)
            self.ratios.append(ratio)
            residuals.append(latent - first_guess)
        self.residuals = np.stack(residuals)


def levels_of(y: Floats, expected: Floats, guess: float) -> tuple[Floats, Floats]:
    """Level and ratio [M] that map each log metric to the common latent one.

    The level is the mean excess over what is expected, where ``guess`` counts like one observation; metrics beyond the
    first take their spread relative to the first's.
    """
    seen = ~np.isnan(y)
    excess = np.where(seen, y - expected[:, None], 0.0)
    level = (guess + excess.sum(axis=0)) / (seen.sum(axis=0) + 1)
    whole = y[seen.all(axis=1)]
    if not len(whole):
        return level, np.ones(y.shape[1])
    spread = np.sqrt((((whole - whole.mean(axis=0)) ** 2).sum(axis=0) + 4 * 0.4**2) / (len(whole) + 4))
    return level, spread / spread[:1]
