"""One candidate through the analytic models.

Parameters, MACs, flash, RAM, board, price, latency, energy, and every rule that it breaks: as a table on a terminal,
as JSON in a pipe, a file or with --json. A platform value that is left out takes the cheapest that fits. Naming a
trainer (trainer=torch, trainer=table trainer.path=FILE.csv) asks for error rates too.

  python -m tinysearch evaluate modality=voice voice.blocks=[1,1] voice.precision=xnor2/1
  python -m tinysearch evaluate experiment=paper modality=face face.blocks=[2,2] face.precision=int8 catalog=paper2023
  python -m tinysearch evaluate modality=voice voice.blocks=[2,2] voice.precision=int8 platform.processor=esp32c3 --json

A network of your own (.tflite, .onnx, .pt2): what became of every operator, arena, flash, latency, energy and price.

  python -m tinysearch evaluate network=model.tflite platform.processor=esp32c3
"""

from __future__ import annotations

import json
import sys

from tinysearch.app.building.branches import branches_of
from tinysearch.app.building.wiring import build_models, executions_of, wish_of
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.app.console import SafeConsole, say
from tinysearch.app.invocation import OK, Invocation
from tinysearch.app.networks import asks_for_network
from tinysearch.core.evaluation import Evaluation
from tinysearch.evaluation.operating import operating_far, rated


def run(invocation: Invocation) -> int:
    """Print one evaluation."""
    invocation.no_words()
    if asks_for_network(invocation.overrides):
        from tinysearch.app.networks import evaluate as own

        return own.run(invocation)
    document = evaluate(invocation.overrides).to_dict()
    if invocation.json or not sys.stdout.isatty():
        say(json.dumps(document, indent=2))
    else:
        from tinysearch.app.terminal import point_table

        SafeConsole().print(point_table(document))
    return OK


def evaluate(overrides: tuple[str, ...] | list[str]) -> Evaluation:
    """The evaluation that override words ask for."""
    config = plain(compose_config(overrides))
    models = build_models(config)
    evaluation = models.choose(branches_of(config), wish_of(config), executions=executions_of(config))
    if not any(word.startswith("trainer") for word in overrides):
        return evaluation
    from tinysearch.app.building.decision import far_of
    from tinysearch.app.building.errors import build_errors
    from tinysearch.app.building.training import train_with_progress

    errors = build_errors(config)
    train_with_progress(errors, evaluation.candidate.branches)
    rates = errors.error_rates(evaluation.candidate.branches)
    return rated(evaluation, rates, far=operating_far([rates], far_of(config)), limits=models.limits)
