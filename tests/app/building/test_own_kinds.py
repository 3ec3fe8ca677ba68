"""A kind or unit of input from outside: its data, and the sensors that it can be read from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinysearch.app.building.datasets import build_dataset
from tinysearch.app.building.wiring import Config, build_models
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.core.errors import UserError

KIND = """
from dataclasses import dataclass
from typing import ClassVar
from tinysearch.inputs.signal import Signal

@dataclass(frozen=True, slots=True, kw_only=True)
class Radar(Signal):
    name: ClassVar[str] = "radar"
    interfaces: ClassVar[tuple[str, ...]] = (%s,)
    rate_hz: float = 10.0
    window_s: float = 1.6
    axes: tuple[str, ...] = ("distance",)
"""

TASK = """
name: presence
decision: classification
inputs:
  room: {kind: "%s:Radar", input_size: 10, channels: 1}
"""


def presence(folder: Path, monkeypatch: pytest.MonkeyPatch, *, interface: str) -> Config:
    """A task with a radar that is attached by one interface, and recordings of two classes."""
    module = f"radar_by_{interface}"
    (folder / f"{module}.py").write_text(KIND % repr(interface))
    (folder / "presence.yaml").write_text(TASK % module)
    for name, distance in (("empty", 6), ("sitting", 2)):
        for number in range(6):
            file = folder / "data" / name / f"{number}.csv"
            file.parent.mkdir(parents=True, exist_ok=True)
            rows = [f"{step / 10:.1f},{distance + step % 3}" for step in range(64)]
            file.write_text("\n".join(["time,distance", *rows]))
    monkeypatch.syspath_prepend(str(folder))
    words = [f"task={folder / 'presence.yaml'}", f"plug_ins=[{module}:Radar]", "data=series"]
    return plain(compose_config([*words, f"data.root={folder / 'data'}", f"cache.dir={folder / 'cache'}"]))


def test_data_of_a_signal_are_those_of_what_is_made_of_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = presence(tmp_path, monkeypatch, interface="spi")
    assert build_dataset(config).modalities == ("room",)
    options = build_models(config).board_options(["room"])
    assert {sensor.interface for option in options for sensor in option.fitted if sensor.kind == "signal"} == {"spi"}


def test_a_board_is_not_sold_with_a_sensor_of_another_interface(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = presence(tmp_path, monkeypatch, interface="uart")
    with pytest.raises(
        UserError, match="must have sensors that the inputs can be read from; got radar: a signal in counts by uart"
    ):
        build_models(config).board_options(["room"])


SIGNAL = """
name: lead
decision: anomaly
inputs:
  lead: {kind: signal, window_s: 1.0, rate_hz: 100, units: [%s], full_scale: [5], input_size: 10, channels: 1}
"""


def billed(folder: Path, unit: str) -> set[str]:
    """Sensors of signals in the bills of a task with one in this unit."""
    (folder / "lead.yaml").write_text(SIGNAL % unit)
    models = build_models(plain(compose_config([f"task={folder / 'lead.yaml'}", "data=series", "data.root=."])))
    boards = models.board_options(["lead"])
    return {sensor.name for board in boards for sensor in board.fitted if sensor.kind == "signal"}


def test_a_signal_is_billed_a_sensor_that_measures_its_unit(tmp_path: Path) -> None:
    assert billed(tmp_path, "mV") == {"AD8232 (SparkFun SEN-12650)"}
    assert billed(tmp_path, "g") == {"ADXL345"}
    with pytest.raises(UserError, match="got signal: a signal in A by adc or uart; in a catalogue of your own add"):
        billed(tmp_path, "A")
