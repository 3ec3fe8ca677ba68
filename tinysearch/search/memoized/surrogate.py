"""What the error of an untrained branch will be: a Gaussian process over branches, with honest uncertainty.

How branches vary together is written down (``covariance.py``). What else may be the case is a handful of hypotheses,
weighed by how likely they make what was seen.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from tinysearch.search.known.design import DesignTable, Floats, Ints
from tinysearch.search.known.knowledge import Knowledge
from tinysearch.search.memoized.covariance import LAYOUT, Covariances, branch_features, prior_mean, variance

LOG_FLOOR = -9.2
"""Rates below exp of this (one in ten thousand) count as this."""

MOST_POINTS = 48
"""A Gaussian process costs the cube of its points, so it looks at no more of them than this."""

FIRST_GUESS = float(np.log(0.15))
"""Logarithm of the metrics of a middling branch before any is trained."""

AMPLITUDES = (0.4, 0.6, 1.0, 1.6)
SCATTERS = (0.03, 0.06, 0.12, 0.2)
"""Standard deviations of a log error about everything that the covariance explains."""

MIDDLE_SCATTER = 0.06

BENDS = (0.0, 0.35, 0.7)
"""Standard deviations of a curve over the parameters beside the slope: trained too briefly, large networks lose."""

BEND_DOUBT = 3.0
"""Times the bend: what a curve must add to the log likelihood to be as credible as a straight line."""

MOST_ODD = 2
"""So many layouts at most, the worst for their size, are suspected of being odd."""

SUSPICION = 1.0
"""What a layout's oddness must add to the log likelihood to be as credible as its being like others."""

SHARES = (0.0, 0.5, 1.0)
"""How far a branch's error is taken to be what its fusions imply: one training may be lucky, many hardly all are."""

MOST_HYPOTHESES = 6
"""Of all combinations of amplitude, scatter, bend, odd layouts and share so many at most stand behind the draws."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Belief:
    """Joint belief about the log metrics of some branches under one hypothesis.

    Attributes:
        weight: probability of the hypothesis; those of a posterior add up to 1.
        mean: float64 [u, M].
        root: float64 [u, u]; ``ratio`` times ``root @ z`` with z standard normal is one draw about the mean.
        ratio: float64 [M].
    """

    weight: float
    mean: Floats
    root: Floats
    ratio: Floats

    def draw(self, count: int, rng: np.random.Generator) -> Floats:
        """float64 [count, u, M] draws of log metrics; the metrics of one branch rise and fall together."""
        half = rng.standard_normal((self.root.shape[1], (count + 1) // 2))
        z = np.concatenate([half, -half], axis=1)[:, :count]
        noise = (self.root @ z).T
        return np.asarray(self.mean[None] + noise[:, :, None] * self.ratio[None, None], np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Posterior:
    """Belief about the log metrics of some branches, over every hypothesis that is likely enough."""

    beliefs: tuple[Belief, ...]

    @property
    def mean(self) -> Floats:
        """float64 [u, M]."""
        return np.asarray(sum(belief.weight * belief.mean for belief in self.beliefs), np.float64)

    def draw(self, count: int, rng: np.random.Generator) -> Floats:
        """float64 [count, u, M] draws, each hypothesis standing for as many as its weight says."""
        bounds = np.cumsum([0.0, *(belief.weight for belief in self.beliefs)]) / sum(b.weight for b in self.beliefs)
        shares = np.diff(np.floor(bounds * count + rng.random() * (bounds < 1) * (bounds > 0)).astype(int))
        return np.concatenate([b.draw(int(n), rng) for b, n in zip(self.beliefs, shares, strict=True) if n > 0])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evidence:
    """What is known of branches, exactly or by hints.

    Attributes:
        branches: int64 [k].
        metrics: float64 [k, M], NaN where unknown.
        implied: float64 [k, M], what the fusions with these branches imply.
        spreads: float64 [k], standard deviation of a log metric beside the scatter of trainings: 0 for what is trained.
    """

    branches: Ints
    metrics: Floats
    implied: Floats
    spreads: Floats


def evidence_of(knowledge: Knowledge) -> Evidence:
    """Trained branches in their order, the recent ones if there are very many, then hints about untrained ones."""
    order = np.array(knowledge.order[-MOST_POINTS:], np.int64)
    # A hint is an EER, so it says nothing where the search asks for other error rates.
    hints = knowledge.hints if knowledge.objectives.metrics[:1] == ("eer",) else {}
    hinted = [b for b in sorted(hints) if not knowledge.known[b]][: MOST_POINTS - len(order)]
    metrics = np.full((len(hinted), len(knowledge.objectives.metrics)), np.nan)
    metrics[:, :1] = [[knowledge.hints[b].eer] for b in hinted] if hinted else np.zeros((0, 1))
    trained = knowledge.branch_metrics[order]
    return Evidence(
        branches=np.concatenate([order, np.array(hinted, np.int64)]),
        metrics=np.concatenate([trained, metrics]),
        implied=np.concatenate([knowledge.relation.implied(order, trained), metrics]),
        spreads=np.array([0.0] * len(order) + [knowledge.hints[b].spread for b in hinted]),
    )


class BranchSurrogate:
    """The process over the branches of one design table."""

    def __init__(self, table: DesignTable) -> None:
        self.features = branch_features(table)
        self._last: tuple[bytes, tuple[_Process, ...]] | None = None

    def posterior(self, evidence: Evidence, wanted: Ints) -> Posterior:
        """Joint belief about branches ``wanted``."""
        there = self.features[wanted]
        cross, among = Covariances(there, self.features[evidence.branches]), Covariances(there, there)
        beliefs = []
        for process in self._processes(evidence):
            mean, spread = process.predict(there, cross, among)
            beliefs.append(
                Belief(
                    weight=process.weight,
                    mean=process.log_metrics(mean),
                    root=np.asarray(np.linalg.cholesky(spread), np.float64),
                    ratio=process.ratio,
                )
            )
        return Posterior(beliefs=tuple(beliefs))

    def marginals(self, evidence: Evidence, wanted: Ints) -> tuple[Floats, Floats]:
        """Mean and standard deviation [u, M] of each wanted branch's log metrics by itself; for very many branches."""
        process = self._processes(evidence)[0]
        there = self.features[wanted]
        cross = Covariances(there, process.x).under(bend=process.bend, odd=process.odd)
        mean, deviation = process.predict_each(there, cross)
        return process.log_metrics(mean), deviation[:, None] * process.ratio

    def _processes(self, evidence: Evidence) -> tuple[_Process, ...]:
        """The likeliest processes, the best first; the last ones are kept, since a decision may ask twice."""
        parts = (evidence.branches, evidence.metrics, evidence.implied, evidence.spreads)
        key = b"".join(part.tobytes() for part in parts)
        if self._last is None or self._last[0] != key:
            self._last = key, _likeliest(self.features[evidence.branches], evidence)
        return self._last[1]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Process:
    """Gaussian process regression (Rasmussen and Williams 2006, chapter 2) under one hypothesis.

    Attributes:
        weight: its probability among those kept.
        amplitude, scatter, bend, odd: the hypothesis, see the constants.
        x: features [k, 7] of what is known; k may be 0.
        level, ratio: see :func:`_levels`.
        root: float64 [k, k], Cholesky factor of the covariance of what is known, noise included.
        whitened: float64 [k], its inverse times what is known less the first guess.
    """

    weight: float
    amplitude: float
    scatter: float
    bend: float
    odd: tuple[int, ...]
    x: Floats
    level: Floats
    ratio: Floats
    root: Floats
    whitened: Floats

    def log_metrics(self, latent: Floats) -> Floats:
        """Log metrics [n, M] of latent log errors [n]."""
        return np.asarray(self.level + latent[:, None] * self.ratio, np.float64)

    def _project(self, cross: Floats) -> Floats:
        return np.asarray(self.amplitude**2 * solve_triangular(self.root, cross.T, lower=True, check_finite=False).T)

    def predict(self, there: Floats, cross: Covariances, among: Covariances) -> tuple[Floats, Floats]:
        """Mean [n] and covariance [n, n] of latent log errors, scatter included.

        Args:
            there: features [n, 7].
            cross, among: covariances of these with what is known, and with one another.
        """
        projected = self._project(cross.under(bend=self.bend, odd=self.odd))
        mean = prior_mean(there) + projected @ self.whitened
        prior = self.amplitude**2 * among.under(bend=self.bend, odd=self.odd)
        spread = prior - projected @ projected.T
        return mean, spread + self.scatter**2 * np.eye(len(there))

    def predict_each(self, there: Floats, cross: Floats) -> tuple[Floats, Floats]:
        """Mean and standard deviation [n] of latent log errors, scatter included.

        Args:
            there: features [n, 7].
            cross: covariance [n, k] of these with what is known.
        """
        projected = self._project(cross)
        mean = prior_mean(there) + projected @ self.whitened
        left = self.amplitude**2 * variance(there, bend=self.bend, odd=self.odd) - (projected**2).sum(axis=1)
        return mean, np.sqrt(np.maximum(left, 0.0) + self.scatter**2)


def _likeliest(x: Floats, evidence: Evidence) -> tuple[_Process, ...]:
    """Processes of the likeliest hypotheses about the evidence, the best first.

    Args:
        x: features [k, 7] of its branches.
    """
    first_guess = prior_mean(x)
    levels, ratios, residuals = [], [], []
    # Without fusions all shares are the same hypothesis, which must not stand for several.
    shares = SHARES if not np.array_equal(evidence.implied, evidence.metrics, equal_nan=True) else SHARES[:1]
    for share in shares:
        mixed = evidence.metrics + share * (evidence.implied - evidence.metrics)
        y = np.log(np.maximum(mixed, np.exp(LOG_FLOOR)))
        level, ratio = _levels(y, first_guess)
        latent = np.nanmean((y - level) / ratio, axis=1) if len(y) else np.zeros(0)
        levels.append(level)
        ratios.append(ratio)
        residuals.append(latent - first_guess)
    stacked = np.stack(residuals)
    sizes = np.array(list(itertools.product(AMPLITUDES, SCATTERS)))
    # A mild preference for the middle keeps two or three points from deciding.
    doubts = 2.0 * (np.log(sizes / [1.0, MIDDLE_SCATTER]) ** 2).sum(axis=1)
    shapes = _shapes(x, residuals[0])
    covariances = Covariances(x, x)
    roots, whitened, scores = [], [], []
    for bend, odd in shapes:
        root, white = _whiten(covariances.under(bend=bend, odd=odd), sizes, evidence.spreads, stacked)
        volume = np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1)
        doubt = doubts + BEND_DOUBT * bend + SUSPICION * len(odd)
        scores.append(-0.5 * (white**2).sum(axis=2) - (volume + doubt)[:, None])
        roots.append(root)
        whitened.append(white)
    every = np.array(scores)
    best = np.argsort(-every, axis=None, kind="stable")[:MOST_HYPOTHESES]
    weights = np.exp(every.ravel()[best] - every.max())
    return tuple(
        _Process(
            weight=float(weight),
            amplitude=float(sizes[size, 0]),
            scatter=float(sizes[size, 1]),
            bend=shapes[shape][0],
            odd=shapes[shape][1],
            x=x,
            level=levels[share],
            ratio=ratios[share],
            root=roots[shape][size],
            whitened=whitened[shape][size, share],
        )
        for weight, shape, size, share in zip(
            weights / weights.sum(), *np.unravel_index(best, every.shape), strict=True
        )
    )


def _whiten(among: Floats, sizes: Floats, spreads: Floats, residuals: Floats) -> tuple[Floats, Floats]:
    """Cholesky factors [h, k, k] and the residuals whitened by them [h, r, k].

    Args:
        among: float64 [k, k], covariance of what is known at amplitude 1.
        sizes: float64 [h, 2], amplitudes and scatters.
        spreads: float64 [k], see :class:`Evidence`.
        residuals: float64 [r, k].
    """
    k, together = len(among), len(among) + len(residuals)
    whole = np.zeros((len(sizes), together, together))
    whole[:, :k, :k] = sizes[:, 0, None, None] ** 2 * among
    whole[:, range(k), range(k)] += sizes[:, 1, None] ** 2 + spreads**2
    # Rows below a matrix come out of its factorization as solutions; what stands in their corner only has to be large.
    whole[:, k:, :k] = residuals
    whole[:, range(k, together), range(k, together)] = 1e9
    factors = np.linalg.cholesky(whole)
    return np.asarray(factors[:, :k, :k], np.float64), np.asarray(factors[:, k:, :k], np.float64)


def _shapes(x: Floats, residual: Floats) -> list[tuple[float, tuple[int, ...]]]:
    """Bends and odd layouts to be weighed; not both, since either explains why large networks are bad."""
    straight, *bent = BENDS
    return [(straight, odd) for odd in _suspects(x, residual)] + [(bend, ()) for bend in bent]


def _suspects(x: Floats, residual: Floats) -> list[tuple[int, ...]]:
    """No layout, the one that is worst beside the first guess, the worst two, and so on."""
    layouts = np.unique(x[:, LAYOUT])
    excess = np.array([residual[x[:, LAYOUT] == layout].mean() for layout in layouts])
    worst = [int(layout) for layout in layouts[np.argsort(-excess, kind="stable")]]
    return [tuple(worst[:count]) for count in range(min(MOST_ODD, len(worst) - 1) + 1)] if worst else [()]


def _levels(y: Floats, expected: Floats) -> tuple[Floats, Floats]:
    """Level and ratio [M] that map each log metric to the common latent one.

    The level is the mean excess over the first guess (counted like one observation); metrics beyond the first take
    their spread relative to the first's.
    """
    seen = ~np.isnan(y)
    excess = np.where(seen, y - expected[:, None], 0.0)
    level = (FIRST_GUESS + excess.sum(axis=0)) / (seen.sum(axis=0) + 1)
    whole = y[seen.all(axis=1)]
    if not len(whole):
        return level, np.ones(y.shape[1])
    spread = np.sqrt((((whole - whole.mean(axis=0)) ** 2).sum(axis=0) + 4 * 0.4**2) / (len(whole) + 4))
    return level, spread / spread[:1]
