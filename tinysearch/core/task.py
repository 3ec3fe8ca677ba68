"""What is asked of a device: the inputs that it senses, which of them are combined, and what it decides."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal, Protocol, get_args, runtime_checkable

from tinysearch.core.errors import UserError
from tinysearch.core.network import Shape
from tinysearch.core.schedule import ALWAYS, Schedule

Decision = Literal["verification", "classification", "anomaly"]
DECISIONS: tuple[Decision, ...] = get_args(Decision)
"""Is it who it claims to be; which of some classes, or none of them; is it like what was seen in training."""

Augmentation = Literal["image", "spectrogram", "series", "motion"]
"""How samples are varied in training: as pictures, as frames by bands, as samples by axes, or by axes that turn."""

FUSION = "fusion"
"""Stands for all inputs of a task together."""


def rate_called(decisions: Iterable[object]) -> str:
    """What an error rate is called: ``EER``, of a classification ``error``; what older runs decide is not known."""
    return "error" if "classification" in decisions else "EER"


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """What one capture of an input holds in RAM while the device decides.

    Attributes:
        buffer: its name in memory maps and C.
        size_bytes: bytes.
        seconds: how long recording takes; 0 for an instant.
        pixels: of a camera's frame, 0 for everything else.
        frame: the driver's name of that frame size, empty without.
    """

    buffer: str
    size_bytes: int
    seconds: float = 0.0
    pixels: int = 0
    frame: str = ""


class InputKind(Protocol):
    """A kind of input with its settings: a frozen record whose class says what the kind needs everywhere.

    Attributes:
        name: as tasks spell it.
        sensor: kind of sensor in the catalogue that feeds it.
        interfaces: by which such a sensor can be attached.
        wanted: the sensor in words, with its article: ``an I2S or PDM microphone``.
        drivers: managed components that the firmware can read it with; empty where it needs none.
        suffixes: of files with samples, lower case, with the dot.
        folder: where C files of its own lie; None for a kind of this package.
        sources: C files of a project beside those that every project has, by path in it; each is looked for by its
            name in ``folder``, then by its path in ``firmware_templates/esp_idf``, and a header beside one belongs to
            it. The first defines ``input_<name>``, see ``main/input.h``.
        chip_sources: the same, built for chips alone: drivers.
        components: of ESP-IDF that these call.
        front_ends: headers in ``firmware_templates/runtime`` that turn a capture into the network's input.
        kconfig: group of its options and pins in ``Kconfig.options``.
        footprint: key of its program bytes, reserved RAM and acquisition time in the tables of ``hardware_catalog``.
        augmentation: how its samples are varied in training.
    """

    name: ClassVar[str]
    sensor: ClassVar[str]
    wanted: ClassVar[str]
    drivers: ClassVar[tuple[str, ...]]
    suffixes: ClassVar[tuple[str, ...]]
    folder: ClassVar[Path | None]
    sources: ClassVar[tuple[str, ...]]
    chip_sources: ClassVar[tuple[str, ...]]
    components: ClassVar[tuple[str, ...]]
    front_ends: ClassVar[tuple[str, ...]]
    kconfig: ClassVar[str]
    footprint: ClassVar[str]
    augmentation: ClassVar[Augmentation]

    @property
    def interfaces(self) -> tuple[str, ...]: ...

    def shape(self, *, input_size: int, channels: int) -> Shape:
        """Shape of the network's input for one size and number of channels."""
        ...

    def capture(self, shape: Shape) -> Capture:
        """What is captured for a network's input of this shape.

        Raises:
            UserError: the sensor cannot deliver it.
        """
        ...


@runtime_checkable
class InUnits(Protocol):
    """A kind of input whose samples are in units, which its sensor must measure."""

    @property
    def units(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One input of a task.

    Attributes:
        name: as candidates spell it, for example ``face`` or ``wrist``.
        kind: what it is sensed with.
        defaults: parameters of its branch that a candidate or a space may leave out: ``architecture``, ``input_size``,
            ``channels``, and the architecture's own.
    """

    name: str
    kind: InputKind
    defaults: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """How a device that decides on windows goes through them: that of a classification or of an anomaly task.

    Attributes:
        hop_s: from the start of one window to the next.
        smooth: windows whose scores or distances are added, 1 .. 32.
        reject: share of a class's right answers that may be given up for ``unknown``, 0 .. 1, on validation data; of a
            classification alone.
        hold_off_s: after an event, until the next one.

    Raises:
        UserError: a setting out of range.
    """

    hop_s: float = 0.5
    smooth: int = 1
    reject: float = 0.05
    hold_off_s: float = 1.0

    def __post_init__(self) -> None:
        for name, low, high, usual in (
            ("hop_s", 0.01, 3600, "0.5"),
            ("smooth", 1, 32, "3"),
            ("reject", 0, 1, "0.05"),
            ("hold_off_s", 0, 86400, "1"),
        ):
            value = getattr(self, name)
            whole = name != "smooth" or isinstance(value, int)
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not whole or not low <= value <= high:
                raise UserError(
                    f"stream.{name} must be a {'whole ' if name == 'smooth' else ''}number from {low:g} to {high:g}",
                    value=value,
                    remedy=f"write task.stream.{name}={usual}",
                )

    @property
    def hold_off_windows(self) -> int:
        """Windows after an event that are none."""
        return math.ceil(self.hold_off_s / self.hop_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a device is asked.

    Attributes:
        inputs: in alphabetical order of their names.
        combinations: sets of inputs that make a candidate, the names of each in alphabetical order.
        schedule: when it decides.
        stream: how it goes through windows; a verification does not.
    """

    name: str
    decision: Decision
    inputs: tuple[Input, ...]
    combinations: tuple[tuple[str, ...], ...]
    schedule: Schedule = ALWAYS
    stream: Stream = field(default_factory=Stream)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the inputs."""
        return tuple(given.name for given in self.inputs)

    def input(self, name: str) -> Input:
        """One input by name.

        Raises:
            UserError: the task has none of this name.
        """
        for given in self.inputs:
            if given.name == name:
                return given
        raise UserError(
            f"an input of task {self.name} must be one of {', '.join(self.names)}",
            value=name,
            remedy=f"write for example modality={self.names[0]}",
        )

    def combination(self, modality: str) -> tuple[str, ...]:
        """Inputs that ``NAME``, ``NAME+NAME`` or ``fusion`` (all of them) stands for, in alphabetical order.

        Raises:
            UserError: an unknown or repeated name.
        """
        if modality == FUSION:
            return self.names
        names = tuple(sorted(part.strip() for part in modality.split("+")))
        if not set(names) <= set(self.names) or len(set(names)) != len(names):
            raise UserError(
                f"a modality must be inputs of task {self.name} ({', '.join(self.names)}), each once, joined by +, or"
                f" {FUSION} for all of them",
                value=modality,
                remedy=f"write for example modality={self.modality(self.names)}",
            )
        return names

    def modality(self, names: tuple[str, ...]) -> str:
        """How a combination of inputs is spelled: the reverse of :meth:`combination`."""
        if len(names) > 1 and names == self.names:
            return FUSION
        return "+".join(names)

    def sensors(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Kinds of sensor that some inputs need, sorted, each once."""
        return tuple(sorted({self.input(name).kind.sensor for name in names}))

    def footprints(self, names: Iterable[str]) -> tuple[str, ...]:
        """Keys of the bytes that drivers and front-ends of some inputs take, sorted, each once."""
        return tuple(sorted({self.input(name).kind.footprint for name in names}))

    def drivers(self, names: Iterable[str]) -> tuple[str, ...]:
        """Managed components that the firmware can read the sensors of some inputs with."""
        return tuple(driver for name in names for driver in self.input(name).kind.drivers)
