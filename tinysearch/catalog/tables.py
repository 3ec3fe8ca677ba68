"""Tables beside the parts: latency of kernels by instruction set, and sizes of the program around the networks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tinysearch.analytic.code_size import Bytes, CodeSizes
from tinysearch.analytic.entries import EntryKey, LatencyEntry, complete
from tinysearch.analytic.features import COEFFICIENTS
from tinysearch.analytic.latency import FlashReads, LatencyTable, ProcessorTiming
from tinysearch.analytic.psram import PsramAccess
from tinysearch.analytic.two_cores import TwoCores
from tinysearch.core.errors import UserError
from tinysearch.core.platform import Chip
from tinysearch.core.program import Program
from tinysearch.core.provenance import Sourced
from tinysearch.reading import read_yaml


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftwareSizes:
    """Program and RAM that the firmware takes besides its networks.

    Attributes:
        base_program_bytes: by ESP-IDF target, ``default`` for others.
        feature_program_bytes: added by modality, and ``application`` for what every project has.
        backend_program_bytes: added by a backend, ``default`` for those that were not measured.
        reserved_ram_bytes: kept free by modality, and ``base``.
        encrypted_bytes: what a build that encrypts templates adds to the program.
        code: measured sizes of kernels and branches on one instruction set, taken for all chips.
    """

    base_program_bytes: Mapping[str, Sourced]
    feature_program_bytes: Mapping[str, Sourced]
    backend_program_bytes: Mapping[str, Sourced]
    reserved_ram_bytes: Mapping[str, Sourced]
    encrypted_bytes: Sourced
    code: CodeSizes

    def program_bytes(self, target: str, modalities: Iterable[str], *, kernels: Iterable[str]) -> int:
        """Bytes of code and read-only data without branches: system, application, sensors, kernels of all branches."""
        base = self.base_program_bytes.get(target, self.base_program_bytes["default"])
        features = [self.feature_program_bytes[name].value for name in ("application", *modalities)]
        return math.ceil(base.value + sum(features) + self.code.runtime_bytes(kernels).flash)

    def backend_bytes(self, name: str) -> int:
        """Bytes that a backend adds to the program, however many branches have it."""
        return int(self.backend_program_bytes.get(name, self.backend_program_bytes["default"]).value)

    def branch_bytes(self, modality: str, program: Program) -> int:
        """Bytes that a branch adds to the program besides kernels and weights: calls, constant structures, names."""
        return math.ceil(self.code.branch_bytes(program).flash + self.code.names_bytes({modality: program}))

    def reserved_bytes(self, modalities: Iterable[str]) -> int:
        """Bytes of internal RAM to leave to drivers and tasks."""
        return int(sum(self.reserved_ram_bytes[name].value for name in ("base", *modalities)))


def load_latency_table(path: Path, chips: Iterable[Chip], *, default: Path | None = None) -> LatencyTable:
    """Latency table of a file for the chips of a catalogue.

    Args:
        path: a whole table; or, on top of the table ``default``, a calibration with entries in cycles under
            ``measured``, or counted ``instructions`` alone.

    Raises:
        UserError: unreadable, or an entry is missing or malformed; the message names file and key.
    """
    document = read_table(path)
    if "measured" in document and default is not None:
        base = load_latency_table(default, chips)
        try:
            measured = {(row["isa"], row["arithmetic"], row["kernel"]): _measured(row) for row in document["measured"]}
        except (KeyError, TypeError, ValueError) as error:
            raise malformed(path, error) from error
        return replace(base, name=path.stem, entries={**base.entries, **measured})
    if {"counted", "instructions"} == set(document) - {"name"} and default is not None:
        document = _counted(path, document, read_table(default))
    try:
        chips = list(chips)
        entries: dict[EntryKey, LatencyEntry] = {}
        for isa, facts in document["instruction_sets"].items():
            for arithmetic, kernels in document["instructions"].items():
                for kernel, coefficients in kernels.items():
                    entries[isa, arithmetic, kernel] = _entry(coefficients, facts, document["counted"])
        for row in document.get("backends", ()):
            for kernel, coefficients in row["cycles"].items():
                entry = _measured({**row, **coefficients}, calibrated=False)
                entries[row["isa"], f"{row['arithmetic']}@{row['backend']}", kernel] = entry
        return LatencyTable(
            name=path.stem,
            entries=complete(entries),
            processors={chip.id: _timing(chip, document) for chip in chips},
            acquisition_s={name: _sourced(value, unit="s") for name, value in document["acquisition_s"].items()},
            two_cores=_two_cores(document.get("two_cores")),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise malformed(path, error) from error


def load_instructions(path: Path, arithmetic: str) -> dict[str, tuple[float, ...]]:
    """Instructions for one of each feature by kernel class, as the kernels of one arithmetic were counted on RV32IMC.

    Raises:
        UserError: unreadable, or the table does not have that arithmetic.
    """
    document = read_table(path)
    try:
        rows = document["instructions"][arithmetic]
        return {kernel: _coefficients(row, factor=1.0) for kernel, row in rows.items()}
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise malformed(path, error) from error


def _counted(path: Path, counts: Mapping[str, Any], default: Mapping[str, Any]) -> dict[str, Any]:
    """The default table with other instruction counts; arithmetics that were not counted stay."""
    instructions = counts["instructions"]
    if not isinstance(instructions, Mapping) or not all(isinstance(row, Mapping) for row in instructions.values()):
        raise malformed(path, TypeError("instructions is not a mapping of mappings"))
    kept = default["instructions"]
    merged = {**kept, **{name: {**kept.get(name, {}), **rows} for name, rows in instructions.items()}}
    return {**default, "counted": counts["counted"], "instructions": merged}


def load_software_sizes(path: Path) -> SoftwareSizes:
    """Software sizes of a file.

    Raises:
        UserError: unreadable or malformed.
    """
    document = read_table(path)
    try:
        groups = ("base_program_bytes", "feature_program_bytes", "backend_program_bytes", "reserved_ram_bytes")
        tables = {group: {name: _sourced(value) for name, value in document[group].items()} for group in groups}
        code = load_code_sizes(path.parent / document["code_sizes"]["file"])
        encrypted = _sourced(document["encrypted_bytes"])
        return SoftwareSizes(code=code[document["code_sizes"]["instruction_set"]], encrypted_bytes=encrypted, **tables)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise malformed(path, error) from error


def load_code_sizes(path: Path) -> dict[str, CodeSizes]:
    """Code sizes by instruction set, as ``tools/measure_code_size.py`` writes them.

    Raises:
        UserError: unreadable or malformed.
    """
    try:
        return {name: _code_sizes(name, table) for name, table in read_table(path).items()}
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise malformed(path, error) from error


def _code_sizes(name: str, table: Mapping[str, Any]) -> CodeSizes:
    measured = table["measured"]
    if measured["unit"] != "bytes":
        raise ValueError(f"unit {measured['unit']}")
    return CodeSizes(
        name=name,
        base=Bytes(**table["base"]),
        objects={key: Bytes(**value) for key, value in table["objects"].items()},
        uses={key: tuple(value) for key, value in table["uses"].items()},
        always=tuple(table["always"]),
        front_ends={key: tuple(value) for key, value in table["front_ends"].items()},
        layers={key: Bytes(**value) for key, value in table["layers"].items()},
        branch=Bytes(**table["branch"]),
        step=Bytes(**table["step"]),
        name_alignment=int(table["name_alignment"]),
        source=str(measured["source"]),
        date=str(measured["date"]),
        kind=measured["kind"],
    )


def read_table(path: Path) -> dict[str, Any]:
    """The mapping that a YAML file holds.

    Raises:
        UserError: unreadable, or something else.
    """
    try:
        document = read_yaml(path)
    except OSError as error:
        raise UserError(
            "a table must be a readable YAML file", value=f"{path}: {error.strerror}", remedy="check the file"
        ) from None
    if not isinstance(document, dict):
        raise UserError(
            "a table must be a YAML mapping", value=path, remedy="see hardware_catalog/latency/default.yaml"
        )
    return document


def malformed(path: Path, error: Exception) -> UserError:
    """The error for a table that lacks a key, or has one of another type."""
    detail = f"{path}: {type(error).__name__} {error}"
    return UserError(
        "a table must have every key that its kind needs", value=detail, remedy="compare with the default table"
    )


def _sourced(value: Mapping[str, Any], *, unit: str | None = None) -> Sourced:
    return Sourced(
        value=float(value["value"]),
        unit=unit or str(value["unit"]),
        source=str(value["source"]),
        date=str(value["date"]),
        kind=value["kind"],
    )


def _entry(coefficients: Mapping[str, float], facts: Mapping[str, Any], counted: Mapping[str, Any]) -> LatencyEntry:
    factor = float(facts["cycles_per_instruction"])
    return LatencyEntry(
        coefficients=_coefficients(coefficients, factor=factor),
        low=float(facts["low"]),
        high=float(facts["high"]),
        calibrated=facts["kind"] == "measured",
        source=f"{counted['source']}; {facts['source']}",
        date=str(facts["date"]),
    )


def _coefficients(values: Mapping[str, float], *, factor: float) -> tuple[float, ...]:
    unknown = sorted(set(values) - set(COEFFICIENTS))
    if unknown:
        raise ValueError(f"unknown coefficients {', '.join(unknown)}; known are {', '.join(COEFFICIENTS)}")
    return tuple(float(values.get(name, 0.0)) * factor for name in COEFFICIENTS)


def _measured(row: Mapping[str, Any], *, calibrated: bool = True) -> LatencyEntry:
    return LatencyEntry(
        coefficients=_coefficients({name: row[name] for name in row if name in COEFFICIENTS}, factor=1.0),
        low=float(row["low"]),
        high=float(row["high"]),
        calibrated=calibrated,
        source=str(row["source"]),
        date=str(row["date"]),
        weight_bytes=None if "weight_bytes" not in row else float(row["weight_bytes"]),
        pass_pixels=None if "pass_pixels" not in row else int(row["pass_pixels"]),
        part_channels=None if "part_channels" not in row else int(row["part_channels"]),
    )


def calibration_document(table: LatencyTable, base: LatencyTable) -> dict[str, Any]:
    """The entries that differ from a base table, as a file that :func:`load_latency_table` reads."""
    rows = []
    for (isa, arithmetic, kernel), entry in table.entries.items():
        if entry != base.entries.get((isa, arithmetic, kernel)):
            key = {"isa": isa, "arithmetic": arithmetic, "kernel": kernel}
            figures = dict(zip(COEFFICIENTS, entry.coefficients, strict=True)) | {"low": entry.low, "high": entry.high}
            rows.append(key | figures | {"source": entry.source, "date": entry.date})
    return {"name": table.name, "measured": rows}


def _timing(chip: Chip, document: Mapping[str, Any]) -> ProcessorTiming:
    return ProcessorTiming(
        isa=chip.isa,
        fpu=chip.fpu,
        frequency_hz=chip.frequency_hz.value,
        cores=chip.cores,
        psram_factor=float(document["psram_factor"]["value"]),
        contention=float(document["contention"]["value"]),
        flash=_flash_reads(document.get("flash_reads", {}).get(chip.id)),
        psram=_psram_access(document.get("psram_access"), chip.id),
    )


def _two_cores(facts: Mapping[str, Any] | None) -> TwoCores | None:
    """What a second core saves; None where the table does not say: nothing."""
    if facts is None:
        return None
    speedup, barrier = _sourced(facts["speedup"], unit="times"), _sourced(facts["barrier"], unit="cycles")
    return TwoCores(
        speedup=speedup.value,
        least_speedup=float(facts["speedup"]["low"]),
        most_speedup=float(facts["speedup"]["high"]),
        barrier_cycles=barrier.value,
        least_barrier_cycles=float(facts["barrier"]["low"]),
        most_barrier_cycles=float(facts["barrier"]["high"]),
    )


def _psram_access(facts: Mapping[str, Any] | None, chip: str) -> PsramAccess | None:
    """Cache of a chip before its external RAM, None where the table does not say."""
    if facts is None:
        return None
    own, wait, writes = (
        facts["caches"].get(chip, facts["caches"]["others"]),
        _sourced(facts["wait"], unit="s"),
        _sourced(facts["writes"], unit="times"),
    )
    cache, line = _sourced(own["cache"], unit="bytes"), _sourced(own["line"], unit="bytes")
    return PsramAccess(
        cache_bytes=int(cache.value),
        line_bytes=int(line.value),
        wait_s=wait.value,
        write_ratio=writes.value,
        low=float(facts["wait"]["low"]),
        high=float(facts["wait"]["high"]),
    )


def _flash_reads(facts: Mapping[str, Any] | None) -> FlashReads | None:
    """Cache and speed of a chip's flash, None where the table does not say."""
    if facts is None:
        return None
    speed, cache = _sourced(facts["speed"], unit="B/s"), _sourced(facts["cache"], unit="bytes")
    low, high = (float(facts["speed"][name]) * speed.value for name in ("low", "high"))
    return FlashReads(cache_bytes=cache.value, bytes_per_s=speed.value, low=low, high=high)
