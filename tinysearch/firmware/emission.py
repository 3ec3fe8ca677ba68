"""Everything that one project is made of: what the writer prepares, and its files are rendered from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinysearch.core.cascade import Cascade
from tinysearch.core.evaluation import Evaluation
from tinysearch.core.platform import Chip, WiredPin
from tinysearch.core.quantization import COSINE_FRACTION_BITS
from tinysearch.core.task import InputKind, Task
from tinysearch.evaluation.answers import Decider
from tinysearch.firmware import partitions
from tinysearch.firmware.applications import APPLICATIONS, Application
from tinysearch.firmware.branch import Branch
from tinysearch.firmware.front_ends import hop_samples
from tinysearch.firmware.golden import Embeddings, selftest_crc
from tinysearch.firmware.packing import PackedStep
from tinysearch.inputs.motion import Motion
from tinysearch.inputs.signal import Signal

IDF_MINIMUM = (5, 5)
"""First ESP-IDF release for which the templates are written."""

Inputs = npt.NDArray[np.int8]

SPI_FROM_HZ = 1000.0
"""Samples a second from which an accelerometer is read by SPI: at 400 kHz, I2C takes 0.2 ms and more for one."""

SIGNAL_SENSOR = Signal.sensor

_SIGNAL_KEYS = {"adc": "CONFIG_TS_SIGNAL_ADC", "uart": "CONFIG_TS_SIGNAL_OWN"}
"""What reads a signal, by the interface of its sensor, where that is no accelerometer."""

PLACEHOLDER_COSINE = 0.9
"""Threshold of a branch for which no error rates are known, marked as such wherever it shows."""


def placeholder_threshold(branches: int) -> int:
    """Accepting score, in fixed point, of a project of so many branches whose error rates are not known."""
    return round(PLACEHOLDER_COSINE * branches * (1 << COSINE_FRACTION_BITS))


def reads_accelerometer(kind: InputKind) -> bool:
    """Whether a kind of input can be read by ``main/motion_sensor.c``."""
    return "main/motion_sensor.c" in kind.chip_sources


@dataclass(frozen=True, slots=True, kw_only=True)
class Emission:
    """Everything that one project is made of, checked.

    Attributes:
        task: tells what each branch is sensed with.
        golden: int8 inputs by modality [N, height, width, channels] and the oracle's embeddings [N, E].
        threshold: accepting score in fixed point; ``threshold_far`` is None for a placeholder.
        stricter_threshold: the next stricter one that is known, and its FAR; the same and None where none is.
        people, captures: that the NVS partition has room for.
        layers: constants of the front-ends that have any, by modality.
        decider: of a classification or an anomaly task; None for a lock.
        bmi270_config: what a BMI270 is loaded with; empty where there is none, or no accelerometer.
        in_psram: buffers by name that lie in PSRAM.
        signal_interface: by which the sensor of a signal is attached; empty without one.
        board_kconfig: key of the board whose pins the application knows, empty for others.
        microphone_pins: where a wired microphone goes; empty for the application's defaults.
    """

    evaluation: Evaluation
    chip: Chip
    task: Task
    sources: tuple[Branch, ...]
    golden: Mapping[str, tuple[Inputs, Embeddings]]
    threshold: int
    threshold_far: float | None
    stricter_threshold: int
    stricter_far: float | None
    psram_interface: str | None
    microphone_pdm: bool
    signal_interface: str
    in_psram: frozenset[str]
    board_kconfig: str
    microphone_pins: tuple[WiredPin, ...]
    people: int
    captures: int
    table: tuple[partitions.Partition, ...]
    layers: Mapping[str, PackedStep]
    decider: Decider | None
    bmi270_config: bytes
    version: str
    digest: str

    @property
    def modalities(self) -> tuple[str, ...]:
        return tuple(source.modality for source in self.sources)

    @property
    def kinds(self) -> tuple[InputKind, ...]:
        """Kinds of input, in the order of the branches."""
        return tuple(self.task.input(name).kind for name in self.modalities)

    def source_of(self, kind: type) -> Branch | None:
        """The first branch that is sensed with a kind; None without."""
        return next((s for s, own in zip(self.sources, self.kinds, strict=True) if isinstance(own, kind)), None)

    @property
    def accelerometer(self) -> bool:
        """Whether a sensor is read by ``main/motion_sensor.c``."""
        return any(reads_accelerometer(kind) for kind in self.kinds)

    @property
    def application(self) -> Application:
        """The files of what the device decides."""
        return APPLICATIONS[self.task.decision]

    @property
    def tasks(self) -> int:
        """Two where branches run on two cores at once; those of a cascade take turns."""
        return 2 if len(self.sources) > 1 and self.chip.cores > 1 and self.cascade is None else 1

    @property
    def branch_cores(self) -> int:
        """Two where a lone branch has steps that two cores share."""
        return 2 if any(source.shared for source in self.sources) else 1

    @property
    def cascade(self) -> Cascade | None:
        """When one branch decides alone; None where all always run."""
        return self.evaluation.errors.cascade

    @property
    def workers(self) -> tuple[int, ...]:
        """By branch, the core that it runs on: the slowest one beside all others, as latency is predicted."""
        if self.tasks == 1 or len(self.sources) == 2:
            return tuple(range(len(self.sources))) if self.tasks > 1 else (0,) * len(self.sources)
        seconds = self.evaluation.details["branch_latency_s"]
        slowest = max(self.modalities, key=lambda name: float(seconds[name]))
        return tuple(0 if name == slowest else 1 for name in self.modalities)

    @property
    def period_s(self) -> float:
        """Seconds from one decision to the next: what the schedule says, else the hop of a stream; 0 for a lock."""
        if self.decider is None:
            return 0.0
        schedule = self.task.schedule
        return schedule.interval_s if schedule.kind == "every" else self.decider.hop_s

    @property
    def hops(self) -> tuple[int, ...]:
        """By branch, samples from one window of a stream to the next."""
        return tuple(hop_samples(kind, self.period_s) for kind in self.kinds)

    @property
    def template_bytes(self) -> int:
        """Embeddings of one capture, each rounded up to 4 bytes."""
        return sum(-(-source.embedding_bytes // 4) * 4 for source in self.sources)

    @property
    def trained(self) -> bool:
        return all(source.trained for source in self.sources)

    @property
    def idf_minimum(self) -> str:
        """First ESP-IDF release that builds the project for its chip."""
        return ".".join(map(str, max(IDF_MINIMUM, self.chip.idf_minimum)))

    @property
    def board_keys(self) -> dict[str, str]:
        """What the configuration is told of the board."""
        named = {self.board_kconfig: "y"} if self.board_kconfig else {}
        if any(isinstance(kind, Motion | Signal) and kind.rate_hz >= SPI_FROM_HZ for kind in self.kinds):
            named["CONFIG_TS_MOTION_SPI"] = "y"
        if self.signal_interface in _SIGNAL_KEYS and any(isinstance(kind, Signal) for kind in self.kinds):
            named[_SIGNAL_KEYS[self.signal_interface]] = "y"
        pins = {f"CONFIG_TS_MICROPHONE_PIN_{pin.signal.upper()}": str(pin.gpio) for pin in self.microphone_pins}
        return named | pins

    @property
    def rest(self) -> str:
        """How it rests between decisions, as the power figures suppose; ``awake`` where these are not known."""
        power = self.evaluation.power
        return "awake" if power is None or not self.task.schedule.sleeps else power.rests

    @property
    def sleep_keys(self) -> dict[str, str]:
        """What the configuration is told of the pauses."""
        keys = {"deep sleep": "CONFIG_TS_SLEEP_DEEP", "light sleep": "CONFIG_TS_SLEEP_LIGHT"}
        return {keys[self.rest]: "y"} if self.rest in keys else {}

    @property
    def banner(self) -> str:
        return f"Generated by tinysearch {self.version}, configuration {self.digest}."

    @property
    def selftest_crc(self) -> str | None:
        """What the device prints, None where a branch is float32 (its last bits are the compiler's)."""
        if any(source.is_float for source in self.sources):
            return None
        return f"{selftest_crc([source.golden_crc for source in self.sources]):08x}"

    def arena_in_psram(self, modality: str) -> bool:
        return bool(self.in_psram & {f"arena_{modality}", "arena"})
