"""Write the ESP-IDF project of one point of a finished run, or of one spelled-out candidate.

  python -m tinysearch emit run_dir=runs/20261122-101500 id=face-22int8-esp32-4mb-1a2b3c4d out=lock
  python -m tinysearch emit modality=face face.blocks=[2,2] face.precision=int8 trainer=none out=lock

The threshold is that of the run's operating point; far=0.05 takes another.

  python -m tinysearch emit network=model.tflite platform.processor=esp32c3 out=DIR

The last one is a network of your own, an int8 .tflite file: a console that runs it, and a host program that runs it on
files.

trainer=none gives seeded random weights, marked untrained everywhere; trainer=torch trains first.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from tinysearch.app.building.branches import branches_of
from tinysearch.app.building.training import build_errors, far_of, recall, train_with_progress
from tinysearch.app.building.wiring import Config, build_models, wish_of
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.app.console import say
from tinysearch.app.invocation import OK, Invocation
from tinysearch.app.networks import asks_for_network
from tinysearch.app.run import run_dir as files
from tinysearch.app.run.firmware import emit_candidate, emit_point
from tinysearch.core.errors import UserError
from tinysearch.core.objectives import ErrorRates
from tinysearch.evaluation.operating import operating_far, rated
from tinysearch.metrics import smallest_far


def run(invocation: Invocation) -> int:
    """Emit one project."""
    invocation.no_words()
    if asks_for_network(invocation.overrides):
        from tinysearch.app.networks import emit as own

        return own.run(invocation)
    config = plain(compose_config(invocation.overrides))
    if config["out"] is None:
        raise UserError("emit must be told where to write", value="out is not set", remedy="add out=DIR")
    out = Path(config["out"])
    levels = far_of(config) if _names_far(invocation.overrides) else None
    of = _of_candidate if config["id"] is None else _of_run
    say(of(config, out, levels=levels))
    return OK


def _names_far(overrides: Iterable[str]) -> bool:
    """Whether the user said which false accept rate to set the threshold for."""
    return any(word.lstrip("+").partition("=")[0] == "far" for word in overrides)


def _of_candidate(config: Config, out: Path, *, levels: Sequence[float] | None) -> Path:
    evaluation = build_models(config).choose(branches_of(config), wish_of(config))
    if not evaluation.feasible:
        broken = "; ".join(violation.message for violation in evaluation.violations)
        raise UserError("a candidate must be feasible to be emitted", value=broken, remedy="choose a larger platform")
    errors = build_errors(config)
    if levels is not None and errors.evidence != "trained":
        raise _no_threshold(levels, errors.evidence)
    train_with_progress(errors, evaluation.candidate.branches)
    rates = errors.error_rates(evaluation.candidate.branches)
    far = operating_far([rates], far_of(config)) if levels is None else _supported(rates, levels)
    return emit_candidate(config, rated(evaluation, rates, far=far), out)


def _no_threshold(levels: Sequence[float], evidence: str) -> UserError:
    return UserError(
        "networks must have been trained here for far to set their threshold",
        value=f"far={list(levels)}, but the evidence of these is {evidence}",
        remedy="add trainer=torch, or leave far out: the threshold is then a placeholder",
    )


def _supported(rates: ErrorRates, levels: Sequence[float]) -> float:
    """The FAR that a user asked for, of several by the rule of the operating point.

    Raises:
        UserError: there are too few impostor pairs for it, or none.
    """
    if rates.evidence != "trained":
        raise _no_threshold(levels, rates.evidence)
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


def _of_run(config: Config, out: Path, *, levels: Sequence[float] | None) -> Path:
    from tinysearch.app.run.finished import candidates_of
    from tinysearch.app.run.setup import set_up

    if config["run_dir"] is None:
        raise UserError("a point must belong to a run", value="run_dir is not set", remedy="add run_dir=DIR")
    folder = Path(config["run_dir"])
    point = files.point_of(files.read_front(folder), config["id"])
    before = files.read_config(folder)
    every = sorted({*far_of(before), *(levels or ())})
    emit = before["emit"] | {key: config["emit"][key] for key in ("format", "name")}
    setup = set_up(before | {"cache": config["cache"], "far": every, "emit": emit})
    candidate = candidates_of(setup, frozenset([config["id"]]))[config["id"]]
    recall(setup.errors, candidate.branches, folder)
    rates = setup.errors.error_rates(candidate.branches)
    if levels is not None:
        far: float | None = _supported(rates, levels)
    elif (chosen := point.get("operating_point")) is not None:
        far = float(chosen["far"])
    else:
        far = operating_far([rates], far_of(before))
    evaluation = setup.evaluate(candidate, rates, far=far)
    return emit_point(setup, evaluation, out)
