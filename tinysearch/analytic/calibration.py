"""Fit a latency table to what was counted or measured, one line a layer.

Two fits. ``fit_coefficients`` needs many networks (counts from the emulator) and finds non-negative coefficients of
every kernel class that minimize relative errors. ``fit_factors`` needs one log of a device and scales the entries of
each kernel class that it covers, because a few layers do not determine all coefficients.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from tinysearch.analytic.entries import LatencyEntry
from tinysearch.analytic.features import FEATURES, step_features
from tinysearch.analytic.latency import FLOAT_TABLES, LatencyTable, entry_key
from tinysearch.core.bands import is_band
from tinysearch.core.errors import UserError
from tinysearch.core.program import Program

_MACS, _LANE_MACS, _STEPS = (FEATURES.index(name) for name in ("macs", "lane_macs", "steps"))

LARGEST_FACTOR = 20.0
"""That a log may change a table's entry by, up or down; counted instructions and cores that issue one or two at a time
leave room for a few."""

LARGEST_SPREAD = 4.0
"""Between a layer and the factor of its kernel class, up or down."""

MOST_CYCLES_A_CALL = 20_000.0
"""Tables of 256 entries and expanded weights are the most that a kernel prepares on a call."""

Coefficients = Mapping[tuple[str, str], npt.NDArray[np.float64]]
"""Coefficients in the order of :data:`~tinysearch.analytic.features.FEATURES`, by arithmetic and kernel class."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One layer as it ran: its name, its entry's key, its features, and the cycles (or instructions) that it took."""

    name: str = ""
    arithmetic: str
    kernel: str
    features: Mapping[str, float]
    cycles: float


def observe(
    program: Program, cycles: Mapping[str, float], *, fpu: bool, backends: Mapping[str, str] | None = None
) -> list[Observation]:
    """Observations of a branch.

    Args:
        cycles: by step name, as the benchmark command or the emulator prints them.
        fpu: whether the processor has one; float32 without is another arithmetic.
        backends: by step, for those that the portable kernels did not compute.

    Raises:
        UserError: a step that the branch does not have.
    """
    steps = {step.name: step for step in program.steps}
    cycles = {name: count for name, count in cycles.items() if not is_band(name, steps)}  # no kernel's own time
    unknown = sorted(set(cycles) - set(steps))
    if unknown:
        raise UserError(
            "a log must be of the candidate that it is read with", value=", ".join(unknown), remedy="check both files"
        )
    found = []
    for name, count in cycles.items():
        backend = (backends or {}).get(name, "")
        arithmetic, kernel = entry_key(program, steps[name], fpu=fpu, backend=backend)
        features = step_features(program, steps[name])
        found.append(
            Observation(name=name, arithmetic=arithmetic, kernel=kernel, features=features, cycles=float(count))
        )
    return found


def fit_coefficients(observations: Sequence[Observation]) -> dict[tuple[str, str], npt.NDArray[np.float64]]:
    """Non-negative coefficients by arithmetic and kernel class, least squares of relative errors."""
    fitted = {}
    for key in sorted({(o.arithmetic, o.kernel) for o in observations}):
        own = [o for o in observations if (o.arithmetic, o.kernel) == key and o.cycles > 0]
        design = np.array([[o.features[name] for name in FEATURES] for o in own]) / _cycles(own)[:, None]
        soft_float = key[0] == FLOAT_TABLES[False]  # which passes over the zeros that fill up a tile
        if design[:, _LANE_MACS].any() and not soft_float:  # what a kernel works on tells, not what it was asked for
            design[:, _MACS] = 0.0
        found = _solve(design)
        if found[_STEPS] > MOST_CYCLES_A_CALL:  # what varies from network to network is no cost of a call
            design[:, _STEPS] = 0.0
            found = _solve(design)
        fitted[key] = found
    return fitted


def _solve(design: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Non-negative weights of the columns that bring every row closest to 1."""
    from scipy.optimize import nnls

    scale = np.maximum(np.abs(design).max(axis=0), 1e-30)
    solution: npt.NDArray[np.float64] = nnls(design / scale, np.ones(len(design)))[0] / scale
    return solution


def _cycles(observations: Sequence[Observation]) -> npt.NDArray[np.float64]:
    return np.array([o.cycles for o in observations])


def predict(coefficients: Coefficients, observation: Observation) -> float:
    """Cycles of one layer by fitted coefficients.

    Raises:
        KeyError: nothing was fitted for its kernel class.
    """
    weights = coefficients[observation.arithmetic, observation.kernel]
    return float(sum(w * observation.features[name] for w, name in zip(weights, FEATURES, strict=True)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Residual:
    """How far a kernel class is off after fitting: layers seen, factor applied, largest relative error left."""

    arithmetic: str
    kernel: str
    layers: int
    factor: float
    worst: float


def fit_factors(
    table: LatencyTable, observations: Sequence[Observation], *, processor: str, source: str, date: str
) -> tuple[LatencyTable, list[Residual]]:
    """A table with the entries of one processor's instruction set scaled to a device's log, and what is left over.

    Entries that the log covers become calibrated, with bounds from its residuals; the others stay as they are.

    Raises:
        UserError: the log has no layer, or counts that no device gives.
    """
    if not observations:
        raise UserError(
            "a log must have lines `layer BRANCH STEP CYCLES`", value="none", remedy="run benchmark on the device"
        )
    isa = table.timing(processor).isa
    entries, residuals = dict(table.entries), []
    for arithmetic, kernel in sorted({(o.arithmetic, o.kernel) for o in observations}):
        entry = entries.get((isa, arithmetic, kernel)) or entries.get((isa, arithmetic.partition("@")[0], kernel))
        if entry is None:
            raise UserError(
                "a layer must have an entry to scale",
                value=f"{isa} {arithmetic} {kernel}",
                remedy="extend the table first",
            )
        own = [o for o in observations if (o.arithmetic, o.kernel) == (arithmetic, kernel)]
        ratios = np.array([o.cycles / max(entry.cycles(o.features), 1e-9) for o in own])
        factor = float(np.exp(np.log(np.maximum(ratios, 1e-9)).mean()))
        left = ratios / factor
        _check_plausible(own, factor, left)
        entries[isa, arithmetic, kernel] = _scaled(entry, factor, left, source=source, date=date)
        residuals.append(
            Residual(
                arithmetic=arithmetic,
                kernel=kernel,
                layers=len(own),
                factor=factor,
                worst=float(np.abs(left - 1.0).max()),
            )
        )
    return replace(table, entries=entries), residuals


def _check_plausible(observations: Sequence[Observation], factor: float, left: npt.NDArray[np.float64]) -> None:
    """Refuse a digit that got lost: factors far from 1, and a layer far from the others of its class."""
    worst = int(np.argmax(np.abs(np.log(np.maximum(factor * left, 1e-9)))))
    odd = observations[worst]
    spread = max(float(left.max()), 1 / max(float(left.min()), 1e-9))
    if spread > LARGEST_SPREAD or not 1 / LARGEST_FACTOR <= factor <= LARGEST_FACTOR:
        raise UserError(
            f"a log must be within {LARGEST_FACTOR:g} times of the table, and a layer within {LARGEST_SPREAD:g} times "
            "of others like it",
            value=f"layer {odd.name} with {odd.cycles:.0f} cycles, {factor * left[worst]:.2g} times those of the table",
            remedy="run benchmark on the device again",
        )


def _scaled(
    entry: LatencyEntry, factor: float, left: npt.NDArray[np.float64], *, source: str, date: str
) -> LatencyEntry:
    return replace(
        entry,
        coefficients=tuple(value * factor for value in entry.coefficients),
        low=min(0.95, float(left.min())),
        high=max(1.05, float(left.max())),
        calibrated=True,
        source=source,
        date=date,
    )
