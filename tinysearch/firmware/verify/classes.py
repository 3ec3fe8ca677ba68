"""The rungs of a classification: its application says what Python says, to the last window.

``classify`` drives the project's ``main/`` with stand-ins for its networks (``make -C host scripted``): an embedding is
the first bytes of an input, so that windows can be drawn which lie about the prototypes and thresholds of
candidate.json. A threshold, a prototype, smoothing or hold-off that was changed answers otherwise than it must.

``error`` classifies the held-out samples with the networks: the error of the C code is the one that was measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinysearch.firmware.verify.facts import embeds_floats, read_point
from tinysearch.firmware.verify.objects import Objects
from tinysearch.firmware.verify.rung import Rung, WrongAnswerError
from tinysearch.firmware.verify.streamed import (
    Drawn,
    HeldOutSamples,
    Line,
    Source,
    branches_of,
    climb,
    climb_held_out,
    compare,
    drawn_windows,
    held_still,
    is_exact,
    joined,
    single_windows,
)
from tinysearch.metrics import class_scores
from tinysearch.metrics.scores import Embeddings
from tinysearch.metrics.windows import UNKNOWN, Answered, Answers, answer

SAME, NEAR = 1e-9, 32 / (1 << 20)
"""How far a printed score may be from the one that it must be: of integer networks, and of float ones."""

WANDERING, TURNS, MOST_PROBED = 48, 400, 16
"""Windows that wander between classes; embeddings drawn a class, the closest to its threshold count; classes probed."""


def drive(project: Path, *, objects: Objects | None = None) -> Rung:
    """Rung ``classify``."""
    return climb("classify", lambda: _drive(project, objects))


def error_rate(project: Path, source: Source | None) -> Rung:
    """Rung ``error``."""
    return climb_held_out(source, lambda held_out: _error(project, held_out))


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
    rows = point["firmware_facts"]["prototypes"][name]
    return np.array(rows, np.float32) if embeds_floats(point, name) else np.array(rows, np.int8)


# ---- drawn windows ----


def _drive(project: Path, objects: Objects | None) -> str:
    point = read_point(project)
    answers, order = answers_of(point), branches_of(project, point)
    prototypes = {name: prototypes_of(point, name) for name in order}
    embeddings = _windows(prototypes, answers)
    lines = drawn_windows(project, embeddings, objects)
    scores = _scores(embeddings, prototypes)
    found = answer(scores, np.zeros(len(scores), np.int32), answers)
    compare(lines, _wanted(found, answers, len(order)), agree=_exactly if is_exact(point) else _nearly)
    events = int(found.event.sum())
    kinds = f"{int((found.answer != UNKNOWN).sum())} answers, {events} events"
    return f"{len(scores)} drawn windows answered as they must be ({kinds}); smoothing {answers.smooth}"


def _windows(prototypes: Mapping[str, Embeddings], answers: Answers) -> Drawn:
    """Windows that wander from class to class, then some that hold still just above and below each threshold."""
    random = np.random.default_rng(0)
    count = len(answers.names)
    labels = np.repeat(random.permutation(np.arange(WANDERING) % count), 3)[:WANDERING]
    parts = [_turned(random, prototypes, labels, np.tile(np.linspace(0, 2, 16), 3))]
    for label in range(min(count, MOST_PROBED)):
        drawn = _turned(random, prototypes, np.full(TURNS, label), np.linspace(0, 6, TURNS))
        scores = _scores(drawn, prototypes)
        nearest = scores.argmax(axis=1) == label
        parts += held_still(drawn, scores[:, label], answers.thresholds[label], nearest, windows=answers.smooth)
    return joined(parts)


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
    each = []
    for name, rows in embeddings.items():
        floats = prototypes[name].dtype == np.float32
        each.append(class_scores(rows.astype(np.float32) if floats else rows.astype(np.int8), prototypes[name]))
    return np.asarray(np.sum(each, axis=0), np.int64)


def _exactly(line: Line, wanted: Line) -> bool:
    return abs(line.get("score", 9) - wanted["score"]) <= SAME and all(
        line.get(key) == value for key, value in wanted.items() if key != "score"
    )


def _nearly(line: Line, wanted: Line) -> bool:
    """Whether the scores of float networks agree; what follows from them may not."""
    return bool(abs(line.get("score", 9) - wanted["score"]) <= NEAR)


def _wanted(found: Answered, answers: Answers, branches: int) -> Iterator[Line]:
    for nearest, chosen, score, event in zip(found.nearest, found.answer, found.score, found.event, strict=True):
        size = abs(int(score)) * 1_000_000 // (branches << 20)
        yield {
            "class": "unknown" if chosen == UNKNOWN else answers.names[chosen],
            "score": (size if score >= 0 else -size) / 1e6,
            "nearest": answers.names[nearest],
            "event": bool(event),
        }


# ---- held-out samples ----


def _error(project: Path, held_out: HeldOutSamples) -> str:
    point = read_point(project)
    names, count = answers_of(point).names, len(held_out.labels)
    lines = single_windows(project, "classify", branches_of(project, point), held_out)
    wrong = sum(line["nearest"] != names[label] for line, label in zip(lines, held_out.labels, strict=True))
    error = wrong / count
    if held_out.error is not None and is_exact(point) and error != held_out.error:
        raise WrongAnswerError(f"DIFFERS: error {error!r} of the C code for {held_out.error!r} in candidate.json")
    return f"{count} held-out samples classified; error {error:.4%} as in Python"
