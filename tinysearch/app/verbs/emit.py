"""Write the ESP-IDF project of one point of a finished run, or of one spelled-out candidate.

  python -m tinysearch emit run_dir=runs/20261122-101500 id=face-22int8-esp32-4mb-1a2b3c4d out=lock
  python -m tinysearch emit modality=face face.blocks=[2,2] face.precision=int8 trainer=none out=lock

trainer=none gives seeded random weights, marked untrained everywhere; trainer=torch trains first.
"""

from __future__ import annotations

from pathlib import Path

from tinysearch.app import run_dir as files
from tinysearch.app.cli import OK, Invocation
from tinysearch.app.config import compose_config, plain
from tinysearch.app.console import say
from tinysearch.app.firmware import emit_candidate, emit_point
from tinysearch.app.training import build_errors, train_with_progress
from tinysearch.app.wiring import Config, branches_of, build_models, wish_of
from tinysearch.core.errors import UserError
from tinysearch.core.objectives import Evaluation


def run(invocation: Invocation) -> int:
    """Emit one project."""
    invocation.no_words()
    config = plain(compose_config(invocation.overrides))
    if config["out"] is None:
        raise UserError("emit writes into a folder", value="out is not set", remedy="add out=DIR")
    out = Path(config["out"])
    written = _of_run(config, out) if config["id"] is not None else _of_candidate(config, out)
    say(written)
    return OK


def _of_candidate(config: Config, out: Path) -> Path:
    evaluation = build_models(config).choose(branches_of(config), wish_of(config))
    if not evaluation.feasible:
        broken = "; ".join(violation.message for violation in evaluation.violations)
        raise UserError("firmware is emitted for feasible candidates", value=broken, remedy="choose a larger platform")
    train_with_progress(build_errors(config), evaluation.candidate.branches)
    return emit_candidate(config, _with_rates(config, evaluation), out)


def _with_rates(config: Config, evaluation: Evaluation) -> Evaluation:
    from dataclasses import replace

    return replace(evaluation, errors=build_errors(config).error_rates(evaluation.candidate.branches))


def _of_run(config: Config, out: Path) -> Path:
    from tinysearch.app.setup import set_up

    if config["run_dir"] is None:
        raise UserError("a point belongs to a run", value="run_dir is not set", remedy="add run_dir=DIR")
    folder = Path(config["run_dir"])
    known = [point["id"] for point in files.read_front(folder)["points"]]
    if config["id"] not in known:
        raise UserError("id names a point of the run's front", value=config["id"], remedy=f"for example id={known[0]}")
    setup = set_up(files.read_config(folder) | {"cache": config["cache"]})
    table = setup.problem.table
    candidate = next(
        (table.candidate(row) for row in range(len(table)) if table.candidate(row).id == config["id"]), None
    )
    if candidate is None:
        raise UserError(
            "a point is still on sale", value=config["id"], remedy="the catalogue has changed: search again"
        )
    evaluation = setup.evaluate(candidate, setup.errors.error_rates(candidate.branches))
    return emit_point(setup, evaluation, out)
