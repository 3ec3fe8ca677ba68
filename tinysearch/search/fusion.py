"""The error of a fusion predicted from its branches."""

from __future__ import annotations

import numpy as np

from tinysearch.search.design import Floats

PRIOR_MEAN = np.array([np.log(0.65), 0.5, 0.5])
"""Offset and exponents before anything is seen: fusing two matchers of equal error e gives about 0.65 e."""

PRIOR_SPREAD = np.array([0.35, 0.1, 0.1])
NOISE_SPREAD = 0.1
"""First guess of how far a fusion lies from the relation, as a standard deviation of the logarithm."""

LOG_FLOOR = -9.2


class FusionRelation:
    """Per metric, ``log fused = c + a log first + b log second + noise``: a geometric mean with learned exponents.

    Bayesian linear regression with a normal prior; the noise is estimated from the residuals, with the first guess
    counted like four observations.

    Args:
        metrics: how many error metrics there are.
    """

    def __init__(self, metrics: int) -> None:
        self._gram = np.zeros((metrics, 3, 3))
        self._moment = np.zeros((metrics, 3))
        self._square = np.zeros(metrics)
        self._count = 0
        self._posteriors: dict[int, tuple[Floats, Floats, float]] = {}

    def observe(self, first: Floats, second: Floats, fused: Floats) -> None:
        """Take in one fusion: metrics [M] of the branches and of their fusion."""
        x, y = _design(first[None], second[None])[0], _log(fused)
        self._gram += x[:, :, None] * x[:, None, :]
        self._moment += x * y[:, None]
        self._square += y * y
        self._count += 1
        self._posteriors.clear()

    @property
    def noise(self) -> Floats:
        """Standard deviation [M] of the logarithm about the relation."""
        return np.array([self._posterior(k)[2] for k in range(len(self._square))])

    def predict(self, first: Floats, second: Floats) -> tuple[Floats, Floats]:
        """Mean and standard deviation [n, M] of the fused metrics' logarithm, from the branches' metrics [n, M]."""
        return self.predict_logs(_log(first), _log(second))

    def predict_logs(self, first: Floats, second: Floats) -> tuple[Floats, Floats]:
        """The same from the logarithms of the branches' metrics."""
        spread = np.empty(first.shape)
        for k in range(first.shape[1]):
            _, covariance, noise = self._posterior(k)
            a, b = first[:, k], second[:, k]
            variance = noise**2 + covariance[0, 0] + covariance[1, 1] * a * a + covariance[2, 2] * b * b
            variance += 2 * (covariance[0, 1] * a + covariance[0, 2] * b + covariance[1, 2] * a * b)
            spread[:, k] = np.sqrt(np.maximum(variance, noise**2))
        return self.mean_of_logs(first, second), spread

    def mean_of_logs(self, first: Floats, second: Floats) -> Floats:
        """Their mean alone; arrays [..., M]."""
        mean = np.empty(first.shape)
        for k in range(first.shape[-1]):
            weights = self._posterior(k)[0]
            mean[..., k] = weights[0] + weights[1] * first[..., k] + weights[2] * second[..., k]
        return mean

    def _posterior(self, k: int) -> tuple[Floats, Floats, float]:
        """Of one metric; kept until the next fusion is seen, since a decision asks for it at every draw."""
        if k not in self._posteriors:
            self._posteriors[k] = self._fit(k)
        return self._posteriors[k]

    def _fit(self, k: int) -> tuple[Floats, Floats, float]:
        noise = NOISE_SPREAD
        precision = np.diag(PRIOR_SPREAD**-2.0)
        for _ in range(3):
            covariance = np.linalg.inv(precision + self._gram[k] / noise**2)
            weights = covariance @ (precision @ PRIOR_MEAN + self._moment[k] / noise**2)
            residual = self._square[k] - 2 * weights @ self._moment[k] + weights @ self._gram[k] @ weights
            noise = float(np.sqrt((max(residual, 0.0) + 4 * NOISE_SPREAD**2) / (self._count + 4)))
        return weights, covariance, noise


def _design(first: Floats, second: Floats) -> Floats:
    """[n, M, 3]: one, log first, log second."""
    return np.stack([np.ones_like(first), _log(first), _log(second)], axis=2)


def _log(values: Floats) -> Floats:
    return np.log(np.maximum(values, np.exp(LOG_FLOOR)))
