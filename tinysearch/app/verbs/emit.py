"""Write the ESP-IDF project of one point of a finished run, or of one spelled-out candidate.

  python -m tinysearch emit run_dir=runs/20261122-101500 id=face-22int8-esp32-4mb-1a2b3c4d out=lock
  python -m tinysearch emit modality=face face.blocks=[2,2] face.precision=int8 trainer=none out=lock

The threshold is that of the run's operating point; far=0.05 takes another.

  python -m tinysearch emit network=model.tflite platform.processor=esp32c3 out=DIR

The last one is a network of your own (.tflite, .onnx, .pt2): a console that runs it, and a host program that runs it on
files.

trainer=none gives seeded random weights, marked untrained everywhere; trainer=torch trains first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from tinysearch.app.building.branches import branches_of
from tinysearch.app.building.decision import far_of
from tinysearch.app.building.errors import build_errors
from tinysearch.app.building.training import train_with_progress
from tinysearch.app.building.wiring import Config, build_models, executions_of, wish_of
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.app.console import say
from tinysearch.app.invocation import OK, Invocation
from tinysearch.app.networks import asks_for_network
from tinysearch.app.run.firmware import emit_candidate
from tinysearch.core.errors import UserError
from tinysearch.evaluation.operating import operating_far, rated


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
    from tinysearch.app.run.again import no_threshold, supported

    evaluation = build_models(config).choose(branches_of(config), wish_of(config), executions=executions_of(config))
    if not evaluation.feasible:
        broken = "; ".join(violation.message for violation in evaluation.violations)
        raise UserError("a candidate must be feasible to be emitted", value=broken, remedy="choose a larger platform")
    errors = build_errors(config)
    if levels is not None and errors.evidence != "trained":
        raise no_threshold(levels, errors.evidence)
    train_with_progress(errors, evaluation.candidate.branches)
    rates = errors.error_rates(evaluation.candidate.branches)
    far = operating_far([rates], far_of(config)) if levels is None else supported(rates, levels)
    return emit_candidate(config, rated(evaluation, rates, far=far), out)


def _of_run(config: Config, out: Path, *, levels: Sequence[float] | None) -> Path:
    from tinysearch.app.run.again import emit_of_run

    if config["run_dir"] is None:
        raise UserError("a point must belong to a run", value="run_dir is not set", remedy="add run_dir=DIR")
    own = {key: config["emit"][key] for key in ("format", "name")}
    if config["emit"]["bmi270_config"] is not None:
        own["bmi270_config"] = config["emit"]["bmi270_config"]
    return emit_of_run(Path(config["run_dir"]), config["id"], out, cache=config["cache"], emit=own, levels=levels)
