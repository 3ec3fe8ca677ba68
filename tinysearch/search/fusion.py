"""The error of a fusion predicted from its branches.

Scores of matchers are roughly normal, and then the sum of two independent ones adds their evidence: with d' the distance
of genuine and impostor scores in standard deviations, an equal error rate is the normal distribution function at -d'/2,
and two matchers of like spread fuse to (d'1 + d'2) / sqrt(2). So the relation is linear in the *probit* of the error (the
inverse of that function), starts from there, and learns how far it is not so, in general and for each branch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from tinysearch.search.design import NO_BRANCH, Floats, Ints

WEIGHT = float(np.sqrt(0.5))
"""Of both branches before anything is seen: independent normal scores of like spread, added."""

MIDDLE = -1.0
"""Probit of a middling branch, where the first guess of the offset holds: an error of 16 %, for an EER."""

OFFSET, SLOPE = 0.1, 0.2
"""Standard deviations of the first guess: at the middle, and in a unit of a branch's probit."""

EFFECT, SCATTER = 0.015, 0.03
"""First guesses, as standard deviations of a probit: what is particular to a branch in all its fusions, and the rest."""

DOUBT = 4.0
"""Each first guess counts like so many observations."""

TAILS = 3.0
"""Degrees of freedom of the effects: a branch that failed to train must not make the fusions of all others doubtful."""

ROUNDS = 6
"""Of estimating these two from what they imply."""

MOST_EFFECTS = 100
"""Only of so many branches, the latest, what is particular to them is kept: its cost is cubic in them."""

FARTHEST = 3.7
"""Probits are held within this: error rates of one in ten thousand and less count alike."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Fit:
    """Posterior of one metric.

    Attributes:
        mean: float64 [3 + e], offset and weights, then the effects of branches.
        root: float64 [3 + e, 3 + e]; ``mean + root @ z`` with z standard normal is a draw.
        effect, scatter: standard deviations of the effects and of the rest.
    """

    mean: Floats
    root: Floats
    effect: float
    scatter: float


class FusionRelation:
    """Per metric, ``probit fused = c + a probit first + b probit second + effects of both branches + scatter``.

    A Bayesian linear model with normal priors; the spreads of effects and scatter are estimated with it (expectation
    maximization). An effect is what a branch's own error does not tell of its fusions: that its scores are spread
    otherwise than its like, or that its error was lucky. Probits are of errors relative to chance, so that chance is 0.

    Args:
        chance: float64 [M], the metrics of a guess.
    """

    def __init__(self, chance: Floats) -> None:
        self._half = 2.0 * np.asarray(chance, np.float64)
        self._branches: list[tuple[int, int]] = []
        self._probits: list[Floats] = []
        self._fits: tuple[_Fit, ...] | None = None
        self._column: dict[int, int] = {}

    def observe(self, first: int, second: int, metrics: Floats) -> None:
        """Take in one fusion.

        Args:
            first, second: its branches, by index; -1 for branches of elsewhere.
            metrics: float64 [3, M], of the first, of the second and of their fusion.
        """
        self._branches.append((first, second))
        self._probits.append(self._probit(metrics))
        self._fits = None

    def draw(self, pairs: Ints, branch_metrics: Floats, rng: np.random.Generator) -> Floats:
        """Joint draws of the metrics of fusions, float64 [S, n, M].

        Args:
            pairs: int64 [n, 2], branches by index.
            branch_metrics: float64 [S, B, M], the metrics of branches in each draw.
        """
        draws = len(branch_metrics)
        probits = self._probit(branch_metrics)
        out = np.empty((draws, len(pairs), branch_metrics.shape[2]))
        for k, fit in enumerate(self._fitted()):
            z = rng.standard_normal((draws, len(fit.mean)))
            drawn = fit.mean + z @ fit.root.T
            effects = fit.effect * rng.standard_normal((draws, branch_metrics.shape[1]))
            effects[:, list(self._column)] = drawn[:, 3:]
            first, second = (WEIGHT * probits[:, :, k] + drawn[:, i, None] * (probits[:, :, k] - MIDDLE) + effects for i in (1, 2))
            scatter = fit.scatter * rng.standard_normal((draws, len(pairs)))
            out[:, :, k] = drawn[:, :1] + first[:, pairs[:, 0]] + second[:, pairs[:, 1]] + scatter
        return self._error(out)

    def lucky(self, pairs: Ints, first: Floats, second: Floats, *, spreads: float) -> Floats:
        """Metrics [n, M] of fusions that turn out so many standard deviations better than expected.

        Args:
            pairs: int64 [n, 2], branches by index.
            first, second: their metrics [n, M].
        """
        x, fits = self._probit(np.stack([first, second])), self._fitted()
        columns = np.array([[self._column.get(int(b), NO_BRANCH) for b in pair] for pair in pairs], np.int64)
        columns = columns.reshape(-1, 2)
        out = np.empty(first.shape)
        for k, fit in enumerate(fits):
            loading = np.zeros((len(pairs), len(fit.mean)))
            loading[:, 0], loading[:, 1], loading[:, 2] = 1.0, x[0, :, k] - MIDDLE, x[1, :, k] - MIDDLE
            for side in columns.T:
                seen = np.flatnonzero(side != NO_BRANCH)
                loading[seen, 3 + side[seen]] = 1.0
            variance = fit.scatter**2 + fit.effect**2 * (columns == NO_BRANCH).sum(axis=1)
            variance += ((loading @ fit.root) ** 2).sum(axis=1)
            out[:, k] = WEIGHT * x[:, :, k].sum(axis=0) + loading @ fit.mean - spreads * np.sqrt(variance)
        return self._error(out)

    def implied(self, branches: Ints, metrics: Floats) -> Floats:
        """What the errors of branches would be by their fusions alone, where they have any, float64 [k, M].

        Args:
            branches: int64 [k], by index.
            metrics: float64 [k, M], their own.
        """
        effects = np.zeros(metrics.shape)
        for k, fit in enumerate(self._fitted()):
            for i, branch in enumerate(branches.tolist()):
                if branch in self._column:
                    effects[i, k] = fit.mean[3 + self._column[branch]]
        # No better than perfect, no worse than a guess.
        return self._error(np.minimum(self._probit(metrics) + effects / WEIGHT, 0.0))

    def _probit(self, metrics: Floats) -> Floats:
        return np.asarray(np.clip(ndtri(np.clip(metrics / self._half, 0.0, 1.0)), -FARTHEST, FARTHEST), np.float64)

    def _error(self, probits: Floats) -> Floats:
        return np.asarray(ndtr(probits) * self._half, np.float64)

    def _fitted(self) -> tuple[_Fit, ...]:
        """Of each metric; kept until the next fusion is seen."""
        if self._fits is None:
            latest = dict.fromkeys(b for pair in reversed(self._branches) for b in pair if b != NO_BRANCH)
            self._column = {b: i for i, b in enumerate(list(latest)[:MOST_EFFECTS])}
            kept = [i for i, pair in enumerate(self._branches) if all(b == NO_BRANCH or b in self._column for b in pair)]
            branches = np.array([self._branches[i] for i in kept], np.int64).reshape(-1, 2)
            probits = np.array([self._probits[i] for i in kept]).reshape(-1, 3, len(self._half))
            self._fits = tuple(self._fit(branches, probits[:, :, k]) for k in range(len(self._half)))
        return self._fits

    def _fit(self, branches: Ints, probits: Floats) -> _Fit:
        count, effects = len(branches), len(self._column)
        design = np.zeros((count, 3 + effects))
        design[:, 0], design[:, 1], design[:, 2] = 1.0, probits[:, 0] - MIDDLE, probits[:, 1] - MIDDLE
        excess = probits[:, 2] - WEIGHT * (probits[:, 0] + probits[:, 1])
        for side in branches.T:
            seen = np.flatnonzero(side != NO_BRANCH)
            design[seen, [3 + self._column[int(b)] for b in side[seen]]] = 1.0
        gram, moment = design.T @ design, design.T @ excess
        square = float(excess @ excess)
        effect, scatter, trust = EFFECT, SCATTER, np.ones(effects)
        for _ in range(ROUNDS):
            precision = np.diag(np.concatenate([[OFFSET**-2.0, SLOPE**-2.0, SLOPE**-2.0], trust / effect**2]))
            covariance = np.linalg.inv(precision + gram / scatter**2)
            mean = covariance @ moment / scatter**2
            misfit = square - 2 * mean @ moment + mean @ gram @ mean + float((gram * covariance).sum())
            scatter = float(np.sqrt((max(misfit, 0.0) + DOUBT * SCATTER**2) / (count + DOUBT)))
            sizes = mean[3:] ** 2 + np.diag(covariance)[3:]
            effect = float(np.sqrt((trust @ sizes + DOUBT * EFFECT**2) / (effects + DOUBT)))
            trust = (TAILS + 1) / (TAILS + sizes / effect**2)
        return _Fit(mean=mean, root=np.linalg.cholesky(covariance), effect=effect, scatter=scatter)
