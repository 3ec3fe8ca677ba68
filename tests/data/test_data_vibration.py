"""The simulation of bearings: its frequencies, its defects, and the anomaly task made of it."""

from __future__ import annotations

import numpy as np
import pytest

from tinysearch.core.errors import UserError
from tinysearch.core.protocols import SPLITS
from tinysearch.core.task import Input
from tinysearch.data.bearings import FAULTS, Bearing, Machine, vibration
from tinysearch.data.vibration import MACHINES, VibrationDataset
from tinysearch.inputs.signal import Signal

HOUSING = Signal(window_s=0.64, rate_hz=3200, axes=("z",), units=("g",), full_scale=(16.0,), span=(2.0,))
MACHINE = Machine(
    bearing=Bearing(elements=9, ratio=0.2), resonance_hz=1000.0, damping=0.1, noise_g=0.001, shaft_g=0.001
)


@pytest.mark.parametrize(("fault", "factor"), [("outer", 3.6), ("inner", 5.4), ("element", 4.8)])
def test_impacts_come_at_the_frequency_of_the_formula(fault: str, factor: float) -> None:
    assert MACHINE.bearing.impact_hz(fault, shaft_hz=20.0) == pytest.approx(20.0 * factor)
    signal = vibration(
        MACHINE,
        shaft_hz=20.0,
        load=1.0,
        seconds=8.0,
        rate_hz=3200,
        rng=np.random.default_rng(1),
        fault=fault,
        severity=9,
    )
    envelope = np.abs(np.fft.rfft(np.abs(signal) - np.abs(signal).mean()))
    frequencies = np.fft.rfftfreq(len(signal), 1 / 3200)
    near = (frequencies > 20 * factor * 0.93) & (frequencies < 20 * factor * 1.07)
    far = (frequencies > 20 * factor * 1.3) & (frequencies < 20 * factor * 1.6)
    assert envelope[near].max() > 2 * envelope[far].max()


def test_a_defect_has_sharper_peaks_than_a_sound_bearing() -> None:
    def crest(fault: str | None) -> float:
        given = {"shaft_hz": 20.0, "load": 1.0, "seconds": 2.0, "rate_hz": 3200.0, "rng": np.random.default_rng(0)}
        signal = vibration(MACHINE, **given, fault=fault)  # type: ignore[arg-type]
        return float(np.abs(signal).max() / signal.std())

    assert all(crest(fault) > 1.3 * crest(None) for fault in FAULTS)


def test_training_hears_sound_bearings_only_and_machines_are_in_one_split() -> None:
    data = VibrationDataset(given=Input(name="housing", kind=HOUSING), hop_s=2.0)
    labels = {split: data.labels(split) for split in SPLITS}
    assert np.unique(labels["train"]).tolist() == list(range(6))
    assert data.normal == 6
    assert all(np.unique(labels[split]).tolist() == list(range(9)) for split in ("validation", "test"))
    names = {split: {r.name.split()[2] for r in data._recordings[split]} for split in SPLITS}
    assert {split: len(own) for split, own in names.items()} == MACHINES
    assert "simulated" in data.caveat


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"severity": [1.0, 0.5]}, "severity must be two positive numbers"),
        ({"severity": [0.0, 0.5]}, "severity must be two positive numbers"),
        ({"seed": -1}, "seed must be a whole number"),
    ],
)
def test_impossible_simulations_are_refused(words: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        VibrationDataset(given=Input(name="housing", kind=HOUSING), **words)  # type: ignore[arg-type]
    with pytest.raises(UserError, match="must be read as one axis of a signal in g at 3200 Hz"):
        VibrationDataset(given=Input(name="housing", kind=Signal()))
