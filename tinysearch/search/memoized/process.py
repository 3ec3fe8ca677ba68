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
class Process:
    """Gaussian process regression (Rasmussen and Williams 2006, chapter 2) under one hypothesis.

    Attributes:
        weight: its probability among those kept.
        amplitude, scatter, shape: the hypothesis.
        x: features [k, 7] of what is known; k may be 0.
        level, ratio: see :func:`tinysearch.search.memoized.evidence.levels_of`.
        root: float64 [k, k], Cholesky factor of the covariance of what is known, noise included.
        whitened: float64 [k], its inverse times what is known less the first guess.
        source, told, told_here: the source that it believes, what that says, and its projection on what is known.
    """

    weight: float
    amplitude: float
    scatter: float
    shape: Shape
    x: Floats
    level: Floats
    ratio: Floats
    root: Floats
    whitened: Floats
    source: int | None = None
    told: Told | None = None
    told_here: Floats | None = None

    def log_metrics(self, latent: Floats) -> Floats:
        """Log metrics [n, M] of latent log errors [n]."""
        return np.asarray(self.level + latent[:, None] * self.ratio, np.float64)

    def _project(self, there: Floats, cross: Covariances, told: Covariances | None) -> tuple[Floats, Floats]:
        """Mean [n] of latent log errors, and what [n, ..], times itself, their covariance is lessened by.

        Args:
            there: features [n, 7].
            cross, told: covariances of these with what is known, and with the source that is believed.
        """
        mean, covariance = prior_mean(there), self.amplitude**2 * cross.under(self.shape)
        if self.told is None or self.told_here is None or told is None:
            projected = solve_triangular(self.root, covariance.T, lower=True, check_finite=False).T
            return mean + projected @ self.whitened, projected
        by_source = self.told.project(told)
        covariance = covariance - by_source @ self.told_here.T
        projected = solve_triangular(self.root, covariance.T, lower=True, check_finite=False).T
        mean = mean + by_source @ self.told.whitened + projected @ self.whitened
        return mean, np.hstack([projected, by_source])

    def predict(
        self, there: Floats, cross: Covariances, among: Covariances, told: Covariances | None
    ) -> tuple[Floats, Floats]:
        """Mean [n] and covariance [n, n] of latent log errors, scatter included.

        Args:
            there: features [n, 7].
            cross, among, told: covariances of these with what is known, with one another, and with the source.
        """
        mean, projected = self._project(there, cross, told)
        prior = self.amplitude**2 * among.under(self.shape)
        return mean, prior - projected @ projected.T + self.scatter**2 * np.eye(len(there))


def whiten(covariances: Floats, residuals: Floats) -> tuple[Floats, Floats]:
    """Cholesky factors [h, k, k] and the residuals whitened by them [h, r, k].

    Args:
        covariances: float64 [h, k, k], of what is known, noise included.
        residuals: float64 [r, k].
    """
    k, together = covariances.shape[1], covariances.shape[1] + len(residuals)
    whole = np.zeros((len(covariances), together, together))
    whole[:, :k, :k] = covariances
    # Rows below a matrix come out of its factorization as solutions; what stands in their corner only has to be large.
    whole[:, k:, :k] = residuals
    whole[:, range(k, together), range(k, together)] = 1e9
    factors = np.linalg.cholesky(whole)
    return np.asarray(factors[:, :k, :k], np.float64), np.asarray(factors[:, k:, :k], np.float64)
