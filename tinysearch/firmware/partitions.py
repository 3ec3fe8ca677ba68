"""The partition table: laid out, written as CSV, read back and checked against ESP-IDF's rules.

Rules (ESP-IDF, partition tables): the table lies at 0x8000, partitions start at 0x9000 or later, application
partitions at multiples of 64 KiB, data partitions at multiples of 4 KiB; a read-write NVS has at least three pages of
4 KiB; nothing overlaps and everything ends within the flash. Where the build encrypts NVS, its keys have a partition
of their own. There is no radio, so no PHY data.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

from tinysearch.core.errors import UserError

FIRST_OFFSET = 0x9000
APP_ALIGNMENT = 0x10000
DATA_ALIGNMENT = 0x1000
NVS_MINIMUM = 0x3000
KEYS_BYTES = 0x1000
OTA_DATA_BYTES = 0x2000
MODEL_SUBTYPE = "0x40"
LONGEST_LABEL = 16

FLASH_SIZES_MB = (1, 2, 4, 8, 16, 32)
"""Flash parts that ESP-IDF knows (``CONFIG_ESPTOOLPY_FLASHSIZE_..``), in MiB; no board has its 64 and 128."""

_NVS_PAGE = 0x1000
_NVS_ENTRY = 32
_NVS_ENTRIES = 126
_NVS_SPARE_PAGES = 2
_NVS_OTHER_ENTRIES = 2 * (3 + 5)
"""The count of failed attempts and the owner's PIN, each twice while it is rewritten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """One row of the table; offset and size in bytes.

    ``flags`` is empty, or ``encrypted``: by flash encryption, where that is on.
    """

    name: str
    kind: str
    subtype: str
    offset: int
    size: int
    flags: str = ""

    @property
    def end(self) -> int:
        return self.offset + self.size


def nvs_bytes(*, people: int, captures: int, template_bytes: int) -> int:
    """NVS for every template, one of them twice while it is rewritten, attempts, PIN, and pages for its housekeeping.

    A blob costs an index entry and, by chunks of at most a page, a header entry and its data in entries of 32 bytes.
    """
    record = 32 + captures * template_bytes
    entries = 1 + -(-record // _NVS_ENTRY) + -(-record // (_NVS_PAGE - 64))
    pages = -(-(entries * (people + 1) + _NVS_OTHER_ENTRIES) // _NVS_ENTRIES) + _NVS_SPARE_PAGES
    return max(pages * _NVS_PAGE, 2 * NVS_MINIMUM)


def lay_out(
    *, flash_bytes: int, app_bytes: int, nvs: int, model_bytes: int = 0, slots: int = 1
) -> tuple[Partition, ...]:
    """Partitions of one flash part: NVS and its keys, the application with all that is left, weights where asked for.

    Args:
        flash_bytes: size of the part; a size that ESP-IDF knows.
        app_bytes: what the application needs at least.
        nvs: bytes of the NVS partition, a multiple of 4 KiB.
        model_bytes: weights kept out of the application, 0 for none.
        slots: partitions for the application; two are ``ota_0`` and ``ota_1``, with ``otadata`` saying which one runs.

    Raises:
        UserError: unknown flash size, or not enough flash.
    """
    if flash_bytes % 2**20 or flash_bytes // 2**20 not in FLASH_SIZES_MB:
        raise UserError(
            "a flash part must be of 1, 2, 4, 8, 16 or 32 MB for ESP-IDF",
            value=f"{flash_bytes} bytes",
            remedy="choose platform.flash out of these",
        )
    keys = FIRST_OFFSET + nvs
    after = keys + KEYS_BYTES
    app = _aligned(after + (OTA_DATA_BYTES if slots > 1 else 0), APP_ALIGNMENT)
    model = _aligned(model_bytes, APP_ALIGNMENT)  # mapped in pages of 64 KiB
    room = (flash_bytes - app - model) // slots // APP_ALIGNMENT * APP_ALIGNMENT
    if room < app_bytes:
        raise UserError(
            f"application and weights must fit in flash beside {app} bytes for boot loader, table and NVS",
            value=f"{slots * app_bytes + model} bytes in {flash_bytes}",
            remedy="choose a larger platform.flash or a smaller network",
        )
    rows = [
        Partition(name="nvs", kind="data", subtype="nvs", offset=FIRST_OFFSET, size=nvs),
        Partition(name="nvs_keys", kind="data", subtype="nvs_keys", offset=keys, size=KEYS_BYTES, flags="encrypted"),
    ]
    if slots > 1:
        rows.append(Partition(name="otadata", kind="data", subtype="ota", offset=after, size=OTA_DATA_BYTES))
    names = [f"ota_{number}" for number in range(slots)] if slots > 1 else ["factory"]
    rows += [
        Partition(name=name, kind="app", subtype=name, offset=app + number * room, size=room)
        for number, name in enumerate(names)
    ]
    if model:
        rows.append(Partition(name="model", kind="data", subtype=MODEL_SUBTYPE, offset=app + slots * room, size=model))
    return tuple(rows)


def to_csv(partitions: Sequence[Partition], *, header: str) -> str:
    """The table as ESP-IDF reads it; ``header`` is a comment."""
    lines = [f"# {header}", "# Name, Type, SubType, Offset, Size, Flags"]
    for row in partitions:
        cells = [row.name, row.kind, row.subtype, f"{row.offset:#x}", f"{row.size:#x}"]
        lines.append(", ".join([*cells, row.flags] if row.flags else cells))
    return "\n".join(lines) + "\n"


def from_csv(text: str) -> tuple[Partition, ...]:
    """Partitions of a table in which every row gives its offset and size.

    Raises:
        ValueError: a row that does not.
    """
    rows = csv.reader(io.StringIO("\n".join(line for line in text.splitlines() if not line.startswith("#"))))
    partitions = []
    for row in rows:
        if not row:
            continue
        if len(row) < 5:
            raise ValueError(f"a partition must have a name, type, subtype, offset and size: {row}")
        name, kind, subtype, offset, size, flags = (cell.strip() for cell in [*row[:6], ""][:6])
        partitions.append(
            Partition(name=name, kind=kind, subtype=subtype, offset=_number(offset), size=_number(size), flags=flags)
        )
    return tuple(partitions)


def broken_rules(partitions: Sequence[Partition], *, flash_bytes: int) -> list[str]:
    """What is wrong with a table, one line each; empty if nothing."""
    problems = []
    end, before = FIRST_OFFSET, "the partition table"
    for row in sorted(partitions, key=lambda row: row.offset):
        alignment = APP_ALIGNMENT if row.kind == "app" else DATA_ALIGNMENT
        if row.offset % alignment or row.size % DATA_ALIGNMENT or row.size <= 0:
            problems.append(f"{row.name}: {row.size:#x} bytes at {row.offset:#x} are not aligned to {alignment:#x}")
        if row.offset < end:
            problems.append(f"{row.name}: starts at {row.offset:#x}, before the end of {before} at {end:#x}")
        if row.end > flash_bytes:
            problems.append(f"{row.name}: ends at {row.end:#x}, beyond the flash of {flash_bytes:#x}")
        if row.subtype == "nvs" and row.size < NVS_MINIMUM:
            problems.append(f"{row.name}: {row.size:#x} bytes are less than a writable NVS of {NVS_MINIMUM:#x}")
        if not re.fullmatch(r"[A-Za-z0-9_]+", row.name) or len(row.name) >= LONGEST_LABEL:
            problems.append(f"{row.name}: a label has at most {LONGEST_LABEL - 1} letters, digits and _")
        end, before = max(end, row.end), row.name
        if row.flags not in ("", "encrypted"):
            problems.append(f"{row.name}: an unknown flag {row.flags}")
    names = [row.name for row in partitions]
    problems += [f"{name}: two partitions of one name" for name in sorted({n for n in names if names.count(n) > 1})]
    if not any(row.kind == "app" for row in partitions):
        problems.append("no application partition")
    if not any(row.subtype == "nvs" for row in partitions):
        problems.append("no NVS partition")
    return problems


def _aligned(size: int, alignment: int) -> int:
    return -(-size // alignment) * alignment


def _number(text: str) -> int:
    match = re.fullmatch(r"(0x[0-9a-fA-F]+|\d+)([KkMm]?)", text)
    if match is None:
        raise ValueError(f"not a size: {text!r}")
    return int(match.group(1), 0) * {"": 1, "k": 2**10, "m": 2**20}[match.group(2).lower()]
