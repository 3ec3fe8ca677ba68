"""Runs that are killed, whose files are damaged, whose disk fills up, or whose database goes away.

Two runs are made once and copied for every case: of ``trainer=table``, and of a trainer that takes no time, with a
cache of networks and firmware. A search of the table is the same every time, so that what must come out is known.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from fault_kinds import Answer, Trial
from fault_kinds.answers import answer, start, wait
from fault_kinds.commands import TABLE
from fault_kinds.values import choice, spoil, spoil_bytes

_OF_TABLE = (
    "search",
    "trainer=table",
    f"trainer.path={TABLE}",
    "n_trials=24",
    "seed=3",
    "budget=15usd",
    "emit.top=none",
)
_FEWER = "n_trials=6"
"""Of a search in a database, where Optuna takes a hundred statements for a trial: 0.3 s of the processor each."""

_SIZES = ("task.face.width=4", "task.face.input_size=24", "task.voice.width=4", "task.voice.input_size=24")
_OF_NETWORKS = (
    *("search", "budget=15usd", *_SIZES, "space.modalities=[voice]", "space.layouts=[[1],[1,1]]"),
    *("space.precisions=[int8,xnor1/1]", "trainer.name=instant_trainer:Instant", "sampler=exhaustive", "n_workers=1"),
    *("cache.dir=cache", "run_dir=run", "n_trials=4", "emit.top=1", "emit.verify=false", "keep_embeddings=true"),
)
_CREATED, _ENDED = 4, 6
"""Entries of Optuna's journal that begin a trial and that set its state and values."""

_TRAINER = """
from tinysearch.core.program import lower
from tinysearch.core.quantization import Precision
from tinysearch.firmware.untrained import untrained


class Instant:
    digest = "instant"

    def __init__(self, **settings):
        pass

    def fit(self, branch, network, data, *, workspace, progress):
        return untrained(lower(network, Precision.parse(branch.precision)), 0)
"""


_UNDISTURBED_S = 3600.0
"""For a run that all others are compared with, on a machine however busy."""


@cache
def whole_table(*more: str) -> Path:
    """A folder with the undisturbed run of the table, with ``more`` options."""
    folder = Path(tempfile.mkdtemp(prefix="tinysearch-faults-"))
    _fine(answer((*_OF_TABLE, *more, "run_dir=run"), folder=folder, patience_s=_UNDISTURBED_S))
    return folder


@cache
def whole_networks() -> Path:
    """A folder with the undisturbed run of networks, with cache and firmware."""
    folder = Path(tempfile.mkdtemp(prefix="tinysearch-faults-"))
    (folder / "instant_trainer.py").write_text(_TRAINER)
    sys.path.insert(0, str(folder))
    _fine(answer(_OF_NETWORKS, folder=folder, patience_s=_UNDISTURBED_S))
    return folder


def _fine(done: Answer) -> None:
    if done.status:
        raise RuntimeError(f"the undisturbed run failed: {done.said}")


def front(run: Path) -> Any:
    """What counts of a run's front."""
    document = json.loads((run / "front.json").read_text())
    return [[point["id"], point["values"]] for point in document["points"]]


def recorded(run: Path) -> dict[int, tuple[str, str]]:
    """Finished trials of a journal by number, parameters and values, up to the first line that cannot be read."""
    trials: dict[int, dict[str, Any]] = {}
    path = run / "journal.log"
    with contextlib.suppress(ValueError, KeyError, TypeError, RecursionError):
        for line in path.read_bytes().split(b"\n") if path.exists() else []:
            entry = json.loads(line)
            if entry["op_code"] == _CREATED:
                trials[len(trials)] = entry
            elif entry["op_code"] == _ENDED:
                trials[entry["trial_id"]] |= entry
    finished = {number: trial for number, trial in trials.items() if trial.get("state") == 1}
    return {number: (str(trial.get("params")), str(trial.get("values"))) for number, trial in finished.items()}


def _lost(before: Mapping[int, object], run: Path) -> int:
    now = recorded(run)
    return sum(now.get(number) != trial for number, trial in before.items())


def killed(folder: Path, rng: np.random.Generator, _case: int) -> Iterator[Trial]:
    """SIGKILL at a random moment of a search, one to three times, then the search to its end."""
    words, run, lost, moments = (*_OF_TABLE, "run_dir=run"), folder / "run", 0, []
    for _ in range(int(rng.integers(1, 4))):
        before = recorded(run)
        with tempfile.TemporaryFile() as stderr:
            child = start(words, folder=folder, stderr=stderr.fileno())
            moment = float(rng.uniform(0.0, 4.0))
            time.sleep(moment)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)
            wait(child, 10.0)
        lost += _lost(before, run)
        moments.append(f"{moment:.2f} s ({len(recorded(run))} trials)")
    before = recorded(run)
    done = answer(words, folder=folder)
    lost += _lost(before, run)
    same = done.status == 0 and front(run) == front(whole_table() / "run")
    what = f"SIGKILL after {', '.join(moments)}"
    yield Trial(what=what, answers=(done,), lost=lost, wrong=None if same else "another front")


def damaged_run(folder: Path, rng: np.random.Generator, _case: int) -> Iterator[Trial]:
    """One file of a finished run flipped, cut or of other kinds, then a command that reads the run."""
    shutil.copytree(whole_table() / "run", folder / "run")
    run = folder / "run"
    names = ("journal.log", "front.json", "manifest.json", "trials.csv", "config.yaml", "report_data.json", "front.csv")
    path = run / str(choice(rng, names))
    whole = path.read_bytes()
    what = _damage(path, rng)
    before = recorded(run)
    point = front(whole_table() / "run")[0][0]
    verbs: Sequence[Sequence[str]] = (
        ("report", "run_dir=run"),
        ("emit", "run_dir=run", f"id={point}", "out=project"),
        (*_OF_TABLE, "run_dir=run"),
        (*_OF_TABLE, "run_dir=new", "warm_start=[run]"),
    )
    done = answer(choice(rng, verbs), folder=folder)
    lost = _lost(before, run)
    if path.name == "journal.log" and done.status and path.read_bytes() == whole[:0] != whole:
        lost += 1
    yield Trial(what=f"{path.name}: {what}; {done.words[0]}", answers=(done,), lost=lost)


def damaged_networks(folder: Path, rng: np.random.Generator, _case: int) -> Iterator[Trial]:
    """One file of the cache, of models/ or of an emitted project damaged, then a command that reads it."""
    source = whole_networks()
    for name in ("run", "cache"):
        shutil.copytree(source / name, folder / name, symlinks=True)
    point = front(folder / "run")[0][0]
    kind = str(choice(rng, ("cache", "cache", "models", "firmware")))
    files = sorted(path for path in (folder / "run").rglob("*") if path.is_file() and kind in path.parts)
    if kind == "cache":
        files = sorted(path for path in (folder / "cache" / "branches").rglob("*") if path.is_file())
    if kind == "firmware":
        files = [path for path in files if path.suffix in (".json", ".h", ".csv", ".yml", ".txt", ".defaults", ".bin")]
    path = choice(rng, files)
    others = {other: other.stat().st_mtime_ns for other in _entries(folder) if other != _entry(path)}
    what = _damage(path, rng)
    verbs: dict[str, Sequence[Sequence[str]]] = {
        "cache": (
            _OF_NETWORKS,
            (*_OF_NETWORKS[:-4], "run_dir=new", "n_trials=4", "emit.top=none", "keep_embeddings=false"),
        ),
        "models": (_OF_NETWORKS, ("emit", "run_dir=run", f"id={point}", "out=p", "cache.dir=other")),
        "firmware": (("calibrate", "log.txt", f"run/firmware/{point}", "out=mine.yaml"), _OF_NETWORKS),
    }
    done = answer(choice(rng, verbs[kind]), folder=folder)
    lost = sum(not other.exists() or other.stat().st_mtime_ns != moment for other, moment in others.items())
    same = done.status != 0 or "search" not in done.words or front(_run_of(folder, done)) == front(source / "run")
    what = f"{path.relative_to(folder)}: {what}; {done.words[0]}"
    yield Trial(what=what, answers=(done,), lost=lost, wrong=None if same else "another front")


def _run_of(folder: Path, done: Answer) -> Path:
    return folder / next(word for word in done.words if word.startswith("run_dir=")).removeprefix("run_dir=")


def _entry(path: Path) -> Path:
    """The record of the memo's entry that a file belongs to."""
    return path.parent / "record.json"


def _entries(folder: Path) -> list[Path]:
    return list((folder / "cache" / "branches").rglob("record.json"))


def _damage(path: Path, rng: np.random.Generator) -> str:
    raw = path.read_bytes()
    if path.suffix == ".json" and rng.random() < 0.5:
        with contextlib.suppress(ValueError, RecursionError):
            path.write_text(json.dumps(spoil(json.loads(raw), rng), default=str, skipkeys=True))
            return "places"
    match int(rng.integers(3)):
        case 0:
            path.write_bytes(raw[: int(rng.integers(len(raw) + 1))])
            return "cut"
        case 1 if raw:
            at = int(rng.integers(len(raw)))
            path.write_bytes(raw[:at] + bytes([raw[at] ^ 1 << int(rng.integers(8))]) + raw[at + 1 :])
            return f"bit of byte {at}"
        case _:
            path.write_bytes(spoil_bytes(raw, rng))
            return "bytes"


def full_disk(folder: Path, rng: np.random.Generator, _case: int) -> Iterator[Trial]:
    """A run on a file system of 16 to 4000 KiB in memory, which then grows. Needs root."""
    disk, words = folder / "disk", (*_OF_TABLE, "run_dir=disk/run")
    disk.mkdir()
    size = int(2 ** rng.uniform(4, 12))
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", disk], check=True, capture_output=True)
    try:
        first = answer(words, folder=folder)
        before = recorded(disk / "run")
        subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True, capture_output=True)
        again = answer(words, folder=folder)
        same = again.status == 0 and front(disk / "run") == front(whole_table() / "run")
        lost = _lost(before, disk / "run")
    finally:
        subprocess.run(["umount", "-l", disk], check=False, capture_output=True)
    what = f"a disk of {size} KiB ({len(before)} trials)"
    yield Trial(what=what, answers=(first, again), lost=lost, wrong=None if same else "another front")


def database_gone(folder: Path, rng: np.random.Generator, _case: int) -> Iterator[Trial]:
    """PostgreSQL stopped at a random moment of a search, started again, and the search to its end."""
    from postgres_server import server, stop

    folder.chmod(0o755)
    home = folder / "pg"
    home.mkdir()
    with server(home) as first:
        words = (*_OF_TABLE, _FEWER, "run_dir=run", f"storage={first.url}")
        with tempfile.TemporaryFile() as stderr:
            started = time.perf_counter()
            child = start(words, folder=folder, stderr=stderr.fileno())
            moment = float(rng.uniform(0.3, 5.0))
            time.sleep(moment)
            stop(home)
            status, used = wait(child, 60.0)
            wall_s = time.perf_counter() - started - moment
            stderr.seek(0)
            said = stderr.read().decode(errors="replace")
        gone = Answer(words=words, status=status, said=said, wall_s=wall_s, processor_s=used)
    query = "SELECT trial_id, objective, value FROM trial_values ORDER BY 1, 2"
    with server(home) as second:
        before = second.query(query) if _has_trials(second) else []
        done = answer(words, folder=folder)
        after = set(second.query(query))
    same = done.status == 0 and front(folder / "run") == front(whole_table(_FEWER) / "run")
    lost = sum(row not in after for row in before)
    what = f"PostgreSQL stopped after {moment:.1f} s ({len(before)} values)"
    yield Trial(what=what, answers=(gone, done), lost=lost, wrong=None if same else "another front")


def _has_trials(running: Any) -> bool:
    return bool(running.query("SELECT 1 FROM information_schema.tables WHERE table_name = 'trial_values'"))


KINDS = {
    "kills": killed,
    "damaged runs": damaged_run,
    "damaged networks": damaged_networks,
    "full disk": full_disk,
    "database gone": database_gone,
}
WARM: tuple[Sequence[str], ...] = ()
