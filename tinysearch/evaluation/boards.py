"""Boards as they are wished for, judged and described: what of an evaluation no network has a part in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tinysearch.catalog.catalog import Catalog
from tinysearch.core.errors import UserError
from tinysearch.core.evaluation import Evaluation
from tinysearch.core.limits import Violation
from tinysearch.core.platform import BoardOption, PriceLevel, Sensor
from tinysearch.core.task import InputKind, InUnits
from tinysearch.core.units import format_bytes
from tinysearch.evaluation.needs import Requirement

_LABELS = {"flash": "flash", "psram": "PSRAM"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformWish:
    """What a user fixed of the platform; None leaves it to price and fit.

    Attributes:
        processor: a chip by id, or by the name that its revisions share.
        chip: a chip by id alone.
        module: id of a part or of a whole board.
        designs: whether a platform that no board of the catalogue's own build has may be another's.
    """

    processor: str | None = None
    chip: str | None = None
    module: str | None = None
    flash_bytes: int | None = None
    psram_bytes: int | None = None
    designs: bool = False

    def admits(self, option: BoardOption) -> bool:
        """Whether a board is one of those wished for."""
        pairs = (
            (self.chip, option.processor),
            (self.flash_bytes, option.flash_bytes),
            (self.psram_bytes, option.psram_bytes),
        )
        named = self.module is None or self.module in (option.module, option.id)
        known = self.processor is None or self.processor in (option.processor, option.family)
        return named and known and all(wish is None or wish == actual for wish, actual in pairs)


def attachable(options: Sequence[BoardOption], kinds: Sequence[InputKind], *, catalog: str) -> tuple[BoardOption, ...]:
    """Boards whose sensors are attached as the kinds of input can read them; a board that tells of none is kept.

    Raises:
        UserError: no board has such sensors.
    """
    found = tuple(option for option in options if all(_reads(kind, option) for kind in kinds))
    if options and not found:
        wanted = ", ".join(
            f"{kind.name}: a {kind.sensor}{_in_units(kind)} by {' or '.join(kind.interfaces)}" for kind in kinds
        )
        raise UserError(
            f"catalogue {catalog} must have sensors that the inputs can be read from",
            value=wanted,
            remedy="in a catalogue of your own add such a sensor, and its id to what boards accept",
        )
    return found


def _reads(kind: InputKind, option: BoardOption) -> bool:
    of_kind = [sensor for sensor in option.fitted if sensor.kind == kind.sensor]
    return not of_kind or any(sensor.interface in kind.interfaces and _measures(sensor, kind) for sensor in of_kind)


def _measures(sensor: Sensor, kind: InputKind) -> bool:
    """Whether a sensor gives what an input is in; one of which nobody says what it measures may."""
    return not sensor.measures or not isinstance(kind, InUnits) or set(kind.units) <= set(sensor.measures)


def _in_units(kind: InputKind) -> str:
    return f" in {', '.join(dict.fromkeys(kind.units))}" if isinstance(kind, InUnits) else ""


def unsold(catalog: Catalog, sensors: tuple[str, ...], wish: PlatformWish, *, names: Sequence[str]) -> BoardOption:
    """A board as wished without parts: what it cannot do shows as violations.

    Args:
        sensors: what it serves, of the inputs ``names``.

    Raises:
        UserError: the wish names a part or board that the catalogue has not.
    """
    if wish.module is not None:
        raise UserError(
            "platform.module must be a part or board of the catalogue",
            value=wish.module,
            remedy="see python -m tinysearch catalog list",
        )
    chip = catalog.chip(wish.chip or wish.processor or next(iter(catalog.chips)))
    return BoardOption(
        id=f"{chip.id}-unsold",
        name=f"{chip.name} as wished",
        processor=chip.id,
        cores=chip.cores,
        module=chip.id,
        kind="chip",
        serves=sensors,
        flash_bytes=int(chip.flash_max_bytes.value) if wish.flash_bytes is None else wish.flash_bytes,
        psram_bytes=wish.psram_bytes or 0,
        psram_interface=None,
        fitted=(),
        items=(),
        buildable=False,
        reason=f"catalogue {catalog.name} sells no such board for {' + '.join(names)}",
    )


def board_details(option: BoardOption, requirement: Requirement, *, family: str, level: PriceLevel) -> dict[str, Any]:
    """What the report shows of a board and of what lies in its memories."""
    return {
        "family": family,
        "cores": option.cores,
        "module": option.module,
        "board_name": option.name,
        "buildable": option.buildable,
        "buildable_reason": option.reason,
        "flash": {
            "program_bytes": requirement.flash.program_bytes,
            "backend_bytes": requirement.backend_code_bytes,
            "weight_bytes": requirement.flash.weight_bytes,
            "app_bytes": requirement.flash.app_bytes,
            "total_bytes": requirement.flash.total_bytes,
            "slots": requirement.flash.slots.count,
            "spare_bytes": requirement.flash.slots.spare_bytes,
        },
        "buffers": [
            {"name": name, "bytes": size, "sram": placed}
            for (name, size), placed in zip(requirement.buffers.items(), requirement.placed, strict=True)
        ],
        "bom_sources": [item.line(level).source for item in option.items],
    }


def too_small(rule: str, *, limit: int, actual: int) -> Violation:
    """A memory that is too small, with what is over."""
    message = f"{_LABELS[rule]}: {format_bytes(max(actual - limit, 1))} over {format_bytes(limit)}"
    return Violation(rule=rule, limit=limit, actual=actual, message=message)


def badness(evaluation: Evaluation) -> tuple[int, float, float]:
    """Fewest broken rules first, then the least memory lacking (so the largest part sold is named), then the price."""
    lacking = sum(v.actual - v.limit for v in evaluation.violations if v.rule in _LABELS)
    return len(evaluation.violations), lacking, evaluation.bom_cost_usd or 0.0
