"""A folder of YAML files -> a catalogue, or the list of everything wrong with them."""

from __future__ import annotations

import contextlib
import hashlib
import re
from dataclasses import dataclass, field, replace
from pathlib import Path

from tinysearch.catalog.catalog import Catalog
from tinysearch.catalog.document import Document, Problem, read_document
from tinysearch.catalog.parts import read_entry
from tinysearch.catalog.section import Section
from tinysearch.core.errors import UserError
from tinysearch.core.platform import Chip, Part
from tinysearch.files import real_path
from tinysearch.reading import read_bytes

HEAD_FILE = "catalog.yaml"
CHIPS = "espressif"
"""The built-in catalogue that has the silicon, by which a single file is judged."""
_BUILT_IN = re.compile(r"^[a-z][a-z0-9_]*$")
_MAXIMUM_FILES = 2000


@dataclass(slots=True, kw_only=True)
class _Loaded:
    """What one pass over a folder found, right or wrong."""

    name: str
    description: str = ""
    rules: str = "physical"
    chips_from: str = ""
    parts_from: str = ""
    chips: dict[str, Chip] = field(default_factory=dict)
    parts: dict[str, Part] = field(default_factory=dict)
    documents: dict[str, Document] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    digest: str = ""
    problems: list[Problem] = field(default_factory=list)

    def refuse(self, file: str, line: int, rule: str, *, value: object, remedy: str) -> None:
        self.problems.append(Problem(file=file, line=line, rule=rule, value=str(value), remedy=remedy))

    def refuse_part(self, part: Part, *keys: str | int, rule: str, value: object, remedy: str) -> None:
        """Record a problem of a part at the line of one of its values, or of its id where it does not have that one."""
        document = self.documents[f"part {part.id}"]
        span = document.spans.get(keys) or document.spans["id",]
        self.refuse(document.file, span.line, rule, value=value, remedy=remedy)


def load_catalog(name_or_path: str | Path, *, root: Path) -> Catalog:
    """Load a built-in catalogue by name, or a user's folder by path.

    Args:
        name_or_path: ``espressif``, ``paper2023`` or a folder with the same layout.
        root: folder of the built-in catalogues.

    Raises:
        UserError: nothing there, unreadable, or wrong; names the first problem with file and line.
    """
    loaded = _load(catalog_folder(name_or_path, root=root)[0], root=root)
    if loaded.problems:
        raise loaded.problems[0].error(others=len(loaded.problems) - 1)
    return Catalog(
        name=loaded.name,
        description=loaded.description,
        rules="as_printed" if loaded.rules == "as_printed" else "physical",
        chips=loaded.chips,
        parts=loaded.parts,
        digest=loaded.digest,
    )


def check_catalog(path: str | Path, *, root: Path) -> list[Problem]:
    """Everything wrong with a catalogue, by file and line; empty where it can be used.

    Args:
        path: a folder, the name of a built-in catalogue, or one file: with a ``catalog.yaml`` above it the file's part
            in what is wrong with that catalogue, without one what can be said of the file and the built-in chips.
        root: folder of the built-in catalogues.

    Raises:
        UserError: nothing there or unreadable.
    """
    target = Path(path).expanduser()
    if not target.is_file():
        return _load(catalog_folder(path, root=root)[0], root=root).problems
    for folder in real_path(target).parents:
        if (folder / HEAD_FILE).is_file():
            own = real_path(target).relative_to(folder).as_posix()
            found = _load(folder, root=root).problems
            return [problem for problem in found if problem.file == own or f"(also {own}:" in problem.value]
    return _check_alone(target, root=root)


def _check_alone(target: Path, *, root: Path) -> list[Problem]:
    """Problems of a file outside of any catalogue; what it builds on may stand in files that nobody named."""
    loaded = _Loaded(name=target.stem)
    _read_file(target, target.name, loaded)
    chips = _load(root / CHIPS, root=root, depth=1).chips
    for part in loaded.parts.values():
        if part.processor in chips:
            _check_contents(part, chips[part.processor], loaded)
    return loaded.problems


def catalog_folder(name_or_path: str | Path, *, root: Path) -> tuple[Path, bool]:
    """Folder of a catalogue, and whether it is a built-in one.

    Raises:
        UserError: nothing there.
    """
    text = str(name_or_path)
    built_in = _is_built_in(text, root=root)
    folder = root / text if built_in else Path(text).expanduser()
    if not folder.is_dir():
        known = sorted(path.parent.name for path in root.glob(f"*/{HEAD_FILE}"))
        raise UserError(
            f"a catalogue must be {', '.join(known) or 'built in'} or a folder of YAML files",
            value=text,
            remedy="choose catalog=espressif or the path of your folder",
        )
    return folder, built_in


def _is_built_in(name: str, *, root: Path) -> bool:
    return bool(_BUILT_IN.match(name)) and (root / name / HEAD_FILE).is_file()


def _files(folder: Path, loaded: _Loaded) -> list[Path]:
    """YAML files of a folder in a stable order; links that lead out of it are refused."""
    home = real_path(folder)
    files = []
    try:
        found = sorted(path for path in folder.rglob("*") if path.suffix in (".yaml", ".yml"))
    except OSError as error:
        raise UserError(
            "a catalogue folder must be readable", value=f"{folder}: {error.strerror}", remedy="check its permissions"
        ) from None
    for path in found[:_MAXIMUM_FILES]:
        file = path.relative_to(folder).as_posix()
        if not real_path(path).is_relative_to(home):
            loaded.refuse(file, 1, "a catalogue must stay in its folder", value=real_path(path), remedy="copy the file")
        else:
            files.append(path)
    return files


def _load(folder: Path, *, root: Path, depth: int = 0) -> _Loaded:
    loaded = _Loaded(name=real_path(folder).name)
    files = _files(folder, loaded)
    _read_head(folder, loaded)
    digest = hashlib.sha256()
    for path in files:
        file = path.relative_to(folder).as_posix()
        with contextlib.suppress(OSError):  # reported where the file is parsed
            digest.update(file.encode() + b"\0" + hashlib.sha256(read_bytes(path)).digest())
        if file != HEAD_FILE:
            _read_file(path, file, loaded)
    if loaded.chips_from or loaded.parts_from:
        _borrow(loaded, root=root, digest=digest, depth=depth)
    _check_references(loaded)
    _wire(loaded)
    if not loaded.problems and not any(part.processor for part in loaded.parts.values()) and depth == 0:
        loaded.refuse(
            HEAD_FILE,
            1,
            "a catalogue must have at least one chip, module or board with a price",
            value="none",
            remedy="add one",
        )
    loaded.digest = digest.hexdigest()
    loaded.problems.sort(key=lambda problem: (problem.file, problem.line))
    return loaded


def _read_head(folder: Path, loaded: _Loaded) -> None:
    path = folder / HEAD_FILE
    if not path.exists():
        loaded.refuse(
            HEAD_FILE,
            1,
            f"a catalogue must have a {HEAD_FILE}",
            value="none",
            remedy="add one with name, description and rules",
        )
        return
    document = read_document(path, file=HEAD_FILE, problems=loaded.problems)
    if document is None:
        return
    section = Section(document, problems=loaded.problems)
    loaded.name = section.identifier("name") or loaded.name
    loaded.description = section.text("description")
    loaded.rules = section.choice("rules", ("physical", "as_printed")) or "physical"
    loaded.chips_from = section.text("chips_from", required=False, what="the name of a built-in catalogue")
    loaded.parts_from = section.text("parts_from", required=False, what="the name of a built-in catalogue")
    section.text("note", required=False)
    section.finish()


def _read_file(path: Path, file: str, loaded: _Loaded) -> None:
    document = read_document(path, file=file, problems=loaded.problems)
    entry = None if document is None else read_entry(document, problems=loaded.problems)
    if entry is None or document is None:
        loaded.broken.add(str(path.stem if document is None else document.data.get("id")))
        return
    line = document.spans["id",].line
    kind = "chip" if isinstance(entry, Chip) else "part"
    key = f"{kind} {entry.id}"
    if key in loaded.documents:
        other = loaded.documents[key]
        also = f"{other.file}:{other.spans['id',].line}"
        loaded.refuse(file, line, "ids must differ", value=f"{entry.id} (also {also})", remedy="rename one")
        return
    loaded.documents[key] = document
    if isinstance(entry, Chip):
        loaded.chips[entry.id] = entry
    else:
        loaded.parts[entry.id] = entry


def _borrow(loaded: _Loaded, *, root: Path, digest: hashlib._Hash, depth: int) -> None:
    """Take chips, or chips and parts, of a built-in catalogue; those of one's own replace what has their id."""
    key = "parts_from" if loaded.parts_from else "chips_from"
    name = loaded.parts_from or loaded.chips_from
    if not _is_built_in(name, root=root) or depth:
        rule = f"{key} must name a built-in catalogue"
        loaded.refuse(HEAD_FILE, 1, rule, value=name, remedy=f"write {key}: espressif")
        return
    other = _load(root / name, root=root, depth=depth + 1)
    loaded.problems += other.problems
    loaded.chips = other.chips | loaded.chips
    digest.update(repr(sorted(other.chips.items())).encode())
    if loaded.parts_from:
        loaded.parts = other.parts | loaded.parts
        loaded.documents = other.documents | loaded.documents
        digest.update(repr(sorted(other.parts.items())).encode())


def _wire(loaded: _Loaded) -> None:
    """Have boards accept the sensors that say so themselves."""
    for sensor in [part for part in loaded.parts.values() if part.accepted_by]:
        for identifier in sensor.accepted_by:
            board = loaded.parts.get(identifier)
            if board is not None and board.kind == "board" and sensor.id not in board.accepts:
                loaded.parts[identifier] = replace(board, accepts=(*board.accepts, sensor.id))


def _check_references(loaded: _Loaded) -> None:
    """What no file can know alone: processors and needed parts exist, contents suit the chip."""
    for part in loaded.parts.values():
        for key, named in (("needs", part.needs), ("accepts", part.accepts), ("accepted_by", part.accepted_by)):
            for need in named:
                if need == part.id and key == "needs":
                    rule = "a part must not need itself"
                    loaded.refuse_part(part, key, rule=rule, value=need, remedy="leave the part itself out")
                if need not in loaded.parts and need not in loaded.broken:
                    rule = "needs, accepts and accepted_by must name parts of the catalogue"
                    loaded.refuse_part(part, key, rule=rule, value=need, remedy="add or respell the part")
        if part.processor is None:
            continue
        chip = loaded.chips.get(part.processor)
        if chip is not None and loaded.rules == "physical":
            _check_contents(part, chip, loaded)
        elif chip is None and part.processor not in loaded.broken:
            rule = "processor must name a chip of the catalogue"
            loaded.refuse_part(part, "processor", rule=rule, value=part.processor, remedy="add its chip file")


def _check_contents(part: Part, chip: Chip, loaded: _Loaded) -> None:
    if part.psram_bytes and chip.psram is None:
        loaded.refuse_part(
            part,
            "contents",
            "psram",
            rule=f"PSRAM must have a controller, and {chip.name} has none",
            value=f"PSRAM in {part.id}",
            remedy="remove psram from contents",
        )
    elif part.psram_bytes and chip.psram and part.psram_interface not in chip.psram.interfaces:
        loaded.refuse_part(
            part,
            "contents",
            "psram_interface",
            rule=f"PSRAM of {chip.name} must be {' or '.join(chip.psram.interfaces)}",
            value=f"{part.psram_interface} in {part.id}",
            remedy="correct psram_interface",
        )
    if part.flash_bytes > chip.flash_max_bytes.value:
        loaded.refuse_part(
            part,
            "contents",
            "flash",
            rule=f"flash of {chip.name} must be at most {int(chip.flash_max_bytes.value) >> 20} MB of flash",
            value=f"{part.flash_bytes >> 20} MB in {part.id}",
            remedy="correct flash in contents",
        )
    for place, sensor in enumerate(part.sensors):
        if sensor.interface not in chip.sensor_interfaces(sensor.kind):
            loaded.refuse_part(
                part,
                "contents",
                "sensors",
                place,
                "interface",
                rule=f"{chip.name} must be able to drive the sensors on its boards",
                value=f"{sensor.interface} {sensor.kind} on {part.id}",
                remedy="correct the interface",
            )
