"""Cheap evidence: what early epochs and a float stage tell of a branch before it is trained to its end.

A learning curve is a list of (fraction of the training, validation EER). How far the EER still falls from a fraction to
the end is learned from the trainings that ended in this study, as a factor with a spread. From it follow a hint about
a branch that was not trained to its end, and the EER above which going on is hopeless.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tinysearch.core.candidate import BranchSpec
from tinysearch.core.protocols import TrainingProgress

Curve = Sequence[tuple[float, float]]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LEAST_CURVES = 3
"""Fewer finished trainings tell nothing of how a curve goes on."""

LEAST_SPREAD = 0.15
"""Standard deviation of a logarithm: no prediction from a curve is surer than this."""

CONFIDENCE = 2.0
"""A training is given up only if an end this many standard deviations better than expected would be useless."""

LEAST_EER = 1e-4
"""An EER below this counts as this: logarithms are taken."""

SAME_FRACTION = 0.06
"""Fractions that differ by no more than this are compared."""

NEVER_BEFORE = 0.2
"""No training is given up before this fraction of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """Evidence about the validation EER of an untrained branch: an estimate, and the standard deviation of its log."""

    eer: float
    spread: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What one run or table of elsewhere tells.

    Attributes:
        hints: by key of the branch.
        fusions: EER of a first branch, of a second, and of their fusion.
    """

    hints: Mapping[str, Hint] = field(default_factory=dict)
    fusions: Sequence[tuple[float, float, float]] = ()

    def told(self, index: Mapping[str, int]) -> ToldErrors:
        """Its hints about branches of a space, whose numbers by key are ``index``."""
        found = sorted((index[key], hint.eer, hint.spread) for key, hint in self.hints.items() if key in index)
        branches, eers, spreads = (np.array([row[i] for row in found]) for i in range(3))
        return ToldErrors(branches=branches.astype(np.int64), eers=eers, spreads=spreads)

    def to_dict(self) -> dict[str, Any]:
        """As a study keeps it."""
        hints = {key: [hint.eer, hint.spread] for key, hint in self.hints.items()}
        return {"hints": hints, "fusions": [list(fusion) for fusion in self.fusions]}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ToldErrors:
    """EERs of branches as one source has them.

    Attributes:
        branches: int64 [h], by index, ascending.
        eers, spreads: float64 [h], and the standard deviation of the logarithm of each by itself.
    """

    branches: Ints
    eers: Floats
    spreads: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmStart:
    """What is known from elsewhere before the first training; evidence, not knowledge.

    Attributes:
        sources: each with errors that rise and fall together; how far one is believed is learned from own trainings.
    """

    sources: tuple[Source, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As a study keeps it."""
        return {"sources": [source.to_dict() for source in self.sources]}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> WarmStart:
        """As a study has kept it; one of before 30 November 2026 held all of it as one source."""
        return cls(
            sources=tuple(
                Source(
                    hints={key: Hint(eer=float(v[0]), spread=float(v[1])) for key, v in source["hints"].items()},
                    fusions=tuple((float(a), float(b), float(c)) for a, b, c in source["fusions"]),
                )
                for source in stored.get("sources", [stored] if stored.get("hints") else [])
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """When to give up a training.

    Attributes:
        steps: (fraction, validation EER above which it is hopeless), by fraction.
    """

    steps: tuple[tuple[float, float], ...]

    def hopeless(self, progress: TrainingProgress) -> bool:
        """Whether going on cannot help, by what a tick tells."""
        if progress.eer_validation is None or not NEVER_BEFORE <= progress.fraction < 1.0:
            return False
        limits = [most for at, most in self.steps if abs(at - progress.fraction) <= SAME_FRACTION]
        return bool(limits) and progress.eer_validation > max(limits)


class Curves:
    """How learning curves of a study went on to their ends."""

    def __init__(self) -> None:
        self._falls: list[list[tuple[float, float]]] = []

    def add(self, curve: Curve, final: float) -> None:
        """Take in the curve of a training that ended with an EER."""
        end = max(final, LEAST_EER)
        self._falls.append([(at, float(np.log(end / max(eer, LEAST_EER)))) for at, eer in curve if at < 1.0])

    def fall(self, fraction: float) -> tuple[float, float] | None:
        """Mean and standard deviation of log (EER at the end / EER at a fraction); None if too little is known."""
        # Of each training the tick that is nearest, however often it told its error.
        nearest = [min(curve, key=lambda tick: abs(tick[0] - fraction)) for curve in self._falls if curve]
        near = np.array([fall for at, fall in nearest if abs(at - fraction) <= SAME_FRACTION])
        if len(near) < LEAST_CURVES:
            return None
        return float(near.mean()), max(LEAST_SPREAD, float(near.std(ddof=1)))

    def limit(self, useless: float) -> Limit | None:
        """When to give up a training that is useless if it ends with at least this EER; None for never."""
        steps = []
        for at in sorted({round(at, 2) for curve in self._falls for at, _ in curve if at >= NEVER_BEFORE}):
            fall = self.fall(at)
            if fall is not None:
                steps.append((at, useless * float(np.exp(CONFIDENCE * fall[1] - fall[0]))))
        return Limit(steps=tuple(steps)) if steps else None

    def hint(self, fraction: float, eer: float) -> Hint | None:
        """What an EER at a fraction tells of the end; None if too little is known."""
        fall = self.fall(fraction)
        return None if fall is None else Hint(eer=max(eer, LEAST_EER) * float(np.exp(fall[0])), spread=fall[1])


class _Tick(NamedTuple):
    """What a training told on its way: the fraction that was done, the validation EER, the phase."""

    fraction: float
    eer: float
    phase: str


class EarlyEvidence:
    """What ticks of trainings tell, kept with the trials so that a resumed run knows as much.

    A tick of a phase that begins with ``float`` also tells of the branch's sibling in float32, whose start it trains.

    Args:
        branches: of the design table.
        hints: of the knowledge, by branch; written to.
    """

    def __init__(self, branches: Sequence[BranchSpec], hints: dict[int, Hint]) -> None:
        self._index = {branch.key: i for i, branch in enumerate(branches)}
        self._hints = hints
        self._curves = Curves()
        self._running: dict[BranchSpec, list[_Tick]] = {}

    def warm(self, stored: Mapping[str, Sequence[float]]) -> None:
        """Take in hints from elsewhere: EER and spread by key of the branch."""
        for key, values in stored.items():
            if key in self._index:
                self._hints[self._index[key]] = Hint(eer=float(values[0]), spread=float(values[1]))

    def adopt(self, attributes: Mapping[str, Any]) -> None:
        """Take in what a trial of the study says."""
        for curve, final in attributes.get("curves", {}).values():
            self._curves.add(curve, final)
        self.warm(attributes.get("hints", {}))

    def tick(self, progress: TrainingProgress) -> None:
        """One tick of a training."""
        if progress.eer_validation is not None and 0.0 < progress.fraction < 1.0:
            self._running.setdefault(progress.branch, []).append(
                _Tick(progress.fraction, progress.eer_validation, progress.phase)
            )

    def limit(self, useless: float | None) -> Limit | None:
        """When to give up a training that is useless if it ends with at least this EER."""
        return None if useless is None else self._curves.limit(useless)

    def ended(self, branch: BranchSpec, final: float | None) -> dict[str, Any]:
        """The end of a training, with its EER if it was trained to the end; gives the attributes of its trial."""
        ticks = self._running.pop(branch, [])
        if not ticks:
            return {}
        hinted = {}
        started = [tick for tick in ticks if tick.phase.startswith("float")]
        if started and branch != branch.start:
            hinted[branch.start.key] = started[-1]
        if final is None:
            hinted[branch.key] = ticks[-1]
        out: dict[str, Any] = {}
        if final is not None:
            out["curves"] = {branch.key: [[[round(t.fraction, 4), t.eer] for t in ticks], final]}
            self.adopt(out)
        hints = {k: self._curves.hint(t.fraction, t.eer) for k, t in hinted.items()}
        out["hints"] = {key: [hint.eer, hint.spread] for key, hint in hints.items() if hint is not None}
        self.warm(out["hints"])
        return out
