"""Laws that stand for trainings in ``front_replayed.py``: log errors of faces and voices by family, size and input."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from tinysearch.architectures.resnet import PAPER_STEM, Resnet
from tinysearch.core.candidate import BranchSpec
from tinysearch.search.known.design import DesignTable
from tinysearch.search.known.fidelity import Hint, Source, WarmStart

Law = Callable[[BranchSpec, float, float], float]
"""Log error of a branch with so many parameters and MACs, apart from its scatter."""

LEVELS = MappingProxyType({"face": math.log(0.128), "voice": math.log(0.20)})
"""Log error of an int8 network of 63 000 parameters and 4 MMAC on whole, colored inputs."""
FAMILIES = MappingProxyType(
    {
        "face": {"resnet": 0.03, "separable": -0.08, "inverted": -0.03, "plain": 0.03},
        "voice": {"resnet": -0.08, "separable": 0.05, "inverted": 0.03, "plain": 0.0},
    }
)
STEMS = (PAPER_STEM, (3, 2, 2), (5, 2, 2), (4, 4, 1))
WORST = 0.47
HINT_SPREAD = 0.05
"""Of what a law tells before the first training."""


def near_trainings(branch: BranchSpec, params: float, macs: float) -> float:
    """Near what some trainings of the embedded people showed (decision 88); too kind to the smallest (decision 92)."""
    p, m = math.log10(params), math.log10(macs)
    log = LEVELS[branch.modality] + FAMILIES[branch.modality][branch.architecture.family]
    log += -0.12 * (p - 4.8) - 0.10 * (m - 6.6) + 0.1 * max(0.0, 4.0 - p)
    if branch.precision.kind == "xnor":
        log += (0.06 if branch.precision.from_stage else 0.18) * (1.3 if p < 4.5 else 1.0)
    if branch.modality == "face" and branch.channels == 1:
        log += 0.06
    if branch.input_size < 64:
        log += 0.04
    return log + (0.12 if branch.frames else 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnLaw:
    """Nobody's measurements, of one input: what adds up to the log error of its branches.

    Attributes:
        params, macs: in a decade of each.
        families, stems: of each family, and of each stem of residual networks.
        smaller, grayer, shorter: of an input of three quarters the side, of one channel, of a part of the clip.
        coarse: of binary weights and activations of two bits; what is finer, or begins late, costs less.
        depth: of a stage.
        level: of all.
    """

    params: float
    macs: float
    families: Mapping[str, float]
    smaller: float
    grayer: float
    shorter: float
    coarse: float
    depth: float
    level: float
    stems: Mapping[tuple[int, ...], float]

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> DrawnLaw:
        """One of many."""
        return cls(
            params=-abs(rng.normal(0.10, 0.10)),
            macs=-abs(rng.normal(0.12, 0.08)),
            families={family: rng.normal(0.0, 0.1) for family in FAMILIES["face"]},
            smaller=0.25 * abs(rng.normal(0.15, 0.1)),
            grayer=rng.normal(0.08, 0.06),
            shorter=abs(rng.normal(0.15, 0.08)),
            coarse=abs(rng.normal(0.35, 0.12)),
            depth=rng.normal(0.0, 0.05),
            level=rng.normal(0.0, 0.05),
            stems={stem: rng.normal(0.0, 0.06) for stem in STEMS},
        )

    def log_error(self, branch: BranchSpec, params: float, macs: float) -> float:
        """Apart from its scatter."""
        architecture, precision = branch.architecture, branch.precision
        log = LEVELS[branch.modality] + self.level + self.families[architecture.family]
        log += self.params * (math.log10(params) - 4.8) + self.macs * (math.log10(macs) - 6.5)
        log += self.depth * (architecture.depth - 3)
        if isinstance(architecture, Resnet):
            log += self.stems.get(architecture.stem, 0.0)
        if precision.kind == "xnor":
            bits = precision.weight_bits * precision.activation_bits
            log += self.coarse * (0.4 if precision.from_stage else 1.0) * 2.0 / bits
        if branch.modality == "face" and branch.channels == 1:
            log += self.grayer
        if branch.input_size < 64:
            log += self.smaller
        return log + (self.shorter if branch.frames else 0.0)


def drawn_law(seed: int) -> Law:
    """One draw of each input's law."""
    rng = np.random.default_rng([seed, 99])
    laws = {name: DrawnLaw.drawn(rng) for name in LEVELS}
    return lambda branch, params, macs: laws[branch.modality].log_error(branch, params, macs)


def told_by_law(law: Law, table: DesignTable, *, branches: int) -> WarmStart:
    """What a law tells of so many branches of each input, as ``warm_start`` tells of those of another run."""
    rng, hints = np.random.default_rng([0, 7]), {}
    for name in LEVELS:
        own = [place for place, branch in enumerate(table.branches) if branch.modality == name]
        for chosen in sorted(rng.choice(len(own), min(branches, len(own)), replace=False)):
            place = own[chosen]
            branch, size = table.branches[place], (float(table.params[place]), float(table.macs[place]))
            hints[branch.key] = Hint(eer=min(WORST, math.exp(law(branch, *size))), spread=HINT_SPREAD)
    return WarmStart(sources=(Source(hints=hints),))
