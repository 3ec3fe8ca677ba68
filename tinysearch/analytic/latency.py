"""Latency: cycles of every step from a table of fitted or published coefficients, summed over cores.

cycles(step) = sum over features of coefficient * feature; :mod:`tinysearch.analytic.features` counts these.

Coefficients belong to an instruction set, an arithmetic and an operator, carry their source and a relative spread, and
a step without an entry is an error that names the table to extend. Two branches on two cores take the longer one's time
plus contention; one branch never uses a second core.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from operator import mul

from tinysearch.analytic.features import FEATURES, step_features
from tinysearch.core.errors import UnsupportedLayerError
from tinysearch.core.network import INPUT
from tinysearch.core.program import Operator, Program, Step
from tinysearch.core.protocols import LatencyEstimate
from tinysearch.core.provenance import Sourced

FLOAT = "float32"
FLOAT_TABLES = {True: "float32_fpu", False: "float32_soft"}
"""Arithmetic of float32 steps in the table, by whether the chip has an FPU."""

Cycles = tuple[float, float, float, bool]
"""Expected, least and most cycles, and whether every entry behind them is calibrated."""

_UNPOOLED, _POINTWISE = "_unpooled", "pointwise"
GENERAL_CLASSES = {_POINTWISE: "conv"} | {
    f"{first}{_UNPOOLED}": first for first in ("first_conv", "first_conv_binary1", "first_conv_binary2")
}
"""General class by kernel class of layers that residual networks do not have: binary 1x1 convolutions of stride 1, and
first convolutions without a pool, whose cost an output the pool would hide. A table may leave them out."""

_REMEMBERED = 1 << 17  # programs and instruction sets whose cycles a table keeps

Profile = Mapping[tuple[str, str], Mapping[str, float]]
"""Features summed over the steps of a program, by arithmetic and kernel class: all that a linear model needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accelerated:
    """Steps of a branch that a library computes in place of the portable kernels.

    Attributes:
        name: of the backend.
        steps: by name.
        shared: whether two branches may use the backend at once; one that is not serves the branch of more MACs.
        arena_bytes: of the branch where the backend's scratch lies in it; None for the portable kernels' arena.
    """

    name: str
    steps: frozenset[str]
    shared: bool
    arena_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyEntry:
    """Coefficients of one kernel on one instruction set, in cycles.

    Attributes:
        coefficients: cycles for one of each feature, in the order of :data:`FEATURES`.
        low, high: factors on the estimate that bound it.
        calibrated: fitted on counts or times of this very kernel.
        source, date: where the coefficients come from.
    """

    coefficients: tuple[float, ...]
    low: float
    high: float
    calibrated: bool
    source: str
    date: str

    def cycles(self, features: Mapping[str, float]) -> float:
        """Cycles of a step with these features."""
        return float(sum(map(mul, self.coefficients, map(features.__getitem__, FEATURES))))


PORTABLE = Accelerated(name="", steps=frozenset(), shared=True)

EntryKey = tuple[str, str, str]
"""Instruction set, arithmetic (``float32_fpu``, ``float32_soft``, ``int8``, ``xnor2/1`` ...), kernel class. The
arithmetic of steps that a backend computes ends in its name, ``int8@esp_nn``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessorTiming:
    """What latency needs of a chip: instruction set, clock (Hz), cores, slow-down of an arena in PSRAM, contention."""

    isa: str
    fpu: bool
    frequency_hz: float
    cores: int
    psram_factor: float
    contention: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyTable:
    """Entries by instruction set, arithmetic and kernel class, and processors by name."""

    name: str
    entries: Mapping[EntryKey, LatencyEntry]
    processors: Mapping[str, ProcessorTiming]
    acquisition_s: Mapping[str, Sourced]
    _found: dict[tuple[Program, Accelerated, str, bool], Cycles] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def step(
        self, program: Program, step: Step, *, processor: str, weights_in_flash: bool, arena_in_psram: bool
    ) -> LatencyEstimate:
        """Seconds of one step by the portable kernel.

        Raises:
            UnsupportedLayerError: no entry for the step on this processor.
        """
        del weights_in_flash  # entries are for weights in flash, the only place the emitter puts them
        timing = self.timing(processor)
        key = _arithmetic(program, step), kernel_class(program, step)
        return _estimate(self._sum({key: step_features(program, step)}, timing), timing, arena_in_psram=arena_in_psram)

    def contention(self, processor: str) -> float:
        """Factor on the longer of two branches that run at once."""
        return self.timing(processor).contention

    def timing(self, processor: str) -> ProcessorTiming:
        """Timing facts of a processor.

        Raises:
            UnsupportedLayerError: the table does not know it.
        """
        if processor not in self.processors:
            raise UnsupportedLayerError(
                "every processor must have a clock and an instruction set",
                value=processor,
                remedy=f"add it to the table {self.name}",
            )
        return self.processors[processor]

    def program(
        self, program: Program, *, processor: str, arena_in_psram: bool, accelerated: Accelerated = PORTABLE
    ) -> LatencyEstimate:
        """Seconds of one inference of a branch on one core.

        A backend that no log has measured may turn out not to run, so the upper bound is not below the portable one.

        Raises:
            UnsupportedLayerError: no entry for one of its steps on this processor.
        """
        timing = self.timing(processor)
        portable = _estimate(self._cycles(program, PORTABLE, timing), timing, arena_in_psram=arena_in_psram)
        if not accelerated.steps:
            return portable
        found = _estimate(self._cycles(program, accelerated, timing), timing, arena_in_psram=arena_in_psram)
        return found if found.calibrated else replace(found, high=max(found.high, portable.high))

    def _cycles(self, program: Program, accelerated: Accelerated, timing: ProcessorTiming) -> Cycles:
        """Cycles of a program, found once for all processors of an instruction set."""
        key = (program, accelerated, timing.isa, timing.fpu)
        if key not in self._found:
            if len(self._found) >= _REMEMBERED:
                self._found.clear()
            self._found[key] = self._sum(program_profile(program, accelerated), timing)
        return self._found[key]

    def _sum(self, profile: Profile, timing: ProcessorTiming) -> Cycles:
        cycles = low = high = 0.0
        calibrated = True
        for (arithmetic, kernel), features in profile.items():
            entry = self._entry(timing, arithmetic, kernel)
            part = entry.cycles(features)
            cycles, low, high = cycles + part, low + part * entry.low, high + part * entry.high
            calibrated &= entry.calibrated
        return cycles, low, high, calibrated

    def _entry(self, timing: ProcessorTiming, arithmetic: str, kernel: str) -> LatencyEntry:
        """The entry of a kernel; a backend's that the table lacks is taken for the portable one, uncalibrated."""
        arithmetic, at, backend = arithmetic.partition("@")
        if arithmetic == FLOAT:
            arithmetic = FLOAT_TABLES[timing.fpu]
        entry = self.entries.get((timing.isa, f"{arithmetic}{at}{backend}", kernel))
        if entry is None and at:
            portable = self.entries.get((timing.isa, arithmetic, kernel))
            entry = None if portable is None else replace(portable, calibrated=False)
        if entry is None:
            raise UnsupportedLayerError(
                "every layer must have a latency entry",
                value=f"{timing.isa} {arithmetic} {kernel}",
                remedy=f"add an entry to the table {self.name}",
            )
        return entry


def _estimate(cycles: Cycles, timing: ProcessorTiming, *, arena_in_psram: bool) -> LatencyEstimate:
    """Seconds at the processor's clock."""
    expected, low, high, calibrated = cycles
    scale = (timing.psram_factor if arena_in_psram else 1.0) / timing.frequency_hz
    return LatencyEstimate(seconds=expected * scale, low=low * scale, high=high * scale, calibrated=calibrated)


def entry_key(program: Program, step: Step, *, fpu: bool, backend: str = "") -> tuple[str, str]:
    """Arithmetic and kernel class of a step: what an entry of the table describes."""
    arithmetic = _arithmetic(program, step)
    if arithmetic == FLOAT:
        arithmetic = FLOAT_TABLES[fpu]
    return arithmetic + (f"@{backend}" if backend else ""), kernel_class(program, step)


def _arithmetic(program: Program, step: Step) -> str:
    """The arithmetic that a step's kernel computes in: an XNOR network also runs int8 kernels."""
    writes_bits = program.tensors[step.output].bits > 0
    if program.precision.kind == "xnor" and not program.binary(step) and not writes_bits:
        return "int8"
    return str(program.precision)


def kernel_class(program: Program, step: Step) -> str:
    """Class of kernels that one entry describes: the operator, with the byte-fed first convolution apart."""
    if step.operator is Operator.CONV and step.inputs[0] == INPUT:
        binary = f"_binary{step.weight_bits}" if program.precision.kind == "xnor" else ""
        return f"first_conv{binary}{_UNPOOLED if step.pool == 1 else ''}"
    if step.operator is Operator.CONV and program.binary(step):
        if program.tensors[step.output].bits:
            return "conv_bits"
        return _POINTWISE if step.kernel == step.stride == 1 else Operator.CONV.value
    return step.operator.value


def complete(entries: Mapping[EntryKey, LatencyEntry]) -> dict[EntryKey, LatencyEntry]:
    """Entries, with those of special kernel classes that are missing taken from their general ones."""
    taken = {
        (isa, arithmetic, special): entry
        for (isa, arithmetic, kernel), entry in entries.items()
        for special, general in GENERAL_CLASSES.items()
        if general == kernel
    }
    return {**taken, **entries}


@lru_cache(maxsize=65536)
def program_profile(program: Program, accelerated: Accelerated = PORTABLE) -> Profile:
    """Profile of a program, computed once for all processors that run it by the same kernels."""
    profile: dict[tuple[str, str], dict[str, float]] = {}
    for step in program.steps:
        backend = f"@{accelerated.name}" if step.name in accelerated.steps else ""
        total = profile.setdefault(
            (_arithmetic(program, step) + backend, kernel_class(program, step)), dict.fromkeys(FEATURES, 0.0)
        )
        for name, value in step_features(program, step).items():
            total[name] += value
    return profile


def _beside(seconds: Sequence[float]) -> float:
    """Time of several branches on two cores, the longest on a core of its own."""
    longest = max(seconds)
    return longest if len(seconds) == 2 else max(longest, sum(seconds) - longest)


def combine(branches: Sequence[LatencyEstimate], *, cores: int, contention: float) -> LatencyEstimate:
    """Seconds of one authentication: branches in sequence on one core; on two the longest beside all others.

    Args:
        contention: factor on the longer branch when two run at once and share flash and memory.
    """
    parallel = len(branches) > 1 and cores > 1

    def join(seconds: Sequence[float]) -> float:
        return _beside(seconds) * contention if parallel else sum(seconds)

    return LatencyEstimate(
        seconds=join([part.seconds for part in branches]),
        low=_beside([part.low for part in branches]) if parallel else sum(part.low for part in branches),
        high=join([part.high for part in branches]),
        calibrated=all(part.calibrated for part in branches),
    )
