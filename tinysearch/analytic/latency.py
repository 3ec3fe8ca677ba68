"""Latency: cycles of every step from a table of fitted or published coefficients, summed over cores.

cycles(step) = sum over features of coefficient * feature; :mod:`tinysearch.analytic.features` counts these.

Where an entry says how a kernel reads its weights, a step takes no less than these need to stream from flash: a
roofline. Entries without that are counted or measured with their memory.

Coefficients belong to an instruction set, an arithmetic and an operator, carry their source and a relative spread, and
a step without an entry is an error that names the table to extend. Steps of one branch that two cores share have a term
of their own (:mod:`.two_cores`); how long several branches take stands in :mod:`.together`.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from tinysearch.analytic.entries import EntryKey, LatencyEntry, WeightedStep
from tinysearch.analytic.features import FEATURES, arithmetic_of, step_features
from tinysearch.analytic.kernels import Call, call_of, every_call, halves, single_calls
from tinysearch.analytic.psram import PsramAccess
from tinysearch.analytic.two_cores import Cycles, TwoCores
from tinysearch.core.errors import UnsupportedLayerError
from tinysearch.core.program import Program, Step
from tinysearch.core.protocols import LatencyEstimate
from tinysearch.core.provenance import Sourced
from tinysearch.operators import record_of

Floats = npt.NDArray[np.float64]

FLOAT = "float32"
FLOAT_TABLES = {True: "float32_fpu", False: "float32_soft"}
"""Arithmetic of float32 steps in the table, by whether the chip has an FPU."""

_REMEMBERED = 1 << 16
"""Programs whose profiles are kept; and whose cycles a table keeps for each instruction set."""

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
        constant_bytes: of the backend's own constants, in flash beside those of the portable kernels.
    """

    name: str
    steps: frozenset[str]
    shared: bool
    arena_bytes: int | None = None
    constant_bytes: int = 0


PORTABLE = Accelerated(name="", steps=frozenset(), shared=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class FlashReads:
    """How fast constants come from flash.

    Attributes:
        cache_bytes: of the data cache.
        bytes_per_s, low, high: what the cache is filled with, expected, least and most.
    """

    cache_bytes: float
    bytes_per_s: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessorTiming:
    """What latency needs of a chip: instruction set, clock (Hz), cores, slow-down of an arena in PSRAM, contention.

    Attributes:
        flash, psram: None where the table does not say.
    """

    isa: str
    fpu: bool
    frequency_hz: float
    cores: int
    psram_factor: float
    contention: float
    flash: FlashReads | None = None
    psram: PsramAccess | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyTable:
    """Entries by instruction set, arithmetic and kernel class, and processors by name."""

    name: str
    entries: Mapping[EntryKey, LatencyEntry]
    processors: Mapping[str, ProcessorTiming]
    acquisition_s: Mapping[str, Sourced]
    two_cores: TwoCores | None = None
    _found: dict[tuple[Accelerated, str, bool, FlashReads | None], dict[Program, Cycles]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _known: dict[tuple[str, bool, str, str], LatencyEntry] = field(
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
        call = call_of(program, step)
        return _estimate(self._sum(_summed([(call.entry, call, 1)]), timing), timing, arena_in_psram=arena_in_psram)

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

        Raises:
            UnsupportedLayerError: no entry for one of its steps on this processor.
        """
        timing = self.timing(processor)
        (cycles,) = self._cycles([program], PORTABLE, timing)
        portable = _estimate(cycles, timing, arena_in_psram=arena_in_psram)
        if not accelerated.steps:
            return portable
        (cycles,) = self._cycles([program], accelerated, timing)
        return beside(_estimate(cycles, timing, arena_in_psram=arena_in_psram), portable)

    def profile(
        self, profile: Profile, *, processor: str, arena_in_psram: bool, streamed: Sequence[WeightedStep] = ()
    ) -> LatencyEstimate:
        """Seconds of kernels that are given by their features, one after the other on one core.

        Args:
            streamed: steps of a backend, which are not in the profile and may wait for their weights.

        Raises:
            UnsupportedLayerError: no entry for one of them on this processor.
        """
        timing = self.timing(processor)
        parts = [self._sum(profile, timing)]
        for step in streamed:
            waits = self._streams(timing, step.key)
            parts.append(self._roofline(step, timing) if waits else self._sum({step.key: step.features}, timing))
        return _estimate(_added(parts), timing, arena_in_psram=arena_in_psram)

    def programs(self, programs: Sequence[Program], *, processor: str, arena_in_psram: bool) -> Floats:
        """Seconds of each of some programs by the portable kernels on one core, float64 [programs].

        Raises:
            UnsupportedLayerError: no entry for a step on this processor.
        """
        timing = self.timing(processor)
        expected = np.array([found[0] for found in self._cycles(programs, PORTABLE, timing)])
        return expected * _scale(timing, arena_in_psram=arena_in_psram)

    def _cycles(self, programs: Sequence[Program], accelerated: Accelerated, timing: ProcessorTiming) -> list[Cycles]:
        """Cycles of some programs, found once for all processors of an instruction set."""
        key = accelerated, timing.isa, timing.fpu, timing.flash if accelerated.steps else None
        known = self._found.setdefault(key, {})
        if len(known) >= _REMEMBERED:
            known.clear()
        unknown = [program for program in dict.fromkeys(programs) if program not in known]
        known.update(zip(unknown, self._whole(unknown, accelerated, timing), strict=True))
        return [known[program] for program in programs]

    def _whole(
        self, programs: Sequence[Program], accelerated: Accelerated, timing: ProcessorTiming
    ) -> Iterator[Cycles]:
        """Cycles of programs: steps whose weights are known to stream one by one, all others together."""
        streamed = [self._streamed(program, accelerated, timing) for program in programs]
        alone = self._sums(
            [
                _without(program_profile(program, accelerated, shares=self.two_cores is not None), parts)
                for program, parts in zip(programs, streamed, strict=True)
            ],
            timing,
        )
        shared = self._sums([shared_profile(program) for program in programs], timing)
        for program, whole, parts, halves_of in zip(programs, alone, streamed, shared, strict=True):
            found = [whole, *(self._roofline(part, timing) for part in parts)]
            if self.two_cores is not None and program.shared:
                found.append(self.two_cores.of(halves_of, steps=len(program.shared)))
            yield _added(found) if len(found) > 1 else whole

    def _streamed(self, program: Program, accelerated: Accelerated, timing: ProcessorTiming) -> Sequence[WeightedStep]:
        """Steps of a backend whose weights are known to stream."""
        if not accelerated.steps:
            return ()
        return [part for part in weighted_steps(program, accelerated) if self._streams(timing, part.key)]

    def _streams(self, timing: ProcessorTiming, key: tuple[str, str]) -> bool:
        return self._entry(timing, *key).weight_bytes is not None

    def _roofline(self, part: WeightedStep, timing: ProcessorTiming) -> Cycles:
        """A step's cycles, and those that its weights need from flash where these are more."""
        entry, flash = self._entry(timing, *part.key), timing.flash
        if flash is None:
            raise UnsupportedLayerError(
                "a chip whose backend streams weights must have a cache and a speed of its flash",
                value=f"{timing.isa} {' '.join(part.key)}",
                remedy=f"add it under flash_reads of the table {self.name}",
            )
        cycles = entry.cycles(part.features)
        expected = entry.read_bytes(part, cache_bytes=flash.cache_bytes)
        least, clock = entry.least_bytes(part.weights), timing.frequency_hz
        return (
            max(cycles, expected / flash.bytes_per_s * clock),
            max(cycles * entry.low, least / flash.high * clock),
            max(cycles * entry.high, expected / flash.low * clock),
            entry.calibrated,
        )

    def _sum(self, profile: Profile, timing: ProcessorTiming) -> Cycles:
        (cycles,) = self._sums([profile], timing)
        return cycles

    def _sums(self, profiles: Sequence[Profile], timing: ProcessorTiming) -> list[Cycles]:
        """Cycles of kernels that are given by their features, one after the other; of each of some profiles."""
        entries = {key: self._entry(timing, *key) for key in dict.fromkeys(itertools.chain(*profiles))}
        place = {key: number for number, key in enumerate(entries)}
        kind = np.array([place[key] for profile in profiles for key in profile], np.int64)
        counted = [[own[name] for name in FEATURES] for profile in profiles for own in profile.values()]
        features = np.array(counted).reshape(-1, len(FEATURES))
        owner = np.repeat(np.arange(len(profiles)), [len(profile) for profile in profiles])
        costs = np.array([entry.coefficients for entry in entries.values()]).reshape(-1, len(FEATURES))
        bounds = np.array([(1.0, entry.low, entry.high) for entry in entries.values()]).reshape(-1, 3)
        calibrated = np.array([entry.calibrated for entry in entries.values()], np.bool_)
        # Term by term, so that a sum does not depend on how many others are taken with it.
        cycles = functools.reduce(np.add, (costs[kind] * features).T)
        sums = (np.bincount(owner, cycles * factor, len(profiles)).tolist() for factor in bounds[kind].T)
        guessed = np.bincount(owner, ~calibrated[kind], len(profiles))
        return list(zip(*sums, (guessed == 0).tolist(), strict=True))

    def _entry(self, timing: ProcessorTiming, arithmetic: str, kernel: str) -> LatencyEntry:
        """The entry of a kernel, looked up once for an instruction set."""
        key = timing.isa, timing.fpu, arithmetic, kernel
        if key not in self._known:
            self._known[key] = self._looked_up(timing, arithmetic, kernel)
        return self._known[key]

    def _looked_up(self, timing: ProcessorTiming, arithmetic: str, kernel: str) -> LatencyEntry:
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


def beside(found: LatencyEstimate, portable: LatencyEstimate) -> LatencyEstimate:
    """With a backend: one that no log has measured may turn out not to run, so no upper bound is below the portable."""
    return found if found.calibrated else replace(found, high=max(found.high, portable.high))


def _without(profile: Profile, parts: Sequence[WeightedStep]) -> Profile:
    """A profile without what some steps are described by."""
    apart = {part.key for part in parts}
    return {key: total for key, total in profile.items() if key not in apart} if apart else profile


def _added(parts: Sequence[Cycles]) -> Cycles:
    """Cycles of parts that run one after the other."""
    cycles, low, high, calibrated = zip(*parts, strict=True)
    return sum(cycles), sum(low), sum(high), all(calibrated)


def _estimate(cycles: Cycles, timing: ProcessorTiming, *, arena_in_psram: bool) -> LatencyEstimate:
    """Seconds at the processor's clock."""
    expected, low, high, calibrated = cycles
    scale = _scale(timing, arena_in_psram=arena_in_psram)
    return LatencyEstimate(seconds=expected * scale, low=low * scale, high=high * scale, calibrated=calibrated)


def _scale(timing: ProcessorTiming, *, arena_in_psram: bool) -> float:
    """Seconds of a cycle, those that an arena in PSRAM costs included."""
    return (timing.psram_factor if arena_in_psram else 1.0) / timing.frequency_hz


def entry_key(program: Program, step: Step, *, fpu: bool, backend: str = "") -> tuple[str, str]:
    """Arithmetic and kernel class of a step: what an entry of the table describes."""
    arithmetic = arithmetic_of(program, step)
    if arithmetic == FLOAT:
        arithmetic = FLOAT_TABLES[fpu]
    return arithmetic + (f"@{backend}" if backend else ""), record_of(step).kernel_class(program, step)


@lru_cache(maxsize=_REMEMBERED)
def program_profile(program: Program, accelerated: Accelerated = PORTABLE, *, shares: bool = False) -> Profile:
    """Profile of a program, computed once for all processors that run it by the same kernels.

    Args:
        shares: leave out the steps that two cores share.
    """
    calls = []
    for name, call, count in single_calls(program) if shares else every_call(program):
        arithmetic, kernel = call.entry
        backend = f"@{accelerated.name}" if name in accelerated.steps else ""
        calls.append(((arithmetic + backend, kernel), call, count))
    return _summed(calls)


@lru_cache(maxsize=_REMEMBERED)
def shared_profile(program: Program) -> Profile:
    """Profile of the halves of all steps that two cores share."""
    return _summed((half.entry, half, 1) for pair in halves(program) for half in pair)


def _summed(calls: Iterable[tuple[tuple[str, str], Call, int]]) -> Profile:
    """Features of calls, each with how many there are like it, by what entry describes them."""
    profile: dict[tuple[str, str], dict[str, float]] = {}
    for key, call, count in calls:
        total = profile.get(key)
        if total is None:
            total = profile[key] = dict.fromkeys(FEATURES, 0.0)
        for name, value in call.features.items():
            total[name] += count * value
    return profile


@lru_cache(maxsize=_REMEMBERED)
def weighted_steps(program: Program, accelerated: Accelerated) -> tuple[WeightedStep, ...]:
    """Steps with weights that a backend computes, one by one."""
    found = []
    for step in program.steps:
        if step.name in accelerated.steps and step.has_weights:
            out = program.tensors[step.output].shape
            part = WeightedStep(
                key=(f"{arithmetic_of(program, step)}@{accelerated.name}", record_of(step).kernel_class(program, step)),
                features=step_features(program, step),
                weights=math.prod(program.weight_shape(step)),
                channels=out.channels,
                pixels=out.height * out.width * step.pool**2,
            )
            found.append(part)
    return tuple(found)
