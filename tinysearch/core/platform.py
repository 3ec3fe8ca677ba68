"""Chips, parts and boards: the hardware half of a design, every number with its source.

A *chip* is silicon (what it can do), a *part* is something with a price (a bare chip or module of a chip, a memory,
a sensor, a base board, a whole development board), a *board option* is one complete priced way to get a board that
has some kinds of sensor.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from tinysearch.core.bill import BomLine, OrderNote
from tinysearch.core.provenance import Price, Sourced
from tinysearch.core.supply import Battery, Draw, Rest

SensorKind = Literal["camera", "microphone", "motion", "signal"]
PartKind = Literal["chip", "module", "flash", "psram", SensorKind, "base", "board", "accessory", "battery"]
PART_KINDS: tuple[PartKind, ...] = get_args(PartKind)

SENSOR_KINDS: tuple[PartKind, ...] = ("camera", "microphone", "motion", "signal")
"""Kinds of parts that sense."""

CAMERA_INTERFACES = ("dvp", "mipi-csi")
MICROPHONE_INTERFACES = ("i2s", "pdm")
MOTION_INTERFACES = ("i2c", "spi")
SIGNAL_INTERFACES = ("i2c", "spi", "adc", "uart")
PSRAM_INTERFACES = ("quad", "octal", "hex")

PriceLevel = Literal["low", "typical", "high"]
PRICE_LEVELS: tuple[PriceLevel, ...] = get_args(PriceLevel)

BuildKind = Literal["any", "board", "module", "chip"]
"""What may carry the processor: a ready board that is ordered, a module or bare chip that asks for a design, any."""

BUILDS: tuple[BuildKind, ...] = get_args(BuildKind)

CatalogRules = Literal["physical", "as_printed"]
"""Whether a catalogue obeys what chips can do, or keeps a publication's boards as printed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Psram:
    """What a chip can do with external or in-package pseudo-static RAM.

    Attributes:
        interfaces: bus widths it drives, out of :data:`PSRAM_INTERFACES`.
        addressable_bytes: at most so much of a part counts.
        shared_with_flash: whether mapped flash takes from the same address window.
        bandwidth_bytes_per_s: peak of the fastest interface at its clock.
        clock_hz: by interface, at which the emitted project runs it; what is not named keeps ESP-IDF's default.
    """

    interfaces: tuple[str, ...]
    addressable_bytes: Sourced
    shared_with_flash: bool
    bandwidth_bytes_per_s: Sourced | None = None
    clock_hz: Mapping[str, Sourced] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kconfig:
    """What ESP-IDF's configuration offers on a chip beyond the keys that follow from its numbers.

    Attributes:
        always: keys set in every project, for example those that choose a chip revision.
        psram_buffers: keys set where networks work in PSRAM: a larger cache with longer lines, paid in internal RAM.
        psram_mode: whether the width of PSRAM's bus is a key.
        nvs_by_hmac: NVS is encrypted with a key that an eFuse keeps; elsewhere it takes encryption of the flash.
    """

    always: tuple[str, ...] = ()
    psram_buffers: tuple[str, ...] = ()
    psram_mode: bool = True
    nvs_by_hmac: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """One processor as silicon.

    Attributes:
        id: as users name it, for example ``esp32s3``.
        isa: ``xtensa-lx6``, ``xtensa-lx7``, ``rv32imc``, ``rv32imac``, ``rv32imafc``.
        fpu: hardware single precision.
        simd: name of the vector extension, None without.
        frequency_hz: of the cores, at which the emitted project runs them.
        sram_bytes: on the die.
        heap_bytes: what an application can allocate in internal RAM, byte addressable, after start.
        largest_block_bytes: largest contiguous block of that heap: the bound of an arena in internal RAM.
        psram: None where the chip has no PSRAM controller.
        flash_max_bytes: largest flash part that it can be fitted with.
        flash_window_bytes: how much flash can be mapped as data at once.
        buses: to which any other sensor can be attached, out of :data:`SIGNAL_INTERFACES`.
        cameras, microphones: interfaces that can feed a network without a frame buffer chip; empty for none.
        microphones_by_turns: interfaces that need a controller which the driver of a camera takes for itself.
        camera_driver: managed component that reads a camera on it, None where no camera can be read.
        kernels: names of the firmware backends that it has the instructions for, beside portable kernels.
        bootloader_offset: in flash, bytes.
        idf_target: ``idf.py set-target``.
        idf_minimum: first ESP-IDF release that supports it: major, minor and, where it matters, patch.
        family: name of the chip as users know it where several revisions of it differ; else the id.
        revision: of the silicon, for people; empty where it makes no difference.
        preview: ESP-IDF calls its support unfinished; no part with it is chosen unless it is named.
        kconfig: what its configuration offers.
        active_power_w: all cores busy at ``frequency_hz``, radio off.
        one_core_power_w: one core busy, the others idle; None is taken for ``active_power_w``.
        rest: what it draws asleep, and what a wake takes; None where nobody says.
        source, date: of the facts that are not numbers with a unit (ISA, cores, interfaces ...).
    """

    id: str
    name: str
    isa: str
    cores: int
    fpu: bool
    simd: str | None
    frequency_hz: Sourced
    sram_bytes: Sourced
    heap_bytes: Sourced
    largest_block_bytes: Sourced
    psram: Psram | None
    flash_max_bytes: Sourced
    flash_window_bytes: Sourced
    cameras: tuple[str, ...]
    microphones: tuple[str, ...]
    bootloader_offset: int
    idf_target: str
    idf_minimum: tuple[int, ...]
    active_power_w: Sourced
    source: str
    date: str
    camera_driver: str | None = None
    kernels: tuple[str, ...] = ()
    microphones_by_turns: tuple[str, ...] = ()
    buses: tuple[str, ...] = ()
    one_core_power_w: Sourced | None = None
    rest: Rest | None = None
    family: str = ""
    revision: str = ""
    preview: bool = False
    kconfig: Kconfig = field(default_factory=Kconfig)

    def __post_init__(self) -> None:
        if not self.family:
            object.__setattr__(self, "family", self.id)

    def sensor_interfaces(self, kind: str) -> tuple[str, ...]:
        """Interfaces by which a sensor of one kind can be attached; empty for none."""
        motion = tuple(bus for bus in self.buses if bus in MOTION_INTERFACES)
        known = {"camera": self.cameras, "microphone": self.microphones, "motion": motion, "signal": self.buses}
        return known.get(kind, ())

    def sensor_driver(self, kind: str) -> str | None:
        """Managed component that reads a sensor of one kind on this chip; None where ESP-IDF itself does."""
        return self.camera_driver if kind == "camera" else None

    def counted_psram_bytes(self, fitted_bytes: int) -> int:
        """How much of a fitted PSRAM the chip can address; 0 without a controller."""
        return 0 if self.psram is None else min(fitted_bytes, int(self.psram.addressable_bytes.value))


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Sensor:
    """One sensor on a board.

    Attributes:
        interface: it is attached by.
        name: that people know.
        measures: units that it gives; empty where nobody says.
    """

    kind: str
    interface: str
    name: str
    measures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WiredPin:
    """Where a signal (``clock``, ``word`` or ``data``) goes: the GPIO, and what the board calls that pin.

    Attributes:
        source: the document that says so, None where none was at hand: who wires it must look at the board.
    """

    signal: str
    gpio: int
    label: str
    source: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Something with a price.

    Attributes:
        id: unique in a catalogue.
        kind: a ``board`` is complete (base, memory, often sensors); a ``chip`` or ``module`` carries the processor.
        processor: id of the chip inside, None for memories, sensors and bases.
        flash_bytes, psram_bytes: what it contains; 0 for none.
        psram_interface: of the contained PSRAM.
        interface: of a sensor or a memory.
        measures: of a sensor, see :class:`Sensor`.
        sensors: that a board contains.
        accepts: ids of sensors that can be wired to a board in addition.
        accepted_by: of a sensor, ids of boards that it can be wired to, beside those that say so themselves.
        needs: ids of parts that must be bought with it (a base board, the radio parts of a bare chip, an adapter).
        bring: what else it takes, in words, and is not in the price (a cable).
        marking: what is printed on it, by which people tell it from its likes.
        kconfig: the key by which the emitted application knows the board's own pins.
        microphone_pins: of a microphone that is wired to a board.
        idle_power_w: of a board or base what everything on it draws all the time beside the chip, its own sensors in
            standby (regulator, USB bridge, light); of a sensor what it draws in standby. None where nobody says.
        active_power_w: of a sensor while it captures; None where nobody says.
        battery: what a battery holds.
        offered: false keeps a part listed but out of board options.
        note: one line for people.
    """

    id: str
    name: str
    kind: PartKind
    price: Price
    processor: str | None = None
    flash_bytes: int = 0
    psram_bytes: int = 0
    psram_interface: str | None = None
    interface: str | None = None
    measures: tuple[str, ...] = ()
    sensors: tuple[Sensor, ...] = ()
    accepts: tuple[str, ...] = ()
    accepted_by: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    bring: tuple[str, ...] = ()
    marking: str = ""
    kconfig: str = ""
    microphone_pins: tuple[WiredPin, ...] = ()
    idle_power_w: Sourced | None = None
    active_power_w: Sourced | None = None
    battery: Battery | None = None
    offered: bool = True
    note: str = ""

    @property
    def sensor(self) -> Sensor | None:
        """The sensor that this part is, None for other parts."""
        if self.kind not in SENSOR_KINDS or self.interface is None:
            return None
        return Sensor(kind=self.kind, interface=self.interface, name=self.name, measures=self.measures)


@dataclass(frozen=True, slots=True, kw_only=True)
class BomItem:
    """One part of a board with its price range."""

    part: str
    name: str
    price: Price

    def line(self, level: PriceLevel = "typical") -> BomLine:
        """The item priced at one level."""
        price = self.price
        return BomLine(
            part=self.name,
            usd=price.at(level),
            source=f"{price.source} ({price.date})",
            quantity=price.quantity,
            seller=price.seller,
            date=price.date,
            kind=price.kind,
            url=price.url,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardOption:
    """One priced way to get a board that has some kinds of sensor.

    Attributes:
        id: unique in a catalogue; the ids of its parts without the base, joined by ``+``.
        name: for people.
        processor: id of the chip.
        family: name of the chip where several revisions of it differ; else its id.
        module: id of the part that carries the processor (bare chip, module, development board).
        kind: of that part.
        serves: kinds of sensor that it was asked for, sorted.
        flash_bytes: fitted.
        psram_bytes: fitted and addressable.
        psram_interface: ``quad``, ``octal``, ``hex`` or None.
        fitted: sensors on the board, also those that nobody asked for.
        items: the bill of materials.
        bring: what else it takes and is not in the bill, in words.
        marking: what is printed on the carrier.
        kconfig: the key by which the emitted application knows the board, empty where it has none.
        microphone_pins: of a microphone that is wired to the board; empty where it is on the board, or wired freely.
        idle: what draws all the time beside the chip: the carrier or its base, and sensors that are wired to it.
        sensing: what the sensors that it was asked for draw beyond that while they capture.
        buildable: false only in a catalogue that keeps what a publication printed.
        reason: why it cannot be built, one line; empty otherwise.
    """

    id: str
    name: str
    processor: str
    cores: int
    module: str
    kind: PartKind
    serves: tuple[str, ...]
    flash_bytes: int
    psram_bytes: int
    psram_interface: str | None
    fitted: tuple[Sensor, ...]
    items: tuple[BomItem, ...]
    family: str = ""
    bring: tuple[str, ...] = ()
    marking: str = ""
    kconfig: str = ""
    microphone_pins: tuple[WiredPin, ...] = ()
    idle: tuple[Draw, ...] = ()
    sensing: tuple[Draw, ...] = ()
    buildable: bool = True
    reason: str = ""

    @property
    def sensors(self) -> tuple[str, ...]:
        """Kinds of sensor on the board, sorted: ``camera``, ``microphone``."""
        return tuple(sorted({sensor.kind for sensor in self.fitted}))

    @property
    def sensor_names(self) -> tuple[str, ...]:
        """Sensors as people know them, in the order of ``fitted``."""
        return tuple(sensor.name for sensor in self.fitted)

    def sensor(self, kind: str) -> Sensor | None:
        """The fitted sensor of one kind, None without."""
        return next((sensor for sensor in self.fitted if sensor.kind == kind), None)

    @property
    def bom(self) -> tuple[BomLine, ...]:
        """The bill of materials at typical prices."""
        return tuple(item.line() for item in self.items)

    def order_note(self, *, quantity: int | None) -> OrderNote | None:
        """Whether it can be ordered as it is; None where nobody sells it."""
        if not self.items:
            return None
        return OrderNote(build=self.kind, quantity=quantity, bring=self.bring, marking=self.marking)

    def price_usd(self, level: PriceLevel = "typical") -> float:
        """Sum of the bill of materials at one price level."""
        return sum(item.price.at(level) for item in self.items)
