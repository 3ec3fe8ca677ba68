"""Simulated bearings as an anomaly task: sound machines train, defects of machines never met are to be found."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinysearch.core.errors import UserError
from tinysearch.core.protocols import SPLITS, Split
from tinysearch.core.task import Input
from tinysearch.data.bearings import FAULTS, Machine, vibration
from tinysearch.data.bearings import VERSION as SIMULATION
from tinysearch.data.recordings import Recording, WindowDataset, as_counts
from tinysearch.data.window import VERSION
from tinysearch.inputs.series import FULL_SCALE, is_number
from tinysearch.inputs.signal import Signal

RATE_HZ = 3200
MACHINES: dict[Split, int] = {"train": 16, "validation": 6, "test": 12}
SPEEDS_HZ = (15.0, 20.0, 25.0)
LOADS = (0.6, 1.0)
SECONDS = 4.0

CAVEAT = (
    "Error rates are of simulated bearings, made by formulas in tinysearch.data.bearings: good for comparing designs, "
    "not for telling how well defects of real machines are found."
)


class VibrationDataset(WindowDataset):
    """Windows of simulated vibration. Normal classes are six operating conditions: three speeds, two loads.

    Machines differ between splits. In validation and test each machine also runs with each of three defects, at every
    speed and rated load.

    Args:
        given: the task's input, of kind signal with one axis in g at 3200 Hz.
        hop_s: seconds between the starts of two windows.
        severity: least and largest strength of defects, see :func:`~tinysearch.data.bearings.vibration`.
        seed: of machines and signals.
        audio, cache_dir: not used.

    Attributes:
        caveat: that all of it is simulated.

    Raises:
        UserError: another input, or a severity or seed that is none.
    """

    caveat = CAVEAT

    def __init__(
        self,
        *,
        given: Input,
        hop_s: float = 0.32,
        severity: Sequence[float] = (0.3, 1.0),
        seed: int = 0,
        audio: object = None,
        cache_dir: Path | str | None = None,
    ) -> None:
        del audio, cache_dir
        kind = _checked_kind(given)
        least, largest = _severity(severity)
        if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
            raise UserError("data.seed must be a whole number from 0", value=seed, remedy="write data.seed=0")
        bench = _Bench(full_scale_g=kind.full_scale[0], severity=(least, largest), seed=seed)
        names = tuple(f"{speed:g} Hz, load {load:g}" for speed in SPEEDS_HZ for load in LOADS)
        settings = f"{SIMULATION}|{VERSION}|{given.name}|{kind}|{hop_s}|{least}|{largest}|{seed}|{MACHINES}"
        super().__init__(
            name="vibration",
            digest=hashlib.sha256(settings.encode()).hexdigest()[:24],
            modality=given.name,
            kind=kind,
            hop_s=hop_s,
            recordings={split: bench.recordings(split) for split in SPLITS},
            class_names=(*names, *(f"{fault} defect" for fault in FAULTS)),
            normal=len(names),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bench:
    """Where simulated machines are recorded."""

    full_scale_g: float
    severity: tuple[float, float]
    seed: int

    def recordings(self, split: Split) -> list[Recording]:
        """All recordings of the machines of a split."""
        out = []
        for number in range(MACHINES[split]):
            rng = np.random.default_rng([self.seed, SPLITS.index(split), number])
            machine = Machine.drawn(rng)
            conditions = [(speed, load) for speed in SPEEDS_HZ for load in LOADS]
            out += [
                self._recording(f"{split} machine {number}", machine, condition, label=label, rng=rng)
                for label, condition in enumerate(conditions)
            ]
            if split == "train":
                continue
            for place in range(len(FAULTS)):
                for speed in SPEEDS_HZ:
                    name = f"{split} machine {number} {FAULTS[place]}"
                    label = len(conditions) + place
                    out.append(self._recording(name, machine, (speed, 1.0), label=label, rng=rng, fault=place))
        return out

    def _recording(
        self,
        name: str,
        machine: Machine,
        condition: tuple[float, float],
        *,
        label: int,
        rng: np.random.Generator,
        fault: int | None = None,
    ) -> Recording:
        speed, load = condition
        signal = vibration(
            machine,
            shaft_hz=speed * rng.uniform(0.97, 1.03),
            load=load * rng.uniform(0.95, 1.05),
            seconds=SECONDS,
            rate_hz=RATE_HZ,
            rng=rng,
            fault=None if fault is None else FAULTS[fault],
            severity=0.0 if fault is None else float(np.exp(rng.uniform(*np.log(self.severity)))),
        )
        counts = as_counts(signal / self.full_scale_g * FULL_SCALE)
        return Recording(name=name, label=label, counts=counts[:, None])


def _checked_kind(given: Input) -> Signal:
    kind = given.kind
    if isinstance(kind, Signal) and kind.rate_hz == RATE_HZ and kind.units == ("g",):
        return kind
    raise UserError(
        f"data=vibration must be read as one axis of a signal in g at {RATE_HZ} Hz",
        value=f"{given.name}: {kind}",
        remedy="write task=vibration",
    )


def _severity(given: Sequence[float]) -> tuple[float, float]:
    values = tuple(given)
    if len(values) != 2 or not all(is_number(value) for value in values) or not 0 < values[0] <= values[1] <= 100:
        raise UserError(
            "severity must be two positive numbers, the least and the largest",
            value=list(values),
            remedy="write data.severity=[0.3,1.0]",
        )
    return float(values[0]), float(values[1])
