"""What the error of an untrained branch will be: a Gaussian process over branches, with honest uncertainty."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from tinysearch.core.quantization import Precision
from tinysearch.search.design import DesignTable, Floats, Ints

LOG_FLOOR = -9.2
"""Rates below exp of this (one in ten thousand) count as this."""

FIRST_FIT = 4
"""Below so many known branches the kernel is as first guessed."""

MOST_POINTS = 256
"""A Gaussian process costs the cube of its points, so it is fitted to at most so many."""


def branch_features(table: DesignTable) -> tuple[Floats, tuple[str, ...]]:
    """What the surrogate sees of a branch, float64 [B, F] of order 1, and the names."""
    rows = []
    modalities = sorted({branch.modality for branch in table.branches})
    for i, branch in enumerate(table.branches):
        precision = Precision.parse(branch.precision)
        rows.append(
            [
                float(modalities.index(branch.modality)),
                np.log10(max(table.params[i], 1.0)),
                np.log10(max(table.macs[i], 1.0)),
                sum(branch.blocks) / 8,
                float(precision.kind == "xnor"),
                np.log2(precision.weight_bits) / 5,
                min(precision.activation_bits, 4) / 4,
                np.log2(branch.width) / 2,
                np.log2(branch.input_size) / 2,
            ]
        )
    names = ("modality", "params", "macs", "depth", "xnor", "weight_bits", "activation_bits", "width", "input_size")
    values = np.array(rows, np.float64)
    varies = np.ptp(values, axis=0) > 0
    return values[:, varies], tuple(n for n, v in zip(names, varies, strict=True) if v)


@dataclass(frozen=True, slots=True, kw_only=True)
class Posterior:
    """Joint belief about the log metrics of some branches.

    Attributes:
        mean: float64 [u, M].
        root: float64 [u, u]; spread times ``root @ z`` with z standard normal is one draw about the mean.
        spread: float64 [M].
    """

    mean: Floats
    root: Floats
    spread: Floats

    def draw(self, count: int, rng: np.random.Generator) -> Floats:
        """float64 [count, u, M] draws of log metrics; the metrics of one branch rise and fall together."""
        half = rng.standard_normal((self.root.shape[1], (count + 1) // 2))
        z = np.concatenate([half, -half], axis=1)[:, :count]
        noise = (self.root @ z).T
        return np.asarray(self.mean[None] + noise[:, :, None] * self.spread[None, None], np.float64)


class BranchSurrogate:
    """Gaussian process on the logarithm of error metrics.

    Hyperparameters are refitted each time the evidence has grown by half, always to the first branches that became
    known, so that they follow from the order of trainings and not from when the process was asked.
    """

    def __init__(self, table: DesignTable) -> None:
        self.features, self.names = branch_features(table)
        self._fitted: dict[int, object] = {}

    def posterior(self, order: Ints, metrics: Floats, wanted: Ints) -> Posterior:
        """Belief about branches ``wanted`` given those known, in order, with metrics [k, M]."""
        from sklearn.gaussian_process import GaussianProcessRegressor

        y = np.log(np.maximum(metrics, np.exp(LOG_FLOOR)))
        center, spread = prior_moments(y)
        process = GaussianProcessRegressor(self._kernel(order, y), optimizer=None)
        chosen = slice(max(0, len(order) - MOST_POINTS), None)
        if len(order):
            process.fit(self.features[order[chosen]], ((y[chosen] - center) / spread).mean(axis=1))
        mean, covariance = process.predict(self.features[wanted], return_cov=True)
        values, vectors = np.linalg.eigh(covariance + 1e-8 * np.eye(len(wanted)))
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        return Posterior(mean=center + mean[:, None] * spread, root=root, spread=spread)

    def _kernel(self, order: Ints, y: Floats) -> object:
        """The kernel fitted to the first few of the evidence, as many as the schedule says."""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.gaussian_process import GaussianProcessRegressor

        count = scheduled(len(order))
        if count < FIRST_FIT:
            return self._start_kernel()
        if count not in self._fitted:
            used = min(count, MOST_POINTS)
            center, spread = prior_moments(y[:used])
            process = GaussianProcessRegressor(self._start_kernel(), random_state=0)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                process.fit(self.features[order[:used]], ((y[:used] - center) / spread).mean(axis=1))
            self._fitted = {count: process.kernel_}
        return self._fitted[count]

    def _start_kernel(self) -> object:
        from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

        return ConstantKernel(1.0, (0.2, 5.0)) * Matern(
            [1.0] * self.features.shape[1], length_scale_bounds=(0.3, 20.0), nu=2.5
        ) + WhiteKernel(0.02, (1e-3, 0.1))


def scheduled(known: int) -> int:
    """The last of the sizes 4, 5, 7, 10, 15, 22 ... (by half more each) that is at most ``known``; 0 below 4."""
    at = FIRST_FIT
    if known < at:
        return 0
    while max(at + 1, at * 3 // 2) <= known:
        at = max(at + 1, at * 3 // 2)
    return at


def prior_moments(y: Floats) -> tuple[Floats, Floats]:
    """Center and spread [M] of log metrics, the spread shrunk towards 0.4 while there are few of them."""
    if not len(y):
        return np.full(y.shape[1], np.log(0.15)), np.full(y.shape[1], 0.5)
    center = y.mean(axis=0)
    squares = ((y - center) ** 2).sum(axis=0)
    return center, np.sqrt((squares + 4 * 0.4**2) / (len(y) + 4))
