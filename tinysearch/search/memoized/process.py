"""Gaussian process regression under one hypothesis, and what several of them believe together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from tinysearch.search.known.design import Floats
from tinysearch.search.memoized.covariance import Covariances, Shape, prior_mean
from tinysearch.search.memoized.told import Told


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
class Spread:
    """How the latent log errors of some branches vary, given what is known, whatever that turned out to be.

    Attributes:
        by_known: float64 [n, k], times what is known, whitened, the shift of the mean; times itself, what their
            covariance is lessened by.
        by_source: float64 [n, h], the same of the source that is believed; None without one.
        root: float64 [n, n], Cholesky factor of the covariance that is left, scatter included.
    """

    by_known: Floats
    by_source: Floats | None
    root: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Process:
    """Gaussian process regression (Rasmussen and Williams 2006, chapter 2) under one hypothesis.

    Attributes:
        weight: its probability among those kept.
        amplitude, scatter, shape: the hypothesis.
        x: features [k, 11] of what is known; k may be 0.
        level, ratio: see :func:`tinysearch.search.memoized.evidence.levels_of`.
        covariance: float64 [k, k], of what is known, noise included.
        root: float64 [k, k], its Cholesky factor.
        whitened: float64 [k], that factor's inverse times what is known less the first guess.
        source, told, told_here: the source that it believes, what that says, and its projection on what is known.
    """

    weight: float
    amplitude: float
    scatter: float
    shape: Shape
    x: Floats
    level: Floats
    ratio: Floats
    covariance: Floats
    root: Floats
    whitened: Floats
    source: int | None = None
    told: Told | None = None
    told_here: Floats | None = None

    def log_metrics(self, latent: Floats) -> Floats:
        """Log metrics [n, M] of latent log errors [n]."""
        return np.asarray(self.level + latent[:, None] * self.ratio, np.float64)

    def spread(self, cross: Covariances, among: Covariances, told: Covariances | None) -> Spread:
        """How some branches vary, given what is known; processes of the same ``root`` have the same.

        Args:
            cross, among, told: covariances of these with what is known, with one another, and with the source.
        """
        covariance, by_source = self.amplitude**2 * cross.under(self.shape), None
        if self.told is not None and self.told_here is not None and told is not None:
            by_source = self.told.project(told)
            covariance = covariance - by_source @ self.told_here.T
        by_known = solve_triangular(self.root, covariance.T, lower=True, check_finite=False).T
        projected = by_known if by_source is None else np.hstack([by_known, by_source])
        left = self.amplitude**2 * among.under(self.shape) - projected @ projected.T
        root = np.linalg.cholesky(left + self.scatter**2 * np.eye(len(left)))
        return Spread(by_known=by_known, by_source=by_source, root=np.asarray(root, np.float64))

    def mean(self, there: Floats, spread: Spread) -> Floats:
        """Mean [n] of latent log errors of branches with features ``there`` [n, 11], which vary like ``spread``."""
        mean = prior_mean(there)
        if self.told is not None and spread.by_source is not None:
            mean = mean + spread.by_source @ self.told.whitened
        return np.asarray(mean + spread.by_known @ self.whitened, np.float64)


def whiten(covariance: Floats, residuals: Floats) -> tuple[Floats, Floats]:
    """Cholesky factor [k, k] and the residuals whitened by it [r, k].

    Args:
        covariance: float64 [k, k], of what is known, noise included.
        residuals: float64 [r, k].
    """
    k = len(covariance)
    whole = 1e9 * np.eye(k + len(residuals))
    whole[:k, :k] = covariance
    # Rows below a matrix come out of its factorization as solutions; what stands in their corner only has to be large.
    whole[k:, :k] = residuals
    factor = np.linalg.cholesky(whole)
    return np.asarray(factor[:k, :k], np.float64), np.asarray(factor[k:, :k], np.float64)
