"""The error of a fusion predicted from its branches.

Scores of matchers are roughly normal, and then the sum of two independent ones adds their evidence: with d' the
distance of genuine and impostor scores in standard deviations, an equal error rate is the normal distribution function
at -d'/2, and two matchers of like spread fuse to (d'1 + d'2) / sqrt(2). So the relation is linear in the *probit* of
the error (the inverse of that function), starts from there, and learns how far it is not so, in general and for each
branch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from tinysearch.search.known.design import NO_BRANCH, Floats, Ints

WEIGHT = float(np.sqrt(0.5))
"""Of both branches before anything is seen: independent normal scores of like spread, added."""

MIDDLE = -1.0
"""Probit of a middling branch, where the first guess of the offset holds: an error of 16 %, for an EER."""

OFFSET, SLOPE = 0.1, 0.2
"""How far the first guess may be off, as standard deviations: at the middle, and for each unit of a branch's probit."""

EFFECT, SCATTER = 0.015, 0.03
"""First guesses, as standard deviations of a probit: what is particular to a branch in all its fusions; the rest."""

PRIOR_COUNT = 4.0
"""Each first guess counts like so many observations."""

TAILS = 3.0
"""Degrees of freedom of the effects: a branch that failed to train must not make the fusions of all others doubtful."""

ROUNDS = 6
"""Rounds of estimating the spreads of effects and scatter."""

MOST_FUSIONS, MOST_EFFECTS = 1000, 64
"""The relation looks at so many fusions, and what is particular to so many branches: the latest."""

TOLD_COUNT, OWN_ENOUGH = 8.0, 24
"""All fusions of other tables together count like so many of the own ones, and ever less until there are enough."""

FARTHEST = 3.7
"""Probits are held within this: error rates of one in ten thousand and less count alike."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Fit:
    """Posterior of one metric.

    Attributes:
        mean: float64 [3 + e], what offset and both weights differ from the first guess, then the effects of branches.
        covariance: float64 [3 + e, 3 + e].
        effect, scatter: standard deviations of the effects and of the rest.
    """

    mean: Floats
    covariance: Floats
    effect: float
    scatter: float


class Relation(Protocol):
    """What fusions are expected to be, from what their branches are; the methods are :class:`FusionRelation`'s."""

    def observe(self, pairs: Ints, metrics: Floats) -> None: ...

    def observe_larger(self, models: Ints, branch_metrics: Floats, fused: Floats) -> None: ...

    def told(self, metrics: Floats) -> None: ...

    def draw(self, models: Ints, branch_metrics: Floats, rng: np.random.Generator) -> Floats: ...

    def lucky(self, models: Ints, branch_metrics: Floats, *, spreads: float) -> Floats: ...

    def implied(self, branches: Ints, metrics: Floats) -> Floats: ...


class FusionRelation:
    """Per metric, ``probit fused = c + a probit first + b probit second + effects of both branches + scatter``.

    A Bayesian linear model; the spreads of effects and scatter are estimated with it (expectation
    maximization). An effect is what a branch's own error does not tell of its fusions: that its scores are spread
    otherwise than its like, or that its error was lucky. Probits are of errors relative to chance, so that chance is 0.

    Args:
        chance: float64 [M], the metrics of a guess.
    """

    def __init__(self, chance: Floats) -> None:
        self._half = 2.0 * np.asarray(chance, np.float64)
        self._pairs: Ints = np.zeros((0, 2), np.int64)
        self._probits: Floats = np.zeros((0, 3, len(self._half)))
        self._told: Floats = np.zeros((0, 3, len(self._half)))
        self._fits: tuple[_Fit, ...] | None = None
        self._column: dict[int, int] = {}
        self._larger = _Excess(len(self._half))

    def observe(self, pairs: Ints, metrics: Floats) -> None:
        """Take in fusions.

        Args:
            pairs: int64 [n, 2], their branches, by index.
            metrics: float64 [n, 3, M], of the first branches, of the second and of their fusions.
        """
        self._pairs = np.concatenate([self._pairs, pairs])[-MOST_FUSIONS:]
        self._probits = np.concatenate([self._probits, self._probit(metrics)])[-MOST_FUSIONS:]
        self._fits = None

    def observe_larger(self, models: Ints, branch_metrics: Floats, fused: Floats) -> None:
        """Take in fusions of three and more: of them all together it is learned how far off the first guess is.

        Args:
            models: int64 [n, K], branches by index, then -1.
            branch_metrics: float64 [B, M].
            fused: float64 [n, M].
        """
        guessed, from_middle = self._first_guess(models, branch_metrics[None])
        self._larger.add(self._probit(fused) - np.clip(guessed[0], -FARTHEST, FARTHEST), from_middle[0])

    def told(self, metrics: Floats) -> None:
        """Take in all fusions of other tables: float64 [n, 3, M], of the first branches, the second and the fusions."""
        self._told = self._probit(metrics)
        self._fits = None

    def draw(self, models: Ints, branch_metrics: Floats, rng: np.random.Generator) -> Floats:
        """Joint draws of the metrics of fusions, float64 [S, n, M].

        Args:
            models: int64 [n, K], branches by index, then -1.
            branch_metrics: float64 [S, B, M], the metrics of branches in each draw.
        """
        larger = _is_larger(models)
        pairs = self._draw_pairs(models[~larger, :2], branch_metrics, rng)
        if not larger.any():
            return pairs
        guessed, from_middle = self._first_guess(models[larger], branch_metrics)
        mean, covariance, scatter = self._larger.fitted()
        normal = rng.standard_normal((len(guessed), *mean.shape))
        lines = mean + np.einsum("mij,smj->smi", np.linalg.cholesky(covariance), normal)
        common = lines[:, None, :, 0] + lines[:, None, :, 1] * from_middle
        drawn = self._error(guessed + common + scatter * rng.standard_normal(guessed.shape))
        return _merged(pairs, drawn, larger)

    def lucky(self, models: Ints, branch_metrics: Floats, *, spreads: float) -> Floats:
        """Metrics [S, n, M] of fusions that turn out so many standard deviations better than expected.

        Args:
            models: int64 [n, K], branches by index, then -1.
            branch_metrics: float64 [S, B, M], the metrics of branches in each of some cases.
        """
        larger = _is_larger(models)
        pairs = self._lucky_pairs(models[~larger, :2], branch_metrics, spreads=spreads)
        if not larger.any():
            return pairs
        guessed, u = self._first_guess(models[larger], branch_metrics)
        mean, covariance, scatter = self._larger.fitted()
        variance = covariance[:, 0, 0] + u * (2 * covariance[:, 0, 1] + u * covariance[:, 1, 1]) + scatter**2
        expected = guessed + mean[:, 0] + mean[:, 1] * u
        return _merged(pairs, self._error(expected - spreads * np.sqrt(variance)), larger)

    def _first_guess(self, models: Ints, branch_metrics: Floats) -> tuple[Floats, Floats]:
        """Probits [S, n, M] of fusions of three and more, independent evidence added, and the sum from the middle."""
        branches, places = _distinct(models)
        # Where -1 points, at the end, nothing is added.
        probits = np.pad(self._probit(branch_metrics[:, branches]), ((0, 0), (0, 1), (0, 0)))
        total, *others = (probits[:, column] for column in np.where(models != NO_BRANCH, places, NO_BRANCH).T)
        for other in others:
            total += other
        count = (models != NO_BRANCH).sum(axis=1)[:, None]
        return np.asarray(total / np.sqrt(count), np.float64), np.asarray(total - count * MIDDLE, np.float64)

    def _draw_pairs(self, pairs: Ints, branch_metrics: Floats, rng: np.random.Generator) -> Floats:
        draws = len(branch_metrics)
        branches, places = _distinct(pairs)
        probits, fits = self._probit(branch_metrics[:, branches]), self._fitted()
        columns = self._columns_of(branches)
        out = np.empty((draws, len(pairs), branch_metrics.shape[2]))
        for k, fit in enumerate(fits):
            drawn = fit.mean + rng.standard_normal((draws, len(fit.mean))) @ np.linalg.cholesky(fit.covariance).T
            effects = fit.effect * rng.standard_normal((draws, len(branches)))
            effects[:, columns != NO_BRANCH] = drawn[:, 3 + columns[columns != NO_BRANCH]]
            own = WEIGHT * probits[:, :, k] + effects
            from_middle = probits[:, :, k] - MIDDLE
            first, second = (own + slope[:, None] * from_middle for slope in (drawn[:, 1], drawn[:, 2]))
            scatter = fit.scatter * rng.standard_normal((draws, len(pairs)))
            out[:, :, k] = drawn[:, :1] + first[:, places[:, 0]] + second[:, places[:, 1]] + scatter
        return self._error(out)

    def _lucky_pairs(self, pairs: Ints, branch_metrics: Floats, *, spreads: float) -> Floats:
        branches, places = _distinct(pairs)
        first, second = places.T
        x, fits = self._probit(branch_metrics[:, branches]) - MIDDLE, self._fitted()
        columns = self._columns_of(branches)
        out = np.empty((len(x), len(pairs), x.shape[2]))
        for k, fit in enumerate(fits):
            # A branch without an effect of its own has the first guess of one: the last place of these.
            effects = np.append(fit.mean[3:], 0.0)[columns]
            variances = np.append(np.diag(fit.covariance)[3:], fit.effect**2)[columns]
            level, of_first, of_second = np.vstack([fit.covariance[3:, :3], np.zeros(3)])[columns].T
            among = np.pad(fit.covariance[3:, 3:], (0, 1))[columns[first], columns[second]]
            (c_00, c_01, c_02), (_, c_11, c_12), (*_, c_22) = fit.covariance[:3, :3]
            u = x[:, :, k]
            # The variance of the whole sum: of each branch what it contributes alone, then what only both together do.
            alone = variances + 2 * level
            by_first = alone + u * (c_11 * u + 2 * (c_01 + of_first))
            by_second = alone + u * (c_22 * u + 2 * (c_02 + of_second))
            a, b = u[:, first], u[:, second]
            both = c_12 * a * b + a * of_first[second] + b * of_second[first] + among
            variance = c_00 + fit.scatter**2 + by_first[:, first] + by_second[:, second] + 2 * both
            start, slope_first, slope_second = fit.mean[:3] + np.array([2 * WEIGHT * MIDDLE, WEIGHT, WEIGHT])
            expected = start + (effects + slope_first * u)[:, first] + (effects + slope_second * u)[:, second]
            out[:, :, k] = expected - spreads * np.sqrt(variance)
        return self._error(out)

    def implied(self, branches: Ints, metrics: Floats) -> Floats:
        """What the errors of branches would be by their fusions alone, where they have any, float64 [k, M].

        Args:
            branches: int64 [k], by index.
            metrics: float64 [k, M], their own.
        """
        fits, columns = self._fitted(), self._columns_of(branches)
        known = (columns != NO_BRANCH)[:, None]
        effects = np.where(known, np.stack([fit.mean[3 + columns] for fit in fits], axis=1), 0.0)
        # No better than perfect, no worse than a guess.
        return self._error(np.minimum(self._probit(metrics) + effects / WEIGHT, 0.0))

    def _probit(self, metrics: Floats) -> Floats:
        return np.asarray(np.clip(ndtri(np.clip(metrics / self._half, 0.0, 1.0)), -FARTHEST, FARTHEST), np.float64)

    def _error(self, probits: Floats) -> Floats:
        return np.asarray(ndtr(probits) * self._half, np.float64)

    def _columns_of(self, branches: Ints) -> Ints:
        """The place of branches' effects, -1 where they have none, for any shape of indices."""
        # One place more than there are branches, so that the last one, where -1 points, is nobody's.
        lookup = np.full(max([int(branches.max(initial=0)), *self._column]) + 2, NO_BRANCH)
        lookup[list(self._column)] = list(self._column.values())
        return np.asarray(lookup[branches], np.int64)

    def _fitted(self) -> tuple[_Fit, ...]:
        """Of each metric; kept until the next fusion is seen."""
        if self._fits is None:
            newest_first = self._pairs[::-1].ravel()
            branches, latest = np.unique(newest_first[newest_first != NO_BRANCH], return_index=True)
            kept = branches[np.argsort(latest)][:MOST_EFFECTS]
            self._column = {int(b): i for i, b in enumerate(kept)}
            spelled = np.isin(self._pairs, [*kept, NO_BRANCH]).all(axis=1)
            pairs, probits = self._pairs[spelled], self._probits[spelled]
            weights = np.ones(len(pairs))
            told = TOLD_COUNT * max(0.0, 1.0 - len(pairs) / OWN_ENOUGH)
            if told > 0 and len(self._told):
                pairs = np.concatenate([np.full((len(self._told), 2), NO_BRANCH), pairs])
                probits = np.concatenate([self._told, probits])
                weights = np.append(np.full(len(self._told), min(1.0, told / len(self._told))), weights)
            self._fits = tuple(self._fit(pairs, probits[:, :, k], weights) for k in range(len(self._half)))
        return self._fits

    def _fit(self, pairs: Ints, probits: Floats, weights: Floats) -> _Fit:
        count, effects = float(weights.sum()), len(self._column)
        columns = self._columns_of(pairs)
        design = np.zeros((len(pairs), 3 + effects))
        design[:, 0], design[:, 1], design[:, 2] = 1.0, probits[:, 0] - MIDDLE, probits[:, 1] - MIDDLE
        for side in columns.T:
            seen = np.flatnonzero(side != NO_BRANCH)
            design[seen, 3 + side[seen]] = 1.0
        excess = probits[:, 2] - WEIGHT * (probits[:, 0] + probits[:, 1])
        weighed = design.T * weights
        gram, moment = weighed @ design, weighed @ excess
        square = float(excess @ (weights * excess))
        effect, scatter, trust = EFFECT, SCATTER, np.ones(effects)
        for _ in range(ROUNDS):
            precision = np.diag(np.concatenate([[OFFSET**-2.0, SLOPE**-2.0, SLOPE**-2.0], trust / effect**2]))
            covariance = np.asarray(np.linalg.inv(precision + gram / scatter**2), np.float64)
            mean = covariance @ moment / scatter**2
            misfit = float(square - 2 * mean @ moment + mean @ gram @ mean + (gram * covariance).sum())
            scatter = float(np.sqrt((max(misfit, 0.0) + PRIOR_COUNT * SCATTER**2) / (count + PRIOR_COUNT)))
            sizes = mean[3:] ** 2 + np.diag(covariance)[3:]
            effect = float(np.sqrt((trust @ sizes + PRIOR_COUNT * EFFECT**2) / (effects + PRIOR_COUNT)))
            trust = (TAILS + 1) / (TAILS + sizes / effect**2)
        return _Fit(mean=mean, covariance=covariance, effect=effect, scatter=scatter)


class _Excess:
    """How far fusions of three and more lie above their first guess, as probits: an offset, a slope and a scatter.

    The slope is over the sum of their branches' probits, from the middle.

    Args:
        metrics: how many there are.
    """

    def __init__(self, metrics: int) -> None:
        self._count = 0
        self._fit: tuple[Floats, Floats, Floats] | None = None
        self._gram, self._moment, self._squares = np.zeros((metrics, 2, 2)), np.zeros((metrics, 2)), np.zeros(metrics)

    def add(self, excess: Floats, from_middle: Floats) -> None:
        """Take in what some lie above it, float64 [n, M], and where their branches lie, [n, M]."""
        design = np.stack([np.ones_like(from_middle), from_middle], axis=2)
        self._count += len(excess)
        self._gram += np.einsum("nmi,nmj->mij", design, design)
        self._moment += np.einsum("nmi,nm->mi", design, excess)
        self._squares += (excess**2).sum(axis=0)
        self._fit = None

    def fitted(self) -> tuple[Floats, Floats, Floats]:
        """Offset and slope, float64 [M, 2], their covariance, [M, 2, 2], and the scatter, [M]; kept until the next."""
        if self._fit is None:
            self._fit = self._fitted()
        return self._fit

    def _fitted(self) -> tuple[Floats, Floats, Floats]:
        scatter = np.full(len(self._squares), SCATTER)
        for _ in range(ROUNDS):
            weight = scatter[:, None, None] ** -2.0
            covariance = np.asarray(
                np.linalg.inv(np.diag([OFFSET**-2.0, SLOPE**-2.0]) + weight * self._gram), np.float64
            )
            mean = np.einsum("mij,mj->mi", covariance, weight[:, 0] * self._moment)
            seconds = mean[:, :, None] * mean[:, None] + covariance
            misfit = self._squares - 2 * (mean * self._moment).sum(axis=1) + (self._gram * seconds).sum(axis=(1, 2))
            known = np.maximum(misfit, 0.0) + PRIOR_COUNT * SCATTER**2
            scatter = np.sqrt(known / (self._count + PRIOR_COUNT))
        return mean, covariance, scatter


class KnownRelation:
    """The relation where nothing has to be learned of it: what goes together comes to what a function says.

    Args:
        together: metrics [S, n, M] of models [n, K] from those of branches [S, B, M]; a worse branch makes none better.
    """

    def __init__(self, together: Callable[[Ints, Floats], Floats]) -> None:
        self._together = together

    def observe(self, pairs: Ints, metrics: Floats) -> None:
        """Nothing to learn."""

    def observe_larger(self, models: Ints, branch_metrics: Floats, fused: Floats) -> None:
        """Nothing to learn."""

    def told(self, metrics: Floats) -> None:
        """Nothing to learn."""

    def draw(self, models: Ints, branch_metrics: Floats, rng: np.random.Generator) -> Floats:  # noqa: ARG002
        """As sure as the branches are."""
        return self._together(models, branch_metrics)

    def lucky(self, models: Ints, branch_metrics: Floats, *, spreads: float) -> Floats:  # noqa: ARG002
        """Luck is in the branches alone."""
        return self._together(models, branch_metrics)

    def implied(self, branches: Ints, metrics: Floats) -> Floats:  # noqa: ARG002
        """Fusions say no more of branches than these do."""
        return metrics


def _is_larger(models: Ints) -> npt.NDArray[np.bool_]:
    """Bool [n]: models [n, K] of more than two branches."""
    return np.asarray((models[:, 2:] != NO_BRANCH).any(axis=1), np.bool_)


def _merged(pairs: Floats, others: Floats, larger: npt.NDArray[np.bool_]) -> Floats:
    """Metrics [S, n, M] of pairs and of larger fusions in their common order."""
    out = np.empty((len(pairs), len(larger), pairs.shape[2]))
    out[:, ~larger], out[:, larger] = pairs, others
    return out


def _distinct(models: Ints) -> tuple[Ints, Ints]:
    """The branches of models [n, K], ascending, and the places [n, K] of the models' branches among them."""
    there = np.zeros(int(models.max(initial=-1)) + 1, bool)
    there[models[models != NO_BRANCH]] = True
    return np.flatnonzero(there), np.asarray((np.cumsum(there) - 1)[models], np.int64)
