"""What the error of an untrained branch will be: a Gaussian process over branches, with honest uncertainty.

How branches vary together is written down (``covariance.py``). What else may be the case is a handful of hypotheses,
weighed by how likely they make what was seen.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tinysearch.search.known.design import DesignTable, Floats, Ints
from tinysearch.search.known.fidelity import ToldErrors
from tinysearch.search.memoized import told as sources
from tinysearch.search.memoized.covariance import LAYOUT, Covariances, Shape, branch_features
from tinysearch.search.memoized.evidence import LOG_FLOOR, MOST_WEIGHED, Evidence, Levels
from tinysearch.search.memoized.marginals import Marginals
from tinysearch.search.memoized.process import Belief, Posterior, Process, Spread, whiten
from tinysearch.search.memoized.told import Told, told_by

AMPLITUDES = (0.4, 0.6, 1.0, 1.6)
SCATTERS = (0.03, 0.06, 0.12, 0.2, 0.4, 0.8)
"""Standard deviations of a log error about everything that the covariance explains: from repeatable trainings to those
half of which go wrong."""

MIDDLE_SCATTER = 0.06

BENDS = (0.0, 0.35, 0.7)
"""Standard deviations of a curve over the parameters beside the slope: trained too briefly, large networks lose."""

BEND_DOUBT = 3.0
"""Times the bend: what a curve must add to the log likelihood to be as credible as a straight line."""

MOST_ODD = 2
"""So many layouts at most, the worst for their size, are suspected of being odd."""

SUSPICION = 1.0
"""What a layout's oddness must add to the log likelihood to be as credible as its being like others."""

SOURCE_DOUBT = 0.5
"""What a source must add to the log likelihood of the own trainings to be as credible as that it tells nothing."""

MOST_HYPOTHESES = 6
"""Of all combinations of amplitude, scatter, shape, share and trust so many at most are drawn from."""

DOUBTFUL_HYPOTHESES, DOUBTFUL_ALONE = 24, 0.2
"""So many where doubts decide, and the standard deviation of what every layout may then have of its own: it may tell
nothing of those that are almost as large, and few trainings do not show it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hypothesis:
    """What may be the case besides what the covariance says.

    Attributes:
        amplitude, scatter: of the process, and of a log error about everything that it explains.
        shape: see :data:`BENDS`, :data:`MOST_ODD` and :data:`DOUBTFUL_ALONE`.
        share: place in :data:`SHARES`.
        source, trust: which source is believed, and how far; None and 0 where none is.
    """

    amplitude: float
    scatter: float
    shape: Shape
    share: int
    source: int | None = None
    trust: float = 0.0


class BranchSurrogate:
    """The process over the branches of one design table.

    Args:
        doubtful: believe less of what branches tell of others. The usual beliefs are sharper about what is likely, and
            too sure of the rest.
    """

    def __init__(self, table: DesignTable, *, doubtful: bool = False) -> None:
        self._alone = DOUBTFUL_ALONE if doubtful else 0.0
        self._most = DOUBTFUL_HYPOTHESES if doubtful else MOST_HYPOTHESES
        self.features = branch_features(table)
        self._last: tuple[bytes, tuple[Process, ...]] | None = None
        self._marginals = Marginals(self.features)
        self._told: dict[tuple[int, float, float], Told] = {}

    def posterior(self, evidence: Evidence, wanted: Ints) -> Posterior:
        """Joint belief about branches ``wanted``."""
        there = self.features[wanted]
        processes = self._processes(evidence)
        cross, among = Covariances(there, processes[0].x), Covariances(there, there)
        told = self._told_about(there, processes)
        beliefs: list[Belief] = []
        spreads: dict[int, Spread] = {}
        for process in processes:
            # Hypotheses that only read fusions otherwise have one root, and these branches vary alike under them.
            spread = spreads.get(id(process.root))
            if spread is None:
                spread = spreads[id(process.root)] = process.spread(cross, among, told.get(process.source))
            beliefs.append(
                Belief(
                    weight=process.weight,
                    mean=process.log_metrics(process.mean(there, spread)),
                    root=spread.root,
                    ratio=process.ratio,
                )
            )
        return Posterior(beliefs=tuple(beliefs))

    def marginals(self, evidence: Evidence, wanted: Ints) -> tuple[Floats, Floats]:
        """Mean and standard deviation [u, M] of each wanted branch's log metrics by itself; for very many branches."""
        process = self._processes(evidence)[0]
        mean, deviation = self._marginals.of(process, evidence.branches, wanted)
        return process.log_metrics(mean), deviation[:, None] * process.ratio

    @staticmethod
    def _told_about(there: Floats, processes: Sequence[Process]) -> dict[int | None, Covariances]:
        """Covariances of branches with those of each source that some process believes."""
        believed = {process.source: process.told for process in processes if process.told is not None}
        return {source: Covariances(there, told.x) for source, told in believed.items()}

    def _processes(self, evidence: Evidence) -> tuple[Process, ...]:
        """The likeliest processes, the best first; the last ones are kept, since a decision may ask twice."""
        parts = (evidence.branches, evidence.metrics, evidence.implied, evidence.spreads)
        key = b"".join(part.tobytes() for part in parts)
        if self._last is None or self._last[0] != key:
            self._last = key, self._likeliest(evidence)
        return self._last[1]

    def _likeliest(self, evidence: Evidence) -> tuple[Process, ...]:
        """Processes of the likeliest hypotheses about the evidence, the best first."""
        weighed = evidence.latest(MOST_WEIGHED)
        x = self.features[weighed.branches]
        found = _weigh(Levels(x, weighed), x, weighed.spreads, alone=self._alone, most=self._most)
        for number, source in enumerate(weighed.sources):
            found += self._weigh_source(number, source, x, weighed)
        found = sorted(found, key=lambda each: -each[0])[: self._most]
        weights = np.exp([score - found[0][0] for score, _ in found])
        x = self.features[evidence.branches]
        levels, among = Levels(x, evidence), Covariances(x, x)
        processes: list[Process] = []
        alike: dict[_Hypothesis, _Whitened] = {}
        for weight, (_, hypothesis) in zip(weights / weights.sum(), found, strict=True):
            # Hypotheses that differ only in the share of fusions take one factorization.
            whole = replace(hypothesis, share=0)
            if whole not in alike:
                alike[whole] = self._whitened(hypothesis, levels, evidence, x=x, among=among)
            processes.append(alike[whole].process(hypothesis, float(weight), x))
        return tuple(processes)

    def _weigh_source(
        self, number: int, source: ToldErrors, x: Floats, evidence: Evidence
    ) -> list[tuple[float, _Hypothesis]]:
        """Log likelihoods of hypotheses that believe a source, which tells of bends and odd layouts by itself."""
        shape = Shape(alone=self._alone)
        cross, among = Covariances(x, self.features[source.branches]), Covariances(x, x).under(shape)
        found = []
        for amplitude, scatter in itertools.product(sources.AMPLITUDES, sources.SCATTERS):
            reading = self._reading(number, source, amplitude=amplitude, scatter=scatter)
            whole = reading.project(cross)
            for trust in sources.TRUSTS:
                projected = trust * whole
                levels = Levels(x, evidence, told=reading.trusted(trust), shift=projected @ reading.whitened)
                covariance = amplitude**2 * among - projected @ projected.T
                covariance += np.diag(scatter**2 + evidence.spreads**2)
                root, white = whiten(covariance, levels.residuals)
                volume = float(np.log(np.diagonal(root)).sum())
                doubt = _doubt(amplitude, scatter) + SOURCE_DOUBT
                for share, each in enumerate(white):
                    hypothesis = _Hypothesis(
                        amplitude=amplitude,
                        scatter=scatter,
                        shape=shape,
                        share=share,
                        source=number,
                        trust=trust,
                    )
                    found.append((-0.5 * float(each @ each) - volume - doubt, hypothesis))
        return found

    def _reading(self, number: int, source: ToldErrors, *, amplitude: float, scatter: float) -> Told:
        """A source as one hypothesis reads it; sources never change, so each is read once."""
        key = number, amplitude, scatter
        if key not in self._told:
            log = np.log(np.maximum(source.eers, np.exp(LOG_FLOOR)))
            x = self.features[source.branches]
            self._told[key] = told_by(x, log, source.spreads, amplitude=amplitude, scatter=scatter)
        return self._told[key]

    def _whitened(
        self, hypothesis: _Hypothesis, levels: Levels, evidence: Evidence, *, x: Floats, among: Covariances
    ) -> _Whitened:
        """All the evidence under one hypothesis, for every share: features ``x`` and how they vary, ``among``."""
        under = among.under(hypothesis.shape)
        covariance = hypothesis.amplitude**2 * under + np.diag(hypothesis.scatter**2 + evidence.spreads**2)
        told, projected = None, None
        if hypothesis.source is not None:
            source = evidence.sources[hypothesis.source]
            reading = self._reading(
                hypothesis.source, source, amplitude=hypothesis.amplitude, scatter=hypothesis.scatter
            )
            told = reading.trusted(hypothesis.trust)
            projected = told.project(Covariances(x, told.x))
            covariance -= projected @ projected.T
            levels = Levels(x, evidence, told=told, shift=projected @ told.whitened)
        root, white = whiten(covariance, levels.residuals)
        return _Whitened(
            levels=levels,
            covariance=covariance,
            root=root,
            white=white,
            told=told,
            told_here=projected,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Whitened:
    """The evidence under hypotheses that differ only in the share of fusions.

    Attributes:
        levels: for every share.
        covariance, root: float64 [k, k], see :class:`Process`.
        white: float64 [r, k], the evidence for every share, whitened.
        told, told_here: see :class:`Process`.
    """

    levels: Levels
    covariance: Floats
    root: Floats
    white: Floats
    told: Told | None
    told_here: Floats | None

    def process(self, hypothesis: _Hypothesis, weight: float, x: Floats) -> Process:
        """The process of one of these hypotheses, about what has features ``x``."""
        return Process(
            weight=weight,
            amplitude=hypothesis.amplitude,
            scatter=hypothesis.scatter,
            shape=hypothesis.shape,
            x=x,
            level=self.levels.levels[hypothesis.share],
            ratio=self.levels.ratios[hypothesis.share],
            covariance=self.covariance,
            root=self.root,
            whitened=self.white[hypothesis.share],
            source=hypothesis.source,
            told=self.told,
            told_here=self.told_here,
        )


def _weigh(levels: Levels, x: Floats, spreads: Floats, *, alone: float, most: int) -> list[tuple[float, _Hypothesis]]:
    """Log likelihoods of the hypotheses that believe no source; the likeliest of them.

    Args:
        x: features [k, 11] of what is known.
        spreads: float64 [k], see :class:`Evidence`.
        alone: what every layout has of its own, see :class:`Shape`.
        most: so many of them.
    """
    sizes = list(itertools.product(AMPLITUDES, SCATTERS))
    doubts = np.array([_doubt(*size) for size in sizes])
    shapes = _shapes(x, levels.residuals[0], alone=alone)
    covariances = Covariances(x, x)
    scores = []
    for shape in shapes:
        likelihoods = _log_likelihoods(covariances.under(shape), levels.residuals, spreads)
        doubt = doubts + BEND_DOUBT * shape.bend + SUSPICION * len(shape.odd)
        scores.append(likelihoods - doubt[:, None])
    every = np.array(scores)
    best = np.argsort(-every, axis=None, kind="stable")[:most]
    return [
        (
            float(every.ravel()[place]),
            _Hypothesis(
                amplitude=sizes[size][0],
                scatter=sizes[size][1],
                shape=shapes[which],
                share=int(share),
            ),
        )
        for place, which, size, share in zip(best, *np.unravel_index(best, every.shape), strict=True)
    ]


def _log_likelihoods(covariance: Floats, residuals: Floats, spreads: Floats) -> Floats:
    """Of residuals [r, k], but for a constant, by amplitude and scatter, float64 [24, r].

    Scatters only add to the eigenvalues of what is left, and amplitudes scale them where all is known exactly.

    Args:
        covariance: float64 [k, k], at an amplitude of 1.
        spreads: float64 [k], see :class:`Evidence`.
    """
    amplitudes = np.array(AMPLITUDES)[:, None, None]
    if spreads.any():
        values, vectors = np.linalg.eigh(amplitudes**2 * covariance + np.diag(spreads**2))
    else:
        values, vectors = np.linalg.eigh(covariance)
        values = amplitudes[:, 0] ** 2 * values
    variances = values[:, None] + np.array(SCATTERS)[:, None] ** 2
    misfits = (1.0 / variances) @ np.swapaxes((residuals @ vectors) ** 2, -1, -2)
    found = -0.5 * (misfits + np.log(variances).sum(axis=2)[:, :, None])
    return np.asarray(found.reshape(-1, len(residuals)), np.float64)


def _doubt(amplitude: float, scatter: float) -> float:
    """A mild preference for the middle keeps two or three points from deciding."""
    return 2.0 * float(np.log(amplitude) ** 2 + np.log(scatter / MIDDLE_SCATTER) ** 2)


def _shapes(x: Floats, residual: Floats, *, alone: float) -> list[Shape]:
    """Bends and odd layouts to be weighed; not both, since either explains why large networks are bad."""
    straight, *bent = BENDS
    odd_ones = [Shape(bend=straight, odd=odd, alone=alone) for odd in _suspects(x, residual)]
    return odd_ones + [Shape(bend=bend, alone=alone) for bend in bent]


def _suspects(x: Floats, residual: Floats) -> list[tuple[int, ...]]:
    """No layout, the one that is worst beside the first guess, the worst two, and so on."""
    layouts = np.unique(x[:, LAYOUT])
    excess = np.array([residual[x[:, LAYOUT] == layout].mean() for layout in layouts])
    worst = [int(layout) for layout in layouts[np.argsort(-excess, kind="stable")]]
    return [tuple(worst[:count]) for count in range(min(MOST_ODD, len(worst) - 1) + 1)] if worst else [()]
