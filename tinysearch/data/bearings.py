"""A **simulation** of the vibration of rolling bearings, sound or with a point defect; no machine was measured.

The model is the usual one of text books: McFadden and Smith, "Model for the vibration produced by a single point defect
in a rolling element bearing", J. Sound and Vibration 96 (1984) 69; Randall and Antoni, "Rolling element bearing
diagnostics - a tutorial", Mech. Systems and Signal Processing 25 (2011) 485. With n elements of diameter d on a pitch
circle D, contact angle phi, shaft rate f_r and q = d / D cos(phi):

- outer race (BPFO): n / 2 f_r (1 - q), of equal strength, for the defect stays in the load zone;
- inner race (BPFI): n / 2 f_r (1 + q), strength modulated at f_r, as the defect passes through the load zone;
- element (BSF): an impact on either race, so twice D / (2 d) f_r (1 - q^2), modulated by the cage, f_r / 2 (1 - q).

Each impact excites a damped resonance of the housing; elements slip, so intervals vary by a hundredth or two. Beside it
there are harmonics of the shaft and noise, part of it colored by the same resonance. What real machines have and this
one has not: gears, electric hum, transmission paths that change, speeds that drift, defects that grow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

VERSION = 1
"""Changes whenever the same numbers give another signal."""

Fault = Literal["outer", "inner", "element"]
FAULTS: tuple[Fault, ...] = ("outer", "inner", "element")

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearing:
    """Geometry: how many rolling elements, their diameter over that of the pitch circle, contact angle in radians."""

    elements: int
    ratio: float
    contact_rad: float = 0.0

    def impact_hz(self, fault: Fault, *, shaft_hz: float) -> float:
        """How often a defect is struck, by the formulas of the module.

        >>> round(Bearing(elements=9, ratio=0.2).impact_hz("outer", shaft_hz=10), 9)
        36.0
        """
        q = self.ratio * float(np.cos(self.contact_rad))
        if fault == "outer":
            return self.elements / 2 * shaft_hz * (1 - q)
        if fault == "inner":
            return self.elements / 2 * shaft_hz * (1 + q)
        return shaft_hz / self.ratio * (1 - q * q)

    def modulation_hz(self, fault: Fault, *, shaft_hz: float) -> float:
        """How often a defect passes through the load zone; 0 where it stays there."""
        q = self.ratio * float(np.cos(self.contact_rad))
        return {"outer": 0.0, "inner": shaft_hz, "element": shaft_hz / 2 * (1 - q)}[fault]


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One machine: its bearing, the resonance of its housing (Hz, damping ratio), and its levels in g."""

    bearing: Bearing
    resonance_hz: float
    damping: float
    noise_g: float
    shaft_g: float

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> Machine:
        """A machine like its siblings, as they stand in different plants."""
        bearing = Bearing(
            elements=int(rng.integers(7, 13)), ratio=rng.uniform(0.15, 0.25), contact_rad=rng.uniform(0, 0.3)
        )
        return cls(
            bearing=bearing,
            resonance_hz=rng.uniform(750.0, 1250.0),
            damping=rng.uniform(0.03, 0.08),
            noise_g=rng.uniform(0.04, 0.08),
            shaft_g=rng.uniform(0.05, 0.15),
        )


def vibration(
    machine: Machine,
    *,
    shaft_hz: float,
    load: float,
    seconds: float,
    rate_hz: float,
    rng: np.random.Generator,
    fault: Fault | None = None,
    severity: float = 1.0,
) -> Float64:
    """Acceleration of the housing in g, float64 [N].

    Args:
        load: 1 is rated; levels grow with it.
        fault: None is a sound bearing.
        severity: peak of an impact's response, as a multiple of ten times the noise.
    """
    count = round(seconds * rate_hz)
    time = np.arange(count) / rate_hz
    signal = np.zeros(count)
    for harmonic in (1, 2, 3):
        phase = rng.uniform(0, 2 * np.pi)
        signal += machine.shaft_g * load / harmonic * np.sin(2 * np.pi * harmonic * shaft_hz * time + phase)
    noise = rng.standard_normal(count)
    response = _response(machine, rate_hz=rate_hz)
    colored = np.convolve(noise, response)[:count]
    signal += machine.noise_g * (rng.standard_normal(count) + load * colored / np.std(colored))
    if fault is not None:
        strengths = _impacts(machine, fault, shaft_hz=shaft_hz, count=count, rate_hz=rate_hz, rng=rng)
        struck = np.convolve(strengths, response / np.abs(response).max())[:count]
        signal += 10 * machine.noise_g * severity * load * struck
    return signal


def _response(machine: Machine, *, rate_hz: float) -> Float64:
    """The housing's answer to an impact, until it has died down to a thousandth."""
    angular = 2 * np.pi * machine.resonance_hz
    time = np.arange(round(np.log(1000) / (machine.damping * angular) * rate_hz)) / rate_hz
    return np.asarray(np.exp(-machine.damping * angular * time) * np.sin(angular * time + 0.5), np.float64)


def _impacts(
    machine: Machine, fault: Fault, *, shaft_hz: float, count: int, rate_hz: float, rng: np.random.Generator
) -> Float64:
    """Strength of the impact at each sample, shared by the two samples beside it; zero between impacts."""
    rate = machine.bearing.impact_hz(fault, shaft_hz=shaft_hz)
    expected = int(count / rate_hz * rate * 1.2) + 2
    times = np.cumsum(rng.normal(1.0, 0.015, expected)) / rate + rng.uniform(-1, 0) / rate
    places = times * rate_hz
    inside = (places >= 0) & (places < count - 1)
    times, places = times[inside], places[inside]
    passing = machine.bearing.modulation_hz(fault, shaft_hz=shaft_hz)
    strength = (
        0.6 + 0.4 * np.cos(2 * np.pi * passing * times + rng.uniform(0, 2 * np.pi)) if passing else np.ones(len(times))
    )
    strength = strength * rng.uniform(0.8, 1.2, len(times))
    out = np.zeros(count)
    before = places.astype(np.int64)
    np.add.at(out, before, strength * (1 - (places - before)))
    np.add.at(out, before + 1, strength * (places - before))
    return out
