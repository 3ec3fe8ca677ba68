"""What power goes where, as the catalogue knows it: chips at rest, parts that draw all the time, batteries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tinysearch.core.provenance import Sourced


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """What a chip draws while nothing is to be done, and what it takes to be awake again.

    Main memory is lost in deep sleep, so that every wake is a start: the bootloader reads the whole image (weights are
    part of it) and, where there is PSRAM, tests it. Light sleep keeps all memory and is left at once.

    Attributes:
        deep_sleep_power_w: with the timer or a pin that wakes it.
        boot_s: from the wake to the application, without the time that the image and PSRAM take.
        image_bytes_per_s: at which the bootloader reads and checks the image.
        psram_bytes_per_s: at which ESP-IDF tests PSRAM at start; None where nobody measured it.
        light_sleep_power_w: without what PSRAM draws; None where nobody measured it.
        psram_sleep_power_w: by interface, what PSRAM draws in light sleep; only these boards can be in it.
    """

    deep_sleep_power_w: Sourced
    boot_s: Sourced
    image_bytes_per_s: Sourced
    psram_bytes_per_s: Sourced | None = None
    light_sleep_power_w: Sourced | None = None
    psram_sleep_power_w: Mapping[str, Sourced] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Battery:
    """What a battery holds and gives.

    Attributes:
        label: for people, as in "runs 41 days on 2 AA".
        capacity_ah: from full to its cut-off, at a load like ours.
        voltage_v: mean over that discharge.
        usable: share of it until the board no longer runs, 0 to 1.
        conversion: share of the energy that reaches the 3.3 V rail through regulator or converter, 0 to 1.
        self_discharge_per_year: share of the capacity that is lost in a year of rest.
        max_current_a: that it can give.
    """

    id: str
    label: str
    capacity_ah: Sourced
    voltage_v: Sourced
    usable: Sourced
    conversion: Sourced
    self_discharge_per_year: Sourced
    max_current_a: Sourced

    @property
    def energy_j(self) -> float:
        """From full to cut-off, at its terminals."""
        return self.capacity_ah.value * self.voltage_v.value * 3600.0

    @property
    def max_power_w(self) -> float:
        """The most that it can give to the 3.3 V rail."""
        return self.max_current_a.value * self.voltage_v.value * self.conversion.value

    @property
    def figures(self) -> tuple[Sourced, ...]:
        """Everything that a life rests on."""
        return (self.capacity_ah, self.voltage_v, self.usable, self.conversion, self.self_discharge_per_year)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """What one part of a board draws, W; None where nobody says."""

    name: str
    power_w: Sourced | None
