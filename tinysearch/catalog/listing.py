"""Tables of parts, chips, boards and price changes, as rows for whoever prints them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinysearch.catalog.catalog import Catalog
from tinysearch.catalog.prices import PriceChange
from tinysearch.core.platform import BoardOption, PriceLevel
from tinysearch.core.units import format_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A table: column names, and rows of text and numbers (US$ as float, None for unknown)."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | float | int | None, ...], ...]

    def records(self) -> list[dict[str, str | float | int | None]]:
        """The rows as dictionaries, for JSON and CSV."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def part_listing(catalog: Catalog) -> Listing:
    """Every part with its price range, order quantity and where the price comes from."""
    rows = tuple(
        (
            part.id,
            part.kind,
            part.name,
            part.processor or "",
            format_bytes(part.flash_bytes) if part.flash_bytes else "",
            format_bytes(part.psram_bytes) if part.psram_bytes else "",
            part.price.low,
            part.price.typical,
            part.price.high,
            part.price.quantity,
            part.price.seller,
            part.price.kind,
            part.price.date,
            part.price.source,
        )
        for part in sorted(catalog.parts.values(), key=lambda part: (part.kind, part.price.typical, part.id))
    )
    about = ("part", "kind", "name", "processor", "flash", "psram")
    price = ("low", "usd", "high", "quantity", "seller", "evidence", "date", "source")
    return Listing(title=f"Parts of catalogue {catalog.name}", columns=(*about, *price), rows=rows)


def chip_listing(catalog: Catalog) -> Listing:
    """Every chip with what it can do."""
    rows = tuple(
        (
            chip.id,
            chip.isa,
            chip.cores,
            chip.frequency_hz.value / 1e6,
            "yes" if chip.fpu else "no",
            chip.simd or "",
            format_bytes(int(chip.heap_bytes.value)),
            format_bytes(int(chip.largest_block_bytes.value)),
            "" if chip.psram is None else format_bytes(int(chip.psram.addressable_bytes.value)),
            ", ".join(chip.cameras),
            ", ".join(chip.microphones),
            ".".join(map(str, chip.idf_minimum)),
        )
        for chip in catalog.chips.values()
    )
    columns = ("processor", "isa", "cores", "mhz", "fpu", "simd", "heap", "largest block", "psram", "camera")
    return Listing(
        title=f"Chips of catalogue {catalog.name}", columns=(*columns, "microphone", "esp-idf from"), rows=rows
    )


def board_listing(catalog: Catalog, options: Sequence[BoardOption], *, level: PriceLevel = "typical") -> Listing:
    """Boards with their price at one level, for example the non-dominated ones of some kinds of sensor."""
    rows = tuple(
        (
            option.id,
            option.processor,
            option.cores,
            format_bytes(option.flash_bytes),
            format_bytes(option.psram_bytes) if option.psram_bytes else "none",
            ", ".join(option.sensor_names),
            round(option.price_usd(level), 2),
            "order" if option.kind == "board" else "design",
            "yes" if option.buildable else f"no: {option.reason}",
        )
        for option in options
    )
    columns = ("board", "processor", "cores", "flash", "psram", "sensors", "usd", "build", "buildable")
    return Listing(title=f"Boards of catalogue {catalog.name} at {level} prices", columns=columns, rows=rows)


def change_listing(changes: Sequence[PriceChange]) -> Listing:
    """Prices before and after an update."""
    rows = tuple(
        (
            change.part,
            change.before.typical,
            change.after.typical,
            round(change.after.typical - change.before.typical, 4),
            change.after.source,
            change.file,
        )
        for change in changes
    )
    return Listing(title="Prices", columns=("part", "before", "usd", "difference", "source", "file"), rows=rows)
