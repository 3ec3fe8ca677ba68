"""The rungs of an anomaly task: its application says what Python says, to the last window.

``anomaly`` drives the application with drawn windows that wander off what is normal, and hold still just below and at
the threshold of candidate.json. ``error`` judges the held-out samples by the networks: distances of the C code give the
EER that was measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinysearch.firmware.deciders import normal_of_document
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
from tinysearch.metrics import NormalModel, anomaly_distances
from tinysearch.metrics.rates import det_curve, equal_error_rate
from tinysearch.metrics.windows import Alarmed, Alarms, Int64, alarm

WANDERING, TURNS = 64, 800
"""Windows that wander; embeddings drawn, the closest to the threshold on either side count."""

_FARTHEST = 48.0
"""How far the last drawn embedding is turned off its center, in values of an embedding."""


def drive(project: Path, *, objects: Objects | None = None) -> Rung:
    """Rung ``anomaly``."""
    return climb("anomaly", lambda: _drive(project, objects))


def error_rate(project: Path, source: Source | None) -> Rung:
    """Rung ``error``."""
    return climb_held_out(source, lambda held_out: _error(project, held_out))


def alarms_of(point: Mapping[str, Any]) -> Alarms:
    """How the device raises alarms, as candidate.json states it."""
    stated = point["firmware_facts"]["alarm"]
    return Alarms(threshold=stated["threshold"], smooth=stated["smooth"], hold_off=stated["hold_off"])


def normal_of(point: Mapping[str, Any], order: Sequence[str]) -> dict[str, NormalModel]:
    """What is normal of each branch."""
    return {name: normal_of_document(point["firmware_facts"]["normal"][name]) for name in order}


def _drive(project: Path, objects: Objects | None) -> str:
    point = read_point(project)
    alarms, order = alarms_of(point), branches_of(project, point)
    models = normal_of(point, order)
    floats = frozenset(name for name in order if embeds_floats(point, name))
    embeddings = _windows(models, alarms, floats)
    lines = drawn_windows(project, embeddings, objects)
    distances = _distances(embeddings, models, floats)
    found = alarm(distances, np.zeros(len(distances), np.int32), alarms)
    compare(lines, _wanted(found, alarms))
    kinds = f"{int(found.alarm.sum())} alarms, {int(found.event.sum())} events"
    return f"{len(lines)} drawn windows answered as they must be ({kinds}); smoothing {alarms.smooth}"


def _windows(models: Mapping[str, NormalModel], alarms: Alarms, floats: frozenset[str]) -> Drawn:
    """Windows that wander off what is normal and back, then some that hold still just below and at the threshold."""
    random = np.random.default_rng(0)
    turns = np.linspace(0, _FARTHEST, TURNS) ** 2 / _FARTHEST
    drawn = _turned(random, models, turns, floats)
    distances = _distances(drawn, models, floats)
    reach = 1.5 * turns[int(np.argmax(distances >= alarms.threshold))]  # about two thirds stay below the threshold
    parts = [_turned(random, models, np.tile(np.abs(np.linspace(-1, 1, WANDERING // 4)), 4) * reach, floats)]
    parts += held_still(drawn, distances, alarms.threshold, np.ones(TURNS, np.bool_), windows=alarms.smooth)
    return joined(parts)


def _turned(
    random: np.random.Generator,
    models: Mapping[str, NormalModel],
    turns: npt.NDArray[np.float64],
    floats: frozenset[str],
) -> Drawn:
    """Embeddings so far off a center, which changes from window to window."""
    found = {}
    for name, model in models.items():
        # what becomes a center: the matrix, a power of two apart, undone
        normal = np.linalg.solve(model.matrix.astype(float), model.centers.T * 2.0**model.shift).T
        own = normal[np.arange(len(turns)) % len(normal)]
        rows = own + turns[:, None] * random.normal(0, 1, own.shape)
        scaled = rows * 2.0**-model.exponent if name in floats else rows
        found[name] = np.clip(np.rint(scaled), -128, 127).astype(np.int8)
    return found


def _distances(embeddings: Drawn, models: Mapping[str, NormalModel], floats: frozenset[str]) -> Int64:
    """Sums of the branches' distances, [N]."""
    typed: dict[str, Any] = {
        name: rows.astype(np.float32) if name in floats else rows for name, rows in embeddings.items()
    }
    return anomaly_distances(typed, models)


def _wanted(found: Alarmed, alarms: Alarms) -> Iterator[Line]:
    for distance, raised, event in zip(found.distance, found.alarm, found.event, strict=True):
        yield {
            "anomaly": bool(raised),
            "distance": int(distance),
            "threshold": alarms.threshold,
            "event": bool(event),
        }


def _error(project: Path, held_out: HeldOutSamples) -> str:
    point = read_point(project)
    lines = single_windows(project, "check", branches_of(project, point), held_out)
    distances = np.array([line["distance"] for line in lines], np.int64)
    normal = held_out.labels < (held_out.normal or 0)
    error = equal_error_rate(det_curve(distances[~normal], distances[normal]))
    if held_out.error is not None and is_exact(point) and error != held_out.error:
        raise WrongAnswerError(f"DIFFERS: EER {error!r} of the C code for {held_out.error!r} in candidate.json")
    alarms = f"{int((distances >= alarms_of(point).threshold).sum())} alarms"
    return f"{len(lines)} held-out samples judged ({alarms}); EER {error:.4%} as in Python"
