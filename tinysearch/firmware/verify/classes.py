"""The rungs of a classification: its application says what Python says, to the last window.

``classify`` drives the project's ``main/`` with stand-ins for its networks (``make -C host scripted``): an embedding is
the first bytes of an input, so that windows can be drawn which lie about the prototypes and thresholds of
candidate.json. A threshold, a prototype, smoothing or hold-off that was changed answers otherwise than it must.

``error`` classifies the held-out samples with the networks: the error of the C code is the one that was measured.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinysearch.core.errors import UserError
from tinysearch.firmware.verify.facts import branch_order, branch_sizes, file_bytes, read_point
from tinysearch.firmware.verify.held_out import NO_RUN
from tinysearch.firmware.verify.host import INSTALL, TOOLS
from tinysearch.firmware.verify.objects import TIMEOUT_S, Objects, at_hand
from tinysearch.firmware.verify.rung import Rung, WrongAnswerError, climbed, not_run, run_tool
from tinysearch.metrics import class_scores
from tinysearch.metrics.scores import Embeddings
from tinysearch.metrics.windows import UNKNOWN, Answered, Answers, answer

WANDERING, TURNS, MOST_PROBED = 48, 400, 16
"""Windows that wander between classes; embeddings drawn a class, the closest to its threshold count; classes probed."""

BUILD_TIMEOUT_S = 600.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeldOutClasses:
    """Held-out samples of a classification.

    Attributes:
        inputs: by modality, int8 [N, height, width, channels]; row n of each belongs to sample n.
        labels: int32 [N].
        error: share of wrongly classified ones as it was measured; None where it was not.
    """

    inputs: Mapping[str, npt.NDArray[np.int8]]
    labels: npt.NDArray[np.int32]
    error: float | None = None


Source = Callable[[], HeldOutClasses]


def drive(project: Path, *, objects: Objects | None = None) -> Rung:
    """Rung ``classify``."""
    return _climb("classify", lambda: _drive(project, objects))


def error_rate(project: Path, source: Source | None) -> Rung:
    """Rung ``error``."""
    if source is None:
        return Rung(name="error", status="not run", detail=NO_RUN)
    try:
        held_out = source()
    except UserError as problem:
        return Rung(name="error", status="not run", detail=f"not run: {problem}")
    return _climb("error", lambda: _error(project, held_out))


def _climb(name: str, judge: Callable[[], str]) -> Rung:
    return not_run(name, TOOLS, install=INSTALL) or climbed(name, judge)


def answers_of(point: Mapping[str, Any]) -> Answers:
    """How the device answers, as candidate.json states it."""
    facts = point["firmware_facts"]
    return Answers(
        names=tuple(facts["classes"]),
        thresholds=tuple(facts["class_thresholds"]),
        smooth=facts["smooth"],
        hold_off=facts["hold_off"],
    )


def prototypes_of(point: Mapping[str, Any], name: str) -> Embeddings:
    """A branch's prototypes, [classes, E] in the type of its embeddings."""
    is_float = point["branches"][name]["precision"] == "float32"
    return np.array(point["firmware_facts"]["prototypes"][name], np.float32 if is_float else np.int8)


# ---- drawn windows ----


def _drive(project: Path, objects: Objects | None) -> str:
    point = read_point(project)
    answers, order = answers_of(point), branch_order(project)
    if sorted(order) != sorted(point["branches"]):
        raise WrongAnswerError(f"main/candidate.c has the branches {', '.join(order)}")
    prototypes = {name: prototypes_of(point, name) for name in order}
    embeddings = _windows(prototypes, answers)
    with tempfile.TemporaryDirectory(prefix="tinysearch-classes-") as name:
        folder = Path(name)
        with at_hand(objects) as shared:
            _build(project, folder, shared)
        for branch, rows in embeddings.items():
            _write(folder / f"{branch}.inputs", rows, project, branch)
        lines = _said(folder / "scripted", folder, [f"stream {' '.join(f'{name}.inputs' for name in order)}"])
    scores = _scores(embeddings, prototypes)
    found = answer(scores, np.zeros(len(scores), np.int32), answers)
    exact = all(rows.dtype == np.int8 for rows in prototypes.values())
    _compare(lines, found, answers, branches=len(order), tolerance=0 if exact else 32)
    events = int(found.event.sum())
    kinds = f"{int((found.answer != UNKNOWN).sum())} answers, {events} events"
    return f"{len(scores)} drawn windows answered as they must be ({kinds}); smoothing {answers.smooth}"


Drawn = Mapping[str, npt.NDArray[np.int8]]
"""Embeddings [N, E] by branch."""


def _windows(prototypes: Mapping[str, Embeddings], answers: Answers) -> Drawn:
    """Windows that wander from class to class, then some that hold still just above and below each threshold."""
    random = np.random.default_rng(0)
    count = len(answers.names)
    labels = np.repeat(random.permutation(np.arange(WANDERING) % count), 3)[:WANDERING]
    parts = [_turned(random, prototypes, labels, np.tile(np.linspace(0, 2, 16), 3))]
    for label in range(min(count, MOST_PROBED)):
        drawn = _turned(random, prototypes, np.full(TURNS, label), np.linspace(0, 6, TURNS))
        scores = _scores(drawn, prototypes)
        own, nearest = scores[:, label], scores.argmax(axis=1)
        for above in (True, False):
            side = np.flatnonzero((nearest == label) & ((own >= answers.thresholds[label]) == above))
            if len(side):
                closest = side[np.abs(own[side] - answers.thresholds[label]).argmin()]
                still = np.full(answers.smooth, closest)
                parts.append({name: rows[still] for name, rows in drawn.items()})
    return {name: np.concatenate([part[name] for part in parts]) for name in prototypes}


def _turned(
    random: np.random.Generator,
    prototypes: Mapping[str, Embeddings],
    labels: npt.NDArray[np.integer],
    turns: npt.NDArray[np.float64],
) -> Drawn:
    """Embeddings turned away from their classes' prototypes by so much."""
    found = {}
    for name, rows in prototypes.items():
        wide = rows.astype(float)
        unit = wide / np.maximum(np.linalg.norm(wide, axis=1, keepdims=True), 1e-9)
        noise = random.normal(0, 1, (len(labels), rows.shape[1])) / np.sqrt(rows.shape[1])
        mixed = unit[labels] + turns[:, None] * noise
        found[name] = np.rint(mixed * 120 / np.abs(mixed).max(axis=1, keepdims=True)).astype(np.int8)
    return found


def _scores(embeddings: Drawn, prototypes: Mapping[str, Embeddings]) -> npt.NDArray[np.int64]:
    """Sums of the branches' cosines, [N, classes]."""
    each = [class_scores(rows.astype(prototypes[name].dtype), prototypes[name]) for name, rows in embeddings.items()]
    return np.asarray(np.sum(each, axis=0), np.int64)


def _write(path: Path, rows: npt.NDArray[np.int8], project: Path, branch: str) -> None:
    """Inputs whose first bytes are these embeddings; the rest varies, so that they hold a signal."""
    size = branch_sizes(project, branch)["INPUT_BYTES"][0]
    if rows.shape[1] > size:
        raise WrongAnswerError(f"{branch}: an input of {size} bytes must hold an embedding of {rows.shape[1]}")
    inputs = np.random.default_rng(1).integers(-128, 128, (len(rows), size)).astype(np.int8)
    inputs[:, : rows.shape[1]] = rows
    path.write_bytes(file_bytes(inputs))


def _build(project: Path, folder: Path, objects: Objects) -> None:
    built = objects.link(project / "host", folder / "scripted", goal="list-scripted", options=["-O1"])
    if not built.passed:
        raise WrongAnswerError(built.reason(timeout_s=TIMEOUT_S))


def _said(program: Path, folder: Path, typed: Sequence[str]) -> list[dict[str, Any]]:
    """The windows that the application answers with."""
    outcome = run_tool((program,), timeout_s=TIMEOUT_S, folder=folder, typed="".join(f"{line}\n" for line in typed))
    if not outcome.passed:
        raise WrongAnswerError(outcome.reason(timeout_s=TIMEOUT_S))
    return [json.loads(line) for line in outcome.text.splitlines() if line.startswith("{")]


def _compare(
    lines: Sequence[Mapping[str, Any]], found: Answered, answers: Answers, *, branches: int, tolerance: int
) -> None:
    if len(lines) != len(found.answer):
        raise WrongAnswerError(f"the application answers {len(lines)} of {len(found.answer)} windows")
    for place, (line, wanted) in enumerate(zip(lines, _wanted(found, answers, branches), strict=True)):
        near = abs(line.get("score", 9) - wanted["score"]) <= tolerance / (1 << 20) + 1e-9
        if not near or (not tolerance and any(line.get(key) != value for key, value in wanted.items())):
            raise WrongAnswerError(f"to window {place} the application must say {wanted}, it says {dict(line)}")


def _wanted(found: Answered, answers: Answers, branches: int) -> Iterator[dict[str, Any]]:
    for nearest, chosen, score, event in zip(found.nearest, found.answer, found.score, found.event, strict=True):
        size = abs(int(score)) * 1_000_000 // (branches << 20)
        yield {
            "class": "unknown" if chosen == UNKNOWN else answers.names[chosen],
            "score": (size if score >= 0 else -size) / 1e6,
            "nearest": answers.names[nearest],
            "event": bool(event),
        }


# ---- held-out samples ----


def _error(project: Path, held_out: HeldOutClasses) -> str:
    point = read_point(project)
    names, order, count = answers_of(point).names, branch_order(project), len(held_out.labels)
    with tempfile.TemporaryDirectory(prefix="tinysearch-classes-") as name:
        folder = Path(name)
        make = ("make", "-s", "-C", project / "host", f"BUILD={folder}", "CC=gcc", "app")
        built = run_tool(make, timeout_s=BUILD_TIMEOUT_S, folder=folder)
        if not built.passed:
            raise WrongAnswerError(built.reason(timeout_s=BUILD_TIMEOUT_S))
        for branch in order:
            for number, row in enumerate(held_out.inputs[branch]):
                (folder / f"{branch}{number}.inputs").write_bytes(file_bytes(row))
        typed = [f"classify {' '.join(f'{branch}{number}.inputs' for branch in order)}" for number in range(count)]
        lines = _said(folder / "app", folder, typed)
    refused = [line["error"] for line in lines if "error" in line]
    if refused or len(lines) != count:
        raise WrongAnswerError(f"{len(refused)} of {count} held-out samples are refused: {', '.join(refused[:1])}")
    wrong = sum(line["nearest"] != names[label] for line, label in zip(lines, held_out.labels, strict=True))
    error = wrong / count
    exact = all(branch["precision"] != "float32" for branch in point["branches"].values())
    if held_out.error is not None and exact and error != held_out.error:
        raise WrongAnswerError(f"DIFFERS: error {error!r} of the C code for {held_out.error!r} in candidate.json")
    return f"{count} held-out samples classified; error {error:.4%} as in Python"
