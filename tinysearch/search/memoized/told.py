"""What other tables and runs make of the surrogate, as far as they are believed.

Errors of one source are correlated: all of them were measured on the same data by the same trainer. So a source is one
draw of the process that the own errors are another draw of, and the two are correlated by its *trust*: at 1 the source
tells all differences between branches, at 0 nothing. How far it is trusted is a hypothesis, weighed by how likely it
makes the own trainings; that a source is worth nothing always is one of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import solve_triangular

from tinysearch.search.known.design import Floats
from tinysearch.search.memoized.covariance import STRAIGHT, Covariances, prior_mean

TRUSTS = (0.7, 0.93, 0.99)
"""Correlations of the log errors of a source with the own ones, beside none at all."""

AMPLITUDES, SCATTERS = (0.6, 1.0), (0.03, 0.06, 0.12)
"""Of the process of a source that is believed: fewer than of the own ones, as its own errors fill in the rest."""

KEPT_SCATTER = 0.5
"""Share of the scatter about everything else, as a variance, that a branch has wherever it is trained."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Told:
    """What a source says of all branches, under one hypothesis of its process and at one trust.

    Attributes:
        trust: correlation with the own errors.
        level: mean log error of its branches beyond the first guess.
        amplitude: of its process.
        x: features [h, 11] of its branches.
        root: float64 [h, h], Cholesky factor of the covariance of its errors.
        whitened: float64 [h], its inverse times what they are beyond first guess and level.
    """

    trust: float
    level: float
    amplitude: float
    scatter: float
    x: Floats
    root: Floats
    whitened: Floats

    def trusted(self, trust: float) -> Told:
        """The same at another trust."""
        return replace(self, trust=trust)

    def project(self, cross: Covariances) -> Floats:
        """float64 [n, h]: times ``whitened`` the shift of the mean of n branches, times itself their lesser covariance.

        Args:
            cross: covariances of these branches with those of the source.
        """
        shared = self.trust * (self.amplitude**2 * cross.told() + KEPT_SCATTER * self.scatter**2 * cross.same)
        return np.asarray(solve_triangular(self.root, shared.T, lower=True, check_finite=False).T)


def told_by(x: Floats, log_errors: Floats, spreads: Floats, *, amplitude: float, scatter: float) -> Told:
    """A source read by one hypothesis, at full trust.

    Args:
        x: features [h, 11] of its branches.
        log_errors: float64 [h].
        spreads: float64 [h], their standard deviations beside the scatter of trainings.
        amplitude, scatter: of the hypothesis.
    """
    excess = log_errors - prior_mean(x)
    among = amplitude**2 * Covariances(x, x).under(STRAIGHT)
    root = np.linalg.cholesky(among + np.diag(scatter**2 + spreads**2))
    whitened = solve_triangular(root, excess - excess.mean(), lower=True, check_finite=False)
    return Told(
        trust=1.0,
        level=float(excess.mean()),
        amplitude=amplitude,
        scatter=scatter,
        x=x,
        root=np.asarray(root, np.float64),
        whitened=np.asarray(whitened, np.float64),
    )
