"""Files that people bring, spoiled: spaces, tasks, catalogues, price lists, tables, logs, networks, recordings."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import sys
import tempfile
import wave
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from fault_kinds import Trial
from fault_kinds.answers import answer
from fault_kinds.commands import ROOT, TABLE
from fault_kinds.values import DEEP, choice, document_value, spoil, spoil_bytes

_FACE = ("modality=face", "face.blocks=[1,1]", "face.precision=int8")
_SEARCH = ("search", "trainer=table", "n_trials=2", "timeout=6s", "sampler=random", "emit.top=none", "run_dir=run")

SPACE = {
    "layouts": [[1, 1], [2, 1]],
    "precisions": ["int8", "xnor2/1"],
    "modalities": ["face", "voice"],
    "architectures": ["resnet", "separable"],
    "families": {"separable": {"stages": [[1, 1], [2, 2]], "kernel": [3]}},
    "widths": [8, 16],
    "input_sizes": [32],
    "embeddings": [32],
    "processors": ["esp32s3"],
}
TASK = {
    "name": "doors",
    "decision": "verification",
    "inputs": {
        "face": {"kind": "camera", "width": 16, "input_size": 64, "channels": 3, "embedding": 64},
        "wrist": {"kind": "motion", "window_s": 2.0, "width": 24, "input_size": 10, "channels": 6, "embedding": 32},
    },
    "combinations": [["face"], ["face", "wrist"]],
    "schedule": "every:10s",
}
PRICES = "part,usd,low,high,quantity,date,source\nov2640,3.10,2,5,1,2026-11-01,shop\ninmp441,2,,,10,2026-11,x\n"
LOG = "boot\nbenchmark esp32s3 240000000\nlayer face 0 12345\nlayer face 1 99999\nOK benchmark\n"


def texts(folder: Path, rng: np.random.Generator, case: int) -> Iterator[Trial]:
    """One spoiled YAML, JSON or CSV file, or something else in its place, and a command that reads it."""
    make, commands = _MAKERS[case % len(_MAKERS)]
    path = make(folder)
    what = _harm(path, rng)
    words = [word.format(path=path.relative_to(folder), folder=folder) for word in choice(rng, commands)]
    yield Trial(what=f"{path.name}: {what}", answers=(answer(words, folder=folder),))


def _harm(path: Path, rng: np.random.Generator) -> str:
    kind = int(rng.integers(20))
    if kind == 0:
        return _replace(path, rng)
    raw = path.read_bytes()
    if kind < 7:
        path.write_bytes(spoil_bytes(raw, rng))
        return "bytes"
    if path.suffix in (".yaml", ".json"):
        document = spoil(yaml.safe_load(raw), rng)
        if path.suffix == ".json":
            path.write_text(json.dumps(document, default=str, skipkeys=True))
        else:
            path.write_text(_yaml(document))
        return "places"
    path.write_bytes(_spoil_cells(raw.decode(), rng))
    return "cells"


def _yaml(document: Any) -> str:
    """YAML of a document that may be nested deeper than its library writes."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(30 * DEEP)
    try:
        return yaml.safe_dump(document, allow_unicode=True, sort_keys=False)
    finally:
        sys.setrecursionlimit(before)


def _replace(path: Path, rng: np.random.Generator) -> str:
    """No file of its kind at all."""
    path.unlink()
    match int(rng.integers(6)):
        case 0:
            path.mkdir()
            return "a folder"
        case 1:
            os.mkfifo(path)
            return "a FIFO"
        case 2:
            path.symlink_to(path)
            return "a link to itself"
        case 3:
            path.symlink_to("/dev/zero")
            return "an endless device"
        case 4:
            with path.open("wb") as file:
                file.truncate(20 << 30)
            return "20 GB of zeros"
        case _:
            path.write_bytes(b"")
            return "empty"


def _spoil_cells(text: str, rng: np.random.Generator) -> bytes:
    rows = list(csv.reader(io.StringIO(text)))
    for _ in range(int(rng.integers(1, 4))):
        row = int(rng.integers(len(rows)))
        at = int(rng.integers(len(rows[row]) or 1))
        match int(rng.integers(7)):
            case 0:
                rows.insert(row, list(rows[row]))
            case 1:
                rows[row] = rows[row][:at]
            case 2:
                rows = [[*cells, "" if place else str(document_value(rng))] for place, cells in enumerate(rows)]
            case 3:
                rows[row][at : at + 1] = ["9" * 200_000]
            case _:
                rows[row][at : at + 1] = [str(document_value(rng))]
    out = io.StringIO()
    csv.writer(out, delimiter=choice(rng, (",", ",", ",", ";", "\t"))).writerows(rows)
    return out.getvalue().encode(choice(rng, ("utf-8", "utf-8", "utf-8-sig", "utf-16", "latin-1")), "replace")


def _write(name: str, text: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / name
        path.write_text(text)
        return path

    return make


def _catalog_file(name: str) -> Callable[[Path], Path]:
    """A small catalogue, of which one file is the one to spoil."""

    def make(folder: Path) -> Path:
        source = ROOT / "hardware_catalog" / "espressif"
        for kind in ("base", "memory", "sensors", "chips", "modules", "boards"):
            (folder / "shop" / kind).mkdir(parents=True)
        shutil.copy(source / "catalog.yaml", folder / "shop")
        kept = ("esp32s3", "xiao-esp32s3", "esp32-s3-wroom-1-n8r8", "w25q64", "base-", "usb-")
        for file in source.glob("*/*.yaml"):
            if file.name.startswith(kept) or file.parent.name == "sensors":
                shutil.copy(file, folder / "shop" / file.parent.name)
        return folder / "shop" / name

    return make


def _log(folder: Path) -> Path:
    _project(folder)
    return _write("serial.txt", LOG)(folder)


def _project(folder: Path) -> Path:
    shutil.copytree(emitted(), folder / "project")
    return folder / "project" / "candidate.json"


@cache
def emitted() -> Path:
    """A project of a small network, emitted once."""
    folder = Path(tempfile.mkdtemp(prefix="tinysearch-faults-"))
    words = ("emit", *_FACE, "face.width=4", "face.input_size=24", "trainer=none", "out=project")
    done = answer(words, folder=folder)
    if done.status:
        raise RuntimeError(f"a project could not be emitted: {done.said}")
    return folder / "project"


def _rows(count: int) -> str:
    return "".join(TABLE.read_text().splitlines(keepends=True)[:count])


_CATALOG = (("catalog", "check", "shop"), ("catalog", "list", "catalog=./shop"), ("evaluate", *_FACE, "catalog=./shop"))
_MAKERS: tuple[tuple[Callable[[Path], Path], Sequence[Sequence[str]]], ...] = (
    (_write("space.yaml", yaml.safe_dump(SPACE)), (("enumerate", "space={path}"), ("enumerate", "space.path={path}"))),
    (
        _write("task.yaml", yaml.safe_dump(TASK)),
        (
            ("evaluate", "task={path}", *_FACE),
            ("enumerate", "task={path}", "space.layouts=[[1]]", "space.precisions=[int8]"),
            ("data", "inspect", "task={path}"),
        ),
    ),
    (_catalog_file("sensors/ov2640.yaml"), _CATALOG),
    (_catalog_file("chips/esp32s3.yaml"), _CATALOG),
    (_catalog_file("boards/xiao-esp32s3.yaml"), _CATALOG),
    (_catalog_file("modules/esp32-s3-wroom-1-n8r8.yaml"), _CATALOG),
    (_catalog_file("catalog.yaml"), _CATALOG),
    (_write("prices.csv", PRICES), (("catalog", "price", "{path}", "out=shop"),)),
    (
        _write("table.csv", _rows(12)),
        (
            (*_SEARCH, "trainer.path={path}"),
            ("evaluate", *_FACE, "trainer=table", "trainer.path={path}"),
            (*_SEARCH, f"trainer.path={TABLE}", "warm_start={path}"),
        ),
    ),
    (
        _write("latency.yaml", (ROOT / "hardware_catalog" / "latency" / "default.yaml").read_text()),
        (("evaluate", *_FACE, "latency.table={path}"),),
    ),
    (_log, (("calibrate", "{path}", "project", "out=mine.yaml"),)),
    (_project, (("calibrate", "serial.txt", "project", "out=mine.yaml"), ("verify", "project/main"))),
)


def people(folder: Path, rng: np.random.Generator, _case: int) -> Iterator[Trial]:
    """A folder of people's pictures and recordings with one to three files spoiled or of odd names."""
    root = _people(folder)
    harmed = []
    for _ in range(int(rng.integers(1, 4))):
        path = choice(rng, sorted(file for file in root.rglob("*.*") if file.is_file() and not file.is_symlink()))
        match int(rng.integers(9)):
            case 0:
                harmed.append(_replace(path, rng))
            case 1:
                target = choice(
                    rng, (b"\xff\xfe.png", b"a\nb.png", b"\x1b[2J.wav", b"x" * 250 + b".wav", "é.png".encode())
                )
                os.rename(path, os.path.join(os.fsencode(path.parent), target))
                harmed.append(f"called {target!r}")
            case 2:
                person = path.parents[1]
                target = choice(rng, (b"\xff", b"a\nb", b"\x1b[2J", b"train.txt", "e\u0301".encode(), b" "))
                there = os.path.join(os.fsencode(person.parent), target)
                if person.parent == root and not os.path.exists(there):  # not a list, nor called as one
                    os.rename(person, there)
                    harmed.append(f"person called {target!r}")
            case _:
                raw = path.read_bytes()
                head = raw[:64] if rng.random() < 0.5 else raw
                path.write_bytes(spoil_bytes(head, rng) + raw[len(head) :])
                harmed.append(f"bytes of {path.suffix}")
    words = (choice(rng, ("inspect", "prepare")), "data=folder", "data.root=people", "cache.dir=cache")
    yield Trial(what=", ".join(harmed), answers=(answer(("data", *words), folder=folder),))


def _people(folder: Path) -> Path:
    from PIL import Image

    draws = np.random.default_rng(5)
    for person in range(7):
        for kind in ("face", "voice"):
            (folder / "people" / f"p{person}" / kind).mkdir(parents=True)
        for number in range(2):
            pixels = draws.integers(0, 256, (24, 24, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / "people" / f"p{person}" / "face" / f"{number}.png")
            with wave.open(str(folder / "people" / f"p{person}" / "voice" / f"{number}.wav"), "wb") as file:
                file.setparams((1, 2, 16_000, 0, "NONE", ""))
                file.writeframes((draws.normal(size=8_000) * 3_000).astype("<i2").tobytes())
    (folder / "people" / "train.txt").write_text("p0\np1\np2\n")
    (folder / "people" / "validation.txt").write_text("p3\np4\n")
    (folder / "people" / "test.txt").write_text("p5\np6\n")
    return folder / "people"


KINDS = {"files": texts, "recordings and pictures": people}
WARM = (("data", "inspect"),)
