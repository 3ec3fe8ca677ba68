"""Parts -> board options: every complete way to buy a board that has some kinds of sensor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

from tinysearch.core.platform import (
    BoardOption,
    BomItem,
    CatalogRules,
    Chip,
    Part,
    Sensor,
)
from tinysearch.core.supply import Draw


def board_options(
    sensors: Sequence[str], *, parts: Mapping[str, Part], chips: Mapping[str, Chip], rules: CatalogRules
) -> tuple[BoardOption, ...]:
    """All boards that have the kinds of sensor, by processor, typical price and id.

    Under ``physical`` rules a combination that a chip cannot drive does not appear. Under ``as_printed`` it does,
    marked ``buildable=False`` with the reason.
    """
    served = tuple(sorted(set(sensors)))
    options: dict[str, BoardOption] = {}
    for carrier in parts.values():
        if carrier.processor is None or not carrier.offered:
            continue
        chip = chips[carrier.processor]
        memories = _memories(carrier, parts=parts)
        sensor_sets = _sensor_sets(carrier, served, parts=parts)
        for (flash, psram), chosen in product(memories, sensor_sets):
            option = _option(carrier, chip, flash, psram, chosen, served=served, parts=parts, rules=rules)
            if option.buildable or rules == "as_printed":
                options.setdefault(option.id, option)
    return tuple(sorted(options.values(), key=lambda option: (option.processor, option.price_usd(), option.id)))


def _memories(carrier: Part, *, parts: Mapping[str, Part]) -> Iterator[tuple[Part | None, Part | None]]:
    """Flash and PSRAM parts to add; only a bare chip takes any, each only where it has none in its package."""
    flashes: list[Part | None] = [None]
    psrams: list[Part | None] = [None]
    if carrier.kind == "chip":
        if not carrier.flash_bytes:
            flashes = _offered(parts, "flash")
        if not carrier.psram_bytes:
            psrams += _offered(parts, "psram")
    return product(flashes, psrams)


def _sensor_sets(carrier: Part, needed: Sequence[str], *, parts: Mapping[str, Part]) -> list[tuple[Part, ...]]:
    """Every choice of one sensor part for each needed kind that the carrier does not contain."""
    missing = [kind for kind in needed if kind not in {sensor.kind for sensor in carrier.sensors}]
    choices = [
        [
            part
            for part in parts.values()
            if part.kind == kind and part.offered and (carrier.kind != "board" or part.id in carrier.accepts)
        ]
        for kind in missing
    ]
    return list(product(*choices))


def _offered(parts: Mapping[str, Part], kind: str) -> list[Part | None]:
    return [part for part in parts.values() if part.kind == kind and part.offered]


def _option(
    carrier: Part,
    chip: Chip,
    flash: Part | None,
    psram: Part | None,
    sensors: Sequence[Part],
    *,
    served: tuple[str, ...],
    parts: Mapping[str, Part],
    rules: CatalogRules,
) -> BoardOption:
    bought = [carrier, *(part for part in (flash, psram) if part is not None), *sensors]
    extras = [parts[need] for need in carrier.needs]
    flash_bytes = carrier.flash_bytes if flash is None else flash.flash_bytes
    psram_bytes = carrier.psram_bytes if psram is None else psram.psram_bytes
    interface = carrier.psram_interface if psram is None else psram.interface
    fitted = (*carrier.sensors, *(part.sensor for part in sensors if part.sensor is not None))
    reasons = _obstacles(
        chip, flash_bytes=flash_bytes, psram_bytes=psram_bytes, psram_interface=interface, fitted=fitted
    )
    counted = psram_bytes if rules == "as_printed" else chip.counted_psram_bytes(psram_bytes)
    return BoardOption(
        id="+".join(part.id for part in bought),
        name=" + ".join(part.name for part in bought),
        processor=chip.id,
        cores=chip.cores,
        module=carrier.id,
        kind=carrier.kind,
        serves=served,
        flash_bytes=flash_bytes,
        psram_bytes=counted,
        psram_interface=interface if counted else None,
        fitted=fitted,
        items=tuple(BomItem(part=part.id, name=part.name, price=part.price) for part in (*bought, *extras)),
        family=chip.family,
        bring=carrier.bring,
        marking=carrier.marking,
        kconfig=carrier.kconfig,
        microphone_pins=carrier.microphone_pins if any(part.kind == "microphone" for part in sensors) else (),
        idle=_idle(carrier, sensors, parts=parts),
        sensing=tuple(_sensing(sensor, parts=parts) for sensor in fitted if sensor.kind in served),
        buildable=not reasons,
        reason="; ".join(reasons),
    )


def _idle(carrier: Part, sensors: Sequence[Part], *, parts: Mapping[str, Part]) -> tuple[Draw, ...]:
    """What draws all the time beside the chip: a board, or the base that a module or chip needs, and wired sensors."""
    bases = [carrier] if carrier.kind == "board" else [parts[need] for need in carrier.needs]
    named = [part for part in (*bases, *sensors) if part.kind != "accessory"]
    return tuple(Draw(name=part.name, power_w=part.idle_power_w) for part in named)


def _sensing(sensor: Sensor, *, parts: Mapping[str, Part]) -> Draw:
    """What a sensor draws while it captures, by the part of that name."""
    known = (part for part in parts.values() if part.kind == sensor.kind and part.name == sensor.name)
    return Draw(name=sensor.name, power_w=next((part.active_power_w for part in known), None))


def _obstacles(
    chip: Chip, *, flash_bytes: int, psram_bytes: int, psram_interface: str | None, fitted: Sequence[Sensor]
) -> list[str]:
    """Why a chip cannot drive a combination of parts; empty where it can."""
    reasons = []
    if psram_bytes and chip.psram is None:
        reasons.append(f"{chip.name} has no PSRAM controller")
    elif psram_bytes and chip.psram is not None and psram_interface not in chip.psram.interfaces:
        reasons.append(f"{chip.name} does not drive {psram_interface} PSRAM")
    if flash_bytes > chip.flash_max_bytes.value:
        reasons.append(f"{chip.name} takes at most {int(chip.flash_max_bytes.value) >> 20} MB of flash")
    for sensor in fitted:
        if sensor.interface not in chip.sensor_interfaces(sensor.kind):
            reasons.append(f"{chip.name} has no {sensor.interface} interface for a {sensor.kind}")
    return reasons
