"""One catalogue file -> one chip or one part."""

from __future__ import annotations

import re

from tinysearch.catalog.document import Document, Problem
from tinysearch.catalog.section import Section
from tinysearch.core.platform import (
    CAMERA_INTERFACES,
    MICROPHONE_INTERFACES,
    MOTION_INTERFACES,
    PART_KINDS,
    PSRAM_INTERFACES,
    SENSOR_KINDS,
    SIGNAL_INTERFACES,
    Chip,
    Kconfig,
    Part,
    Psram,
    Sensor,
    WiredPin,
)
from tinysearch.core.supply import Battery, Rest
from tinysearch.core.units import written

CHIP_FILE_KIND = "processor"
"""``kind`` of a file that describes silicon; all other kinds are parts with a price."""

ISAS = ("xtensa-lx6", "xtensa-lx7", "xtensa-l106", "rv32imc", "rv32imac", "rv32imafc")

MICROPHONE_SIGNALS = ("clock", "word", "data")
_CARRIERS = ("chip", "module", "board")
_DRAWING = ("board", "base")
_INTERFACES = {
    "flash": ("quad", "octal"),
    "psram": PSRAM_INTERFACES,
    "camera": CAMERA_INTERFACES,
    "microphone": MICROPHONE_INTERFACES,
    "motion": MOTION_INTERFACES,
    "signal": SIGNAL_INTERFACES,
}
_VERSION = re.compile(r"^\d+\.\d+(\.\d+)?$")
_KEY = re.compile(r"^CONFIG_[A-Z0-9_]+$")


def read_entry(document: Document, *, problems: list[Problem]) -> Chip | Part | None:
    """The chip or part that a file describes; None, with the reasons appended to ``problems``, where it is wrong."""
    before = len(problems)
    section = Section(document, problems=problems)
    kind = section.choice("kind", (CHIP_FILE_KIND, *PART_KINDS))
    if not kind:
        return None
    build = _chip if kind == CHIP_FILE_KIND else _part
    entry = build(section)
    section.finish()
    return entry if len(problems) == before else None


def _chip(section: Section) -> Chip | None:
    version = _VERSION.match(section.text("idf_minimum", what="an ESP-IDF version such as 5.1 or 5.5.2"))
    if version is None:
        section.refuse(
            "idf_minimum",
            "idf_minimum must be an ESP-IDF version",
            value="something else",
            remedy="write it as '5.1' or '5.5.2'",
        )
    frequency = section.quantity("frequency", "Hz")
    sram, heap = section.quantity("sram", "bytes"), section.quantity("heap", "bytes")
    block = section.quantity("largest_block", "bytes")
    flash_max, window = section.quantity("flash_max", "bytes"), section.quantity("flash_window", "bytes")
    power = section.quantity("active_power", "W")
    one_core_power = section.quantity("one_core_power", "W", required=False)
    psram, rest = _psram(section), _rest(section)
    if block and heap and sram and not block.value <= heap.value <= sram.value:
        section.refuse(
            "largest_block",
            "it must hold that largest_block <= heap <= sram",
            value=f"{written(block.value)}, {written(heap.value)}, {written(sram.value)} bytes",
            remedy="correct the three",
        )
    cameras = section.texts("cameras", options=CAMERA_INTERFACES)
    source, date = section.source_and_date()
    if section.has("camera_driver") != section.has("cameras"):
        section.refuse(
            "camera_driver",
            "a chip with a camera interface must name the component that drives it",
            value="one without the other",
            remedy="add camera_driver: espressif/esp32-camera, or remove it",
        )
    identifier, name = section.identifier(), section.text("name")
    simd = section.text("simd", required=False)
    camera_driver = section.text("camera_driver", required=False)
    chip = {
        "family": section.identifier("family") if section.has("family") else "",
        "revision": section.text("revision", required=False),
        "preview": section.flag("preview", default=False),
        "kconfig": _kconfig(section),
        "kernels": _kernels(section),
        "isa": section.choice("isa", ISAS),
        "cores": section.integer("cores", minimum=1),
        "fpu": section.flag("fpu"),
        "cameras": cameras,
        "microphones": section.texts("microphones", options=MICROPHONE_INTERFACES),
        "microphones_by_turns": section.texts("microphones_by_turns", options=MICROPHONE_INTERFACES),
        "buses": section.texts("buses", options=SIGNAL_INTERFACES),
        "bootloader_offset": section.integer("bootloader_offset", minimum=0),
        "idf_target": section.text("idf_target"),
        "source": source,
        "date": date,
    }
    section.text("note", required=False)
    if not (version and frequency and sram and heap and block and flash_max and window and power):
        return None
    return Chip(
        id=identifier,
        name=name,
        simd=simd or None,
        camera_driver=camera_driver or None,
        frequency_hz=frequency,
        sram_bytes=sram,
        heap_bytes=heap,
        largest_block_bytes=block,
        psram=psram,
        flash_max_bytes=flash_max,
        flash_window_bytes=window,
        idf_minimum=tuple(int(number) for number in version.group().split(".")),
        active_power_w=power,
        one_core_power_w=one_core_power,
        rest=rest,
        **chip,  # type: ignore[arg-type]
    )


def _psram(section: Section) -> Psram | None:
    nested = section.section("psram", required=False, what="what the PSRAM controller can do")
    if nested is None:
        return None
    interfaces = nested.texts("interfaces", options=PSRAM_INTERFACES, required=True)
    addressable = nested.quantity("addressable", "bytes")
    shared = nested.flag("shared_with_flash")
    bandwidth = nested.quantity("bandwidth", "bytes/s", required=False)
    clocks = nested.section("clock", required=False, what="the clock of each interface")
    clock = {} if clocks is None else {name: clocks.quantity(name, "Hz", required=False) for name in interfaces}
    if clocks is not None:
        clocks.finish()
    nested.finish()
    if addressable is None:
        return None
    return Psram(
        interfaces=interfaces,
        addressable_bytes=addressable,
        shared_with_flash=shared,
        bandwidth_bytes_per_s=bandwidth,
        clock_hz={name: value for name, value in clock.items() if value is not None},
    )


def _rest(section: Section) -> Rest | None:
    """What a chip draws asleep and what a wake takes: the ``sleep`` block."""
    nested = section.section("sleep", required=False, what="what it draws asleep and what a wake takes")
    if nested is None:
        return None
    deep, boot, image = nested.quantity("deep", "W"), nested.quantity("boot", "s"), nested.quantity("image", "bytes/s")
    psram_test = nested.quantity("psram_test", "bytes/s", required=False)
    light = nested.quantity("light", "W", required=False)
    kept = nested.section("psram", required=False, what="what PSRAM of each interface draws in light sleep")
    psram = {} if kept is None else {name: kept.quantity(name, "W", required=False) for name in PSRAM_INTERFACES}
    if kept is not None:
        kept.finish()
    nested.finish()
    for name, speed in (("image", image), ("psram_test", psram_test)):
        if speed is not None and speed.value == 0:
            nested.refuse(name, f"{name} must be faster than 0", value=0, remedy="correct the number, or leave it out")
            return None
    if deep is None or boot is None or image is None:
        return None
    return Rest(
        deep_sleep_power_w=deep,
        boot_s=boot,
        image_bytes_per_s=image,
        psram_bytes_per_s=psram_test,
        light_sleep_power_w=light,
        psram_sleep_power_w={name: power for name, power in psram.items() if power is not None},
    )


def _kconfig(section: Section) -> Kconfig:
    nested = section.section("kconfig", required=False, what="what ESP-IDF's configuration offers")
    if nested is None:
        return Kconfig()
    keys = {name: nested.texts(name) for name in ("always", "psram_buffers")}
    for name, listed in keys.items():
        if not all(_KEY.match(key) for key in listed):
            nested.refuse(name, f"{name} must list keys of Kconfig", value=list(listed), remedy="write [CONFIG_NAME]")
    kconfig = Kconfig(
        **keys,
        psram_mode=nested.flag("psram_mode", default=True),
        nvs_by_hmac=nested.flag("nvs_by_hmac", default=True),
    )
    nested.provenance()
    nested.finish()
    return kconfig


def _kernels(section: Section) -> tuple[str, ...]:
    nested = section.section("kernels", required=False, what="which firmware backends have kernels for it")
    if nested is None:
        return ()
    names = nested.texts("names")
    nested.provenance()
    nested.finish()
    return names


def _part(section: Section) -> Part | None:
    kind = section.choice("kind", PART_KINDS)
    carrier = kind in _CARRIERS
    identifier, name = section.identifier(), section.text("name")
    price = section.price()
    processor = section.identifier("processor") if carrier else None
    flash, psram, psram_interface, sensors = _contents(section, kind=kind)
    interface = section.choice("interface", _INTERFACES[kind]) if kind in _INTERFACES else None
    accepted_by = section.texts("accepted_by") if kind in SENSOR_KINDS else ()
    measures = section.texts("measures") if kind in SENSOR_KINDS else ()
    accepts = section.texts("accepts") if kind == "board" else ()
    needs = section.texts("needs") if carrier else ()
    bring = section.texts("bring") if carrier else ()
    marking = section.text("marking", required=False) if carrier else ""
    kconfig = section.text("kconfig", required=False) if kind == "board" else ""
    pins = _microphone_pins(section) if kind == "board" else ()
    idle = section.quantity("idle_power", "W", required=False) if kind in (*_DRAWING, *SENSOR_KINDS) else None
    active = section.quantity("active_power", "W", required=False) if kind in SENSOR_KINDS else None
    battery = _battery(section, identifier) if kind == "battery" else None
    offered = section.flag("offered", default=True)
    note = section.text("note", required=False)
    if price is None:
        return None
    return Part(
        id=identifier,
        name=name,
        kind=kind,  # type: ignore[arg-type]
        price=price,
        processor=processor,
        flash_bytes=flash,
        psram_bytes=psram,
        psram_interface=psram_interface,
        interface=interface,
        measures=measures,
        sensors=sensors,
        accepts=accepts,
        accepted_by=accepted_by,
        needs=needs,
        bring=bring,
        marking=marking,
        kconfig=kconfig,
        microphone_pins=pins,
        idle_power_w=idle,
        active_power_w=active,
        battery=battery,
        offered=offered,
        note=note,
    )


def _battery(section: Section, identifier: str) -> Battery | None:
    """What a battery holds and gives; shares lie between 0 and 1."""
    label = section.text("label", what="its name in a sentence, such as 2 AA")
    capacity, voltage = section.quantity("capacity", "Ah"), section.quantity("voltage", "V")
    usable, conversion = section.quantity("usable", "share"), section.quantity("conversion", "share")
    lost, current = section.quantity("self_discharge", "share/year"), section.quantity("max_current", "A")
    if not (capacity and voltage and usable and conversion and lost and current):
        return None
    for name, figure in (("usable", usable), ("conversion", conversion)):
        if figure.value > 1:
            section.refuse(name, f"{name} must be a share of at most 1", value=figure.value, remedy="correct the share")
            return None
    for name, figure in (("capacity", capacity), ("voltage", voltage), ("usable", usable), ("conversion", conversion)):
        if figure.value == 0:
            section.refuse(name, f"{name} must be more than 0", value=0, remedy="correct the number")
            return None
    return Battery(
        id=identifier,
        label=label,
        capacity_ah=capacity,
        voltage_v=voltage,
        usable=usable,
        conversion=conversion,
        self_discharge_per_year=lost,
        max_current_a=current,
    )


def _microphone_pins(section: Section) -> tuple[WiredPin, ...]:
    """Pins for a microphone that is wired to a board: ``clock: {gpio: 2, label: D2}`` and so on, and their source."""
    nested = section.section("microphone_pins", required=False, what="the pins of a wired microphone")
    if nested is None:
        return ()
    pins = []
    source = nested.text("source", required=False)
    for signal in MICROPHONE_SIGNALS:
        pin = nested.section(signal, what="gpio and label")
        if pin is not None:
            gpio, label = pin.integer("gpio", minimum=0), pin.text("label")
            pins.append(WiredPin(signal=signal, gpio=gpio, label=label, source=source))
            pin.finish()
    nested.finish()
    return tuple(pins)


def _contents(section: Section, *, kind: str) -> tuple[int, int, str | None, tuple[Sensor, ...]]:
    """Flash, PSRAM, its interface and sensors of the ``contents`` block, which names its own source."""
    if kind in ("base", "accessory", "battery", *SENSOR_KINDS):
        return 0, 0, None, ()
    nested = section.section("contents", what="the contents")
    if nested is None:
        return 0, 0, None, ()
    flash = nested.size("flash") if kind != "psram" else 0
    psram = nested.size("psram") if kind != "flash" else 0
    interface = None
    if psram and kind != "psram":
        interface = nested.choice("psram_interface", PSRAM_INTERFACES)
    sensors = _sensors(nested) if kind == "board" else ()
    nested.provenance()
    nested.finish()
    for missing, present in (("flash", flash), ("psram", psram)):
        if kind == missing and not (present or nested.has(missing)):
            nested.refuse(None, f"a {missing} part must have a size", value="nothing", remedy=f"add {missing}: 4MB")
    if kind in ("module", "board") and not (flash or nested.has("flash")):
        nested.refuse(None, f"a {kind} must contain flash", value="nothing", remedy="add flash: 4MB")
    return flash, psram, interface, sensors


def _sensors(section: Section) -> tuple[Sensor, ...]:
    sensors = []
    for item in section.sections("sensors"):
        kind = item.choice("kind", SENSOR_KINDS)
        interface = item.choice("interface", _INTERFACES.get(kind, SIGNAL_INTERFACES))
        name, measures = item.text("name"), item.texts("measures")
        item.finish()
        sensors.append(Sensor(kind=kind, interface=interface, name=name, measures=measures))
    kinds = [sensor.kind for sensor in sensors]
    if len(set(kinds)) != len(kinds):
        section.refuse("sensors", "a board must list one sensor of a kind at most", value=kinds, remedy="remove one")
    return tuple(sensors)
