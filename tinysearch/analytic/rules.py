"""What a chip can be made to do, as a table of named rules: a board or candidate that breaks one is infeasible.

Each rule looks at a :class:`Build` and gives the :class:`~tinysearch.core.limits.Violation` or None. A rule that
needs a figure which the build leaves open (None) does not judge it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from tinysearch.core.limits import Violation
from tinysearch.core.platform import BoardOption, Chip, Sensor
from tinysearch.core.units import format_bytes
from tinysearch.inputs.camera import CIF_PIXELS

Sizes = TypeVar("Sizes", int, npt.NDArray[np.int64])


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """What is asked of a chip.

    Attributes:
        chip: the silicon.
        senses: kinds of sensor that the firmware reads.
        flash_bytes: size of the flash part; None leaves it open.
        psram_bytes: size of the PSRAM that is to be used, 0 for none; None leaves it open.
        psram_interface: of the PSRAM part.
        sensors: fitted; None leaves them open, and only the chip's interfaces are judged.
        flash_needed_bytes: bootloader, partition table, application and model partitions together.
        mapped_flash_bytes: flash that must be visible as data at once (constants and weights).
        frame_pixels: largest frame that the camera driver is asked for.
        drivers: managed components that the firmware can read sensors with; None leaves them open.
        idf_version: ESP-IDF that builds the firmware.
    """

    chip: Chip
    senses: tuple[str, ...] = ()
    flash_bytes: int | None = None
    psram_bytes: int | None = None
    psram_interface: str | None = None
    sensors: tuple[Sensor, ...] | None = None
    flash_needed_bytes: int | None = None
    mapped_flash_bytes: int | None = None
    frame_pixels: int | None = None
    drivers: tuple[str, ...] | None = None
    idf_version: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One named rule: what must hold, and the function that judges a build."""

    name: str
    statement: str
    check: Callable[[Build], Violation | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorRule:
    """A rule for every kind of sensor that is read; a violation is named ``<kind>-<name>``."""

    name: str
    statement: str
    check: Callable[[Build, str], Violation | None]


def _violation(
    rule: str, statement: str, *, limit: float, actual: float, limit_text: str, actual_text: str
) -> Violation:
    return Violation(
        rule=rule, limit=limit, actual=actual, message=f"{statement}; limit {limit_text}; actual {actual_text}"
    )


def _bytes_rule(rule: str, statement: str, *, limit: float, actual: int | None) -> Violation | None:
    if actual is None or actual <= limit:
        return None
    return _violation(
        rule,
        statement,
        limit=limit,
        actual=actual,
        limit_text=format_bytes(int(limit)),
        actual_text=format_bytes(actual),
    )


def _psram_on_chip(build: Build) -> Violation | None:
    if build.chip.psram is not None:
        return None
    return _bytes_rule("psram-on-chip", f"{build.chip.name} has no PSRAM controller", limit=0, actual=build.psram_bytes)


def _psram_interface(build: Build) -> Violation | None:
    if build.chip.psram is None or not build.psram_bytes or build.psram_interface is None:
        return None
    if build.psram_interface in build.chip.psram.interfaces:
        return None
    return _violation(
        "psram-interface",
        f"{build.chip.name} drives PSRAM over an interface that it has",
        limit=len(build.chip.psram.interfaces),
        actual=0,
        limit_text=", ".join(build.chip.psram.interfaces),
        actual_text=build.psram_interface,
    )


def _psram_addressable(build: Build) -> Violation | None:
    if build.chip.psram is None:
        return None
    limit = build.chip.psram.addressable_bytes.value
    statement = f"at most {format_bytes(int(limit))} of PSRAM count on {build.chip.name}"
    return _bytes_rule("psram-addressable", statement, limit=limit, actual=build.psram_bytes)


def _sensor_interface(build: Build, kind: str) -> Violation | None:
    interfaces = build.chip.sensor_interfaces(kind)
    fitted = None if build.sensors is None else [sensor for sensor in build.sensors if sensor.kind == kind]
    usable = interfaces if fitted is None else [sensor for sensor in fitted if sensor.interface in interfaces]
    if usable:
        return None
    missing = f"interfaces {', '.join(interfaces)}" if interfaces else "no interface for one"
    shown = "none fitted" if fitted == [] else ", ".join(sensor.interface for sensor in fitted or ()) or "none possible"
    return _violation(
        f"{kind}-interface",
        f"a {kind} must have an interface that the chip can read",
        limit=1,
        actual=0,
        limit_text=f"{build.chip.name} has {missing}",
        actual_text=shown,
    )


def _sensor_driver(build: Build, kind: str) -> Violation | None:
    driver = build.chip.sensor_driver(kind)
    if build.drivers is None or driver is None or driver in build.drivers:
        return None
    return _violation(
        f"{kind}-driver",
        f"the firmware must have a driver for the chip's {kind}",
        limit=1,
        actual=0,
        limit_text=f"{build.chip.name} takes {driver}",
        actual_text=", ".join(build.drivers) or "none",
    )


def needs_psram(frame_pixels: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Whether the camera driver takes frames so large only with PSRAM."""
    return np.asarray(np.asarray(frame_pixels) > CIF_PIXELS)


def window_bytes(chip: Chip, mapped_flash_bytes: Sizes, psram_bytes: Sizes) -> Sizes:
    """What lies in the address window through which a chip sees its flash: PSRAM too where they share it."""
    shared = chip.psram is not None and chip.psram.shared_with_flash
    return mapped_flash_bytes + psram_bytes if shared else mapped_flash_bytes


def _camera_frame(build: Build) -> Violation | None:
    if build.frame_pixels is None or build.psram_bytes is None:
        return None
    if build.psram_bytes or not needs_psram(build.frame_pixels):
        return None
    return _violation(
        "camera-frame",
        "without PSRAM the camera driver takes frames up to CIF, 400x296",
        limit=CIF_PIXELS,
        actual=build.frame_pixels,
        limit_text=f"{CIF_PIXELS} pixels",
        actual_text=f"{build.frame_pixels} pixels",
    )


def _flash_on_chip(build: Build) -> Violation | None:
    limit = build.chip.flash_max_bytes.value
    return _bytes_rule(
        "flash-on-chip", f"{build.chip.name} takes a limited flash part", limit=limit, actual=build.flash_bytes
    )


def _flash_fits(build: Build) -> Violation | None:
    if build.flash_bytes is None:
        return None
    statement = "bootloader, partition table, application and models fit the flash part"
    return _bytes_rule("flash-fits", statement, limit=build.flash_bytes, actual=build.flash_needed_bytes)


def _flash_window(build: Build) -> Violation | None:
    limit = build.chip.flash_window_bytes.value
    statement = f"{build.chip.name} maps a limited part of its flash as data"
    return _bytes_rule("flash-window", statement, limit=limit, actual=build.mapped_flash_bytes)


def _shared_window(build: Build) -> Violation | None:
    psram = build.chip.psram
    if psram is None or not psram.shared_with_flash or build.psram_bytes is None or build.mapped_flash_bytes is None:
        return None
    return _bytes_rule(
        "shared-window",
        f"PSRAM and mapped flash share one address window on {build.chip.name}",
        limit=build.chip.flash_window_bytes.value,
        actual=window_bytes(build.chip, build.mapped_flash_bytes, build.psram_bytes),
    )


def _version_number(version: tuple[int, ...]) -> float:
    """``505.02`` for 5.5.2: a number that orders versions as they are ordered."""
    major, minor, patch = (*version, 0)[:3]
    return 100 * major + minor + patch / 100


def _idf_minimum(build: Build) -> Violation | None:
    if build.idf_version is None or build.idf_version >= build.chip.idf_minimum:
        return None
    limit, actual = (_version_number(version) for version in (build.chip.idf_minimum, build.idf_version))
    return _violation(
        "idf-minimum",
        f"ESP-IDF supports {build.chip.name}",
        limit=limit,
        actual=actual,
        limit_text="from " + ".".join(map(str, build.chip.idf_minimum)),
        actual_text=".".join(map(str, build.idf_version)),
    )


RULES: tuple[Rule, ...] = (
    Rule(name="psram-on-chip", statement="PSRAM must have a controller on the chip", check=_psram_on_chip),
    Rule(
        name="psram-interface", statement="PSRAM must be of an interface that the chip drives", check=_psram_interface
    ),
    Rule(name="psram-addressable", statement="PSRAM must be no more than the chip addresses", check=_psram_addressable),
    Rule(name="camera-frame", statement="large camera frames must have PSRAM", check=_camera_frame),
    Rule(name="flash-on-chip", statement="flash must be no larger than the chip takes", check=_flash_on_chip),
    Rule(name="flash-fits", statement="everything stored must fit the flash", check=_flash_fits),
    Rule(name="flash-window", statement="weights and constants must be mapped at once", check=_flash_window),
    Rule(name="shared-window", statement="PSRAM and mapped flash must fit a shared window", check=_shared_window),
    Rule(name="idf-minimum", statement="the ESP-IDF release must know the chip", check=_idf_minimum),
)
"""Rules of the whole build, in the order in which violations are reported."""

SENSOR_RULES: tuple[SensorRule, ...] = (
    SensorRule(name="interface", statement="the chip must have an interface for it", check=_sensor_interface),
    SensorRule(name="driver", statement="the firmware must be able to drive it on the chip", check=_sensor_driver),
)
"""Rules of each kind of sensor, reported after those of the whole build."""


def violations(build: Build) -> tuple[Violation, ...]:
    """Every broken rule; empty means that the build is possible."""
    found = [rule.check(build) for rule in RULES]
    found += [rule.check(build, kind) for kind in build.senses for rule in SENSOR_RULES]
    return tuple(violation for violation in found if violation is not None)


def option_build(
    option: BoardOption,
    chip: Chip,
    *,
    flash_needed_bytes: int | None = None,
    mapped_flash_bytes: int | None = None,
    frame_pixels: int | None = None,
    drivers: tuple[str, ...] | None = None,
    idf_version: tuple[int, ...] | None = None,
) -> Build:
    """The build that a board option stands for, with what the firmware needs of it."""
    return Build(
        chip=chip,
        senses=option.serves,
        flash_bytes=option.flash_bytes,
        psram_bytes=option.psram_bytes,
        psram_interface=option.psram_interface,
        sensors=option.fitted,
        flash_needed_bytes=flash_needed_bytes,
        mapped_flash_bytes=mapped_flash_bytes,
        frame_pixels=frame_pixels,
        drivers=drivers,
        idf_version=idf_version,
    )
