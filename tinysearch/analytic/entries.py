"""Entries of a latency table: what one kernel takes on one instruction set, and the bytes of weights that it reads."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from operator import mul

from tinysearch.analytic.features import FEATURES
from tinysearch.operators.conv import GENERAL_CLASSES

EntryKey = tuple[str, str, str]
"""Instruction set, arithmetic (``float32_fpu``, ``float32_soft``, ``int8``, ``xnor2/1`` ...), kernel class. The
arithmetic of steps that a backend computes ends in its name, ``int8@esp_nn``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightedStep:
    """A step with weights that a backend computes.

    Attributes:
        key: arithmetic and kernel class.
        weights, channels: in all, and of the output.
        pixels: whose sums are computed.
    """

    key: tuple[str, str]
    features: Mapping[str, float]
    weights: int
    channels: int
    pixels: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyEntry:
    """Coefficients of one kernel on one instruction set, in cycles.

    Attributes:
        coefficients: cycles for one of each feature, in the order of :data:`FEATURES`.
        low, high: factors on the estimate that bound it.
        calibrated: fitted on counts or times of this very kernel.
        source, date: where the coefficients come from.
        weight_bytes: that the kernel reads for a weight; None where cycles have the time that this takes.
        pass_pixels: pixels that it computes before it reads weights again; None where once is enough.
        part_channels: output channels whose weights it reads again and again before it goes on to others; None for all.
    """

    coefficients: tuple[float, ...]
    low: float
    high: float
    calibrated: bool
    source: str
    date: str
    weight_bytes: float | None = None
    pass_pixels: int | None = None
    part_channels: int | None = None

    def cycles(self, features: Mapping[str, float]) -> float:
        """Cycles of a step with these features."""
        return float(sum(map(mul, self.coefficients, map(features.__getitem__, FEATURES))))

    def least_bytes(self, weights: int) -> float:
        """Bytes of so many weights, each read once."""
        return weights * (self.weight_bytes or 0.0)

    def read_bytes(self, step: WeightedStep, *, cache_bytes: float) -> float:
        """Bytes that stream past a step: once where a cache keeps a part, else for every pass over the pixels."""
        once = self.least_bytes(step.weights)
        part = once * min((self.part_channels or step.channels) / step.channels, 1.0)
        if self.pass_pixels is None or part <= cache_bytes:
            return once
        return once * math.ceil(step.pixels / self.pass_pixels)


def complete(entries: Mapping[EntryKey, LatencyEntry]) -> dict[EntryKey, LatencyEntry]:
    """Entries, with those of special kernel classes that are missing taken from their general ones."""
    found = dict(entries)
    for special, general in GENERAL_CLASSES.items():  # a class comes before those that are special ones of it
        for (isa, arithmetic, kernel), entry in tuple(found.items()):
            if kernel == general:
                found.setdefault((isa, arithmetic, special), entry)
    return found
