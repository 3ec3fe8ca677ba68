"""What a task decides and how its error is measured, from the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tinysearch.app.building.spaces import combinations_of
from tinysearch.app.building.wiring import Config
from tinysearch.app.config.tasks import task_of
from tinysearch.app.config.values import far_levels
from tinysearch.core.errors import UserError
from tinysearch.core.task import Decision, rate_called

if TYPE_CHECKING:
    from tinysearch.evaluation.judge import Judge


def build_judge(config: Config) -> Judge:
    """How the task of a configuration measures error.

    Raises:
        UserError: an unknown error or fusion, weights that are none, or objectives that the task cannot give.
    """
    from tinysearch.evaluation.judges import judge_of
    from tinysearch.metrics import FUSION_RULES, integer_weights

    fusion = fusion_of(config)
    rule, shares, first = fusion["rule"], fusion["weights"], fusion.get("first")
    if rule not in FUSION_RULES:
        raise UserError(
            f"fusion.rule must be one of {', '.join(FUSION_RULES)}",
            value=rule,
            remedy="write fusion.rule=concatenation",
        )
    try:
        if shares or rule == "weighted":
            integer_weights({modality: float(share) for modality, share in shares.items()})
    except (TypeError, ValueError, AttributeError) as error:
        raise UserError(
            "fusion.weights must be numbers from 0, not all zero", value=shares, remedy="write fusion.weights.face=2"
        ) from error
    if rule == "cascade" or first is not None:
        _check_cascade(config, rule, first)
    return judge_of(
        decision_of(config),
        far=far_of(config),
        fusion=rule,
        shares=shares if rule == "weighted" else {},
        stream=task_of(config).stream,
        first=first,
    )


def _check_cascade(config: Config, rule: str, first: object) -> None:
    """Refuse a cascade of other than two branches, and a first branch of no cascade.

    Raises:
        UserError: it is one.
    """
    combinations = combinations_of(config, task_of(config))
    if any(len(names) > 2 for names in combinations):
        raise UserError(
            "a cascade must be of two branches",
            value=" and ".join("+".join(names) for names in combinations if len(names) > 2),
            remedy="name two inputs in space.modalities, or another fusion.rule",
        )
    if first is None:
        return
    if rule != "cascade":
        raise UserError(
            "fusion.first must come with fusion.rule=cascade", value=f"fusion.rule={rule}", remedy="leave it out"
        )
    if any(first not in names for names in combinations if len(names) == 2):
        raise UserError(
            "fusion.first must be an input of every fusion",
            value=first,
            remedy=f"choose one of {', '.join(task_of(config).names)}",
        )


def fusion_of(config: Config) -> Mapping[str, Any]:
    """The options of fusion; runs that were started before there was a choice concatenate."""
    given = dict(config.get("fusion", {"rule": "concatenation", "weights": {}}))
    return {name: value for name, value in given.items() if name != "first" or value is not None}


def decision_of(config: Config) -> Decision:
    """What the task decides."""
    return task_of(config).decision


def rate_of(config: Config) -> str:
    """What people call the error rate of the task: ``EER``, of a classification ``error``."""
    return rate_called([decision_of(config)])


def far_of(config: Config) -> tuple[float, ...]:
    """The false accept rates at which false reject rates are told.

    Raises:
        UserError: none, or not all are fractions between 0 and 1.
    """
    return far_levels(config["far"])
