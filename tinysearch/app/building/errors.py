"""Sources of error rates from the configuration: trainers, tables, repeats of finalists, cascades of what is known."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from tinysearch.app.building.datasets import build_dataset
from tinysearch.app.building.decision import build_judge, decision_of, far_of, fusion_of
from tinysearch.app.building.spaces import combinations_of, table_of
from tinysearch.app.building.wiring import Config
from tinysearch.app.config.plugins import BUILT_IN, make, settings_of
from tinysearch.app.config.resources import usable_cache
from tinysearch.app.config.tasks import task_of
from tinysearch.core.errors import UserError
from tinysearch.core.protocols import Trainer
from tinysearch.core.trust import trusting

if TYPE_CHECKING:
    from tinysearch.evaluation.repeated import RepeatedErrors
    from tinysearch.evaluation.source import ErrorSource
    from tinysearch.evaluation.trained import TrainedErrors

logger = logging.getLogger(__name__)

_NOT_TRAINED = ("table", "published")


def build_trainer(config: Config, *, threads: int | None = None) -> Trainer:
    """The configured trainer."""
    defaults = {"seed": config["seed"]} | ({} if threads is None else {"threads": threads})
    settings = defaults | settings_of("trainers", config["trainer"])
    made: Trainer = make("trainers", config["trainer"]["name"], **settings)
    return made


def build_errors(config: Config, *, threads: int | None = None) -> ErrorSource:
    """The configured source of error rates.

    Raises:
        UserError: an option is wrong, or asks for what this source cannot know.
    """
    name = config["trainer"]["name"]
    if name in _NOT_TRAINED and (fusion_of(config)["rule"] != "concatenation" or decision_of(config) != "verification"):
        raise UserError(
            "other fusions and tasks must be measured on trained branches",
            value=f"trainer={name} with fusion.rule={fusion_of(config)['rule']} and decision {decision_of(config)}",
            remedy="add trainer=torch, or leave them out",
        )
    if name == "none":
        from tinysearch.evaluation.untrained import NoErrors

        return NoErrors()
    if name == "table":
        build_judge(config)  # a table has its rates already, but what is wrong is refused all the same
        return table_of(config)
    if name == "published":
        from tinysearch.evaluation.published import PublishedErrors

        return PublishedErrors(far=far_of(config))
    return _trained_errors(config, threads=threads)


def _trained_errors(config: Config, *, threads: int | None) -> TrainedErrors:
    from tinysearch.evaluation.memo import BranchMemo
    from tinysearch.evaluation.trained import TrainedErrors
    from tinysearch.firmware.integer_network import run

    judge = build_judge(config)
    dataset = build_dataset(config)
    judge.check(dataset)
    missing = [name for name in _wanted(config) if name not in dataset.modalities]
    if missing:
        raise UserError(
            "the data set must have samples of every input that is searched",
            value=f"data={dataset.name} has {', '.join(dataset.modalities)}",
            remedy=f"add space.modalities=[{dataset.modalities[0]}], or choose another data set",
        )
    trainer = build_trainer(config, threads=threads)
    config = {**config, "storage": None}  # it may hold a password, and goes to other processes and machines
    return TrainedErrors(
        memo=BranchMemo(
            root=usable_cache(config["cache"]["dir"]),
            key=f"{dataset.digest[:16]}-{trainer.digest[:16]}{judge.memo_suffix}",
        ),
        make_dataset=partial(trusting(build_dataset), config),
        make_trainer=partial(trusting(build_trainer), config, threads=threads),
        embed=run,
        judge=judge,
    )


def _wanted(config: Config) -> list[str]:
    """Inputs that a search or a spelled-out candidate needs."""
    task = task_of(config)
    chosen = [task.combination(config["modality"])] if config["modality"] else combinations_of(config, task)
    return sorted({name for names in chosen for name in names})


def build_cascade_errors(rules: Sequence[str], errors: ErrorSource) -> ErrorSource | None:
    """Error rates of the same branches as cascades; None where the space has no second rule of fusion.

    Args:
        rules: of the space.

    Raises:
        UserError: other rules than these two.
    """
    from tinysearch.evaluation.trained import TrainedErrors
    from tinysearch.evaluation.verification import Verification

    if rules and set(rules) != {"concatenation", "cascade"}:
        raise UserError(
            "space.fusion_rules must list concatenation and cascade",
            value=list(rules),
            remedy="write space.fusion_rules=[concatenation,cascade], or one rule as fusion.rule",
        )
    if "cascade" not in rules or not isinstance(errors, TrainedErrors):
        return None
    judge = errors.judge
    if not isinstance(judge, Verification) or judge.fusion != "concatenation":
        return None
    return replace(errors, judge=replace(judge, fusion="cascade"))


SEED_STEP = 100_000
"""Between the seeds of a finalist's repeats; far from those of ``trainer.repeats``."""


def build_finalists(config: Config, errors: ErrorSource, *, threads: int | None = None) -> RepeatedErrors | None:
    """The error model that answers finalists by their median repeat; None where nothing is trained again.

    Args:
        errors: the search's own.

    Raises:
        UserError: ``finalists.repeats`` is no positive whole number.
    """
    from tinysearch.evaluation.repeated import RepeatedErrors
    from tinysearch.evaluation.trained import TrainedErrors

    repeats = config.get("finalists", {}).get("repeats", 1)
    if not isinstance(repeats, int) or isinstance(repeats, bool) or repeats < 1:
        raise UserError(
            "finalists.repeats must be a positive whole number", value=repeats, remedy="write finalists.repeats=3"
        )
    if repeats == 1:
        return None
    if not isinstance(errors, TrainedErrors):
        logger.warning("trainer=%s has one figure a branch; finalists are not repeated", config["trainer"]["name"])
        return None
    models = [errors]
    for number in range(1, repeats):
        other = _trained_errors(_with_seed(config, number * SEED_STEP), threads=threads)
        if any(other.memo.key == model.memo.key for model in models):
            # A plug-in whose digest leaves the seed out.
            other = replace(other, memo=replace(other.memo, key=f"{other.memo.key}-{number}"))
        models.append(other)
    return RepeatedErrors(models)


def _with_seed(config: Config, more: int) -> Config:
    seed = config["seed"] if config["trainer"].get("seed") is None else config["trainer"]["seed"]
    trainer = dict(config["trainer"])
    if trainer["name"] in BUILT_IN["trainers"]:
        trainer["seed"] = seed + more
    return {**config, "seed": seed + more, "trainer": trainer}
