"""How what is known varies together, which a training adds one row to."""

from __future__ import annotations

import numpy as np

from tinysearch.search.known.design import Floats, Ints
from tinysearch.search.memoized.covariance import Covariances


class AmongKnown:
    """Covariances of what is known with one another; only those with what was not known before are computed.

    They follow from features alone, so what was computed for one decision holds for all.

    Args:
        features: float64 [B, F], of all branches.
    """

    def __init__(self, features: Floats) -> None:
        self._features = features
        self._last: tuple[Ints, Floats] = np.zeros(0, np.int64), np.zeros((0, 0))

    def of(self, branches: Ints) -> Covariances:
        """Of branches [k], each once, with one another."""
        x, (before, had) = self._features[branches], self._last
        places = np.full(len(self._features), -1)
        places[before] = np.arange(len(before))
        places = places[branches]
        kept, fresh = np.flatnonzero(places >= 0), np.flatnonzero(places < 0)
        straight = np.empty((len(branches), len(branches)))
        straight[np.ix_(kept, kept)] = had[np.ix_(places[kept], places[kept])]
        if len(fresh):
            straight[fresh] = Covariances(x[fresh], x).straight
            straight[:, fresh] = straight[fresh].T
        self._last = branches, straight
        return Covariances(x, x, straight=straight)
