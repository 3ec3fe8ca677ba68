"""A point of a finished run, emitted again: as a project of its own, or to be compared with one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tinysearch.app.building.decision import far_of
from tinysearch.app.building.training import recall
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.app.run import run_dir as files
from tinysearch.app.run.emit_settings import emit_settings
from tinysearch.app.run.finished import candidates_of
from tinysearch.app.run.firmware import emit_point
from tinysearch.app.run.setup import Setup, set_up
from tinysearch.core.candidate import Candidate
from tinysearch.core.error_rates import ErrorRates
from tinysearch.core.errors import UserError
from tinysearch.core.safe_text import plain_line
from tinysearch.evaluation.operating import operating_far
from tinysearch.firmware.verify.again import Again, NotOfTheRunError
from tinysearch.firmware.verify.facts import read_point
from tinysearch.metrics import smallest_far


def emit_of_run(
    folder: Path,
    identity: object,
    out: Path,
    *,
    cache: Mapping[str, Any],
    emit: Mapping[str, Any],
    levels: Sequence[float] | None = None,
    trains: bool = True,
) -> Path:
    """Write the project of one point of a run.

    Args:
        folder: the run's.
        identity: the point's id.
        out: the project's folder.
        cache, emit: options that are this command's and not the run's.
        levels: false accept rates of which one sets the threshold; None takes the run's operating point.
        trains: train what neither cache nor run remembers.

    Raises:
        UserError: no such run or point, a FAR that its data do not support, or networks that are lost.
    """
    point = files.point_of(files.read_front(folder), identity)
    before = files.read_config(folder)
    every = sorted({*far_of(before), *(levels or ())})
    kept = before["emit"] if emit.get("format") == "esp_idf" else before["emit"] | {"bmi270_config": None}
    own = {"cache": cache, "far": every, "emit": kept | dict(emit), "timeout": None}
    config = before | own
    setup = set_up(config)
    candidate = candidates_of(setup, [point])[str(identity)]
    _remember(setup, candidate, folder, trains=trains)
    rates = setup.rates(candidate)
    if levels is not None:
        far: float | None = supported(rates, levels)
    elif (chosen := point.get("operating_point")) is not None:
        far = float(chosen["far"])
    else:
        far = operating_far([rates], far_of(before))
    return emit_point(setup, emit_settings(config), setup.evaluate(candidate, rates, far=far), out)


def _remember(setup: Setup, candidate: Candidate, folder: Path, *, trains: bool) -> None:
    if not trains:
        for memo in setup.errors.memos:
            for branch in candidate.branches:
                memo.borrow(branch, folder / "models" / branch.key)
        lost = [branch.short for branch in candidate.branches if not setup.errors.knows(branch)]
        if setup.errors.memos and lost:
            raise UserError(
                "a run must have kept its models, or the cache remember them",
                value=f"{folder} without {', '.join(lost)}",
                remedy="bring back its models/, or search again",
            )
    recall(setup.errors, candidate.branches, folder)


def again_source(project: Path, run_dir: Path | None, *, levels: Sequence[float] | None) -> Again | None:
    """What emits the point of a project again into a folder; None where the project belongs to no run.

    Args:
        project: the project's folder.
        run_dir: the run that it comes from; None takes the one that it lies in as ``firmware/<id>``.
        levels: see :func:`emit_of_run`.
    """
    folder = files.run_of(project) if run_dir is None else run_dir
    return None if folder is None else partial(_again, project, folder, levels)


def _again(project: Path, folder: Path, levels: Sequence[float] | None, out: Path) -> Path:
    point = read_point(project)
    identity = str(point.get("id"))
    if identity not in {known["id"] for known in files.read_front(folder)["points"]}:
        raise NotOfTheRunError(f"{plain_line(identity)} is no point of the run {folder}: whose it is cannot be told")
    config = plain(compose_config([]))
    component = point["firmware_facts"].get("component")
    emit = {"format": "esp_idf"} if component is None else {"format": "component", "name": component}
    return emit_of_run(folder, identity, out, cache=config["cache"], emit=emit, levels=levels, trains=False)


def no_threshold(levels: Sequence[float], evidence: str) -> UserError:
    """Why a FAR cannot set the threshold of networks that were not trained here."""
    return UserError(
        "networks must have been trained here for far to set their threshold",
        value=f"far={list(levels)}, but the evidence of these is {evidence}",
        remedy="add trainer=torch, or leave far out: the threshold is then a placeholder",
    )


def supported(rates: ErrorRates, levels: Sequence[float]) -> float:
    """The FAR that a user asked for, of several by the rule of the operating point.

    Raises:
        UserError: there are too few impostor pairs for it, or none.
    """
    if rates.evidence != "trained":
        raise no_threshold(levels, rates.evidence)
    far = operating_far([rates], levels)
    if far is None or far not in rates.thresholds:
        pairs, digits = rates.impostor_validation, 1e6
        least = math.ceil(smallest_far(pairs) * digits) / digits
        raise UserError(
            f"far must be at least 3 divided by the number of impostor pairs of validation people, {pairs} here",
            value=f"far={list(levels)}",
            remedy=f"write far={least:g} or more, or give the validation split more people",
        )
    return far
