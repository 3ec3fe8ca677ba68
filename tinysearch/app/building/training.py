"""Error models, data sets and trainers from the configuration, and one progress line while a branch trains."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from functools import partial
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from tinysearch.app.building.spaces import combinations_of, table_of
from tinysearch.app.building.wiring import Config
from tinysearch.app.config.plugins import BUILT_IN, make, plugin
from tinysearch.app.config.resources import usable_cache
from tinysearch.app.config.tasks import task_of
from tinysearch.app.config.values import far_levels
from tinysearch.app.console import error_console
from tinysearch.core.candidate import BranchSpec
from tinysearch.core.errors import UserError
from tinysearch.core.protocols import Dataset, ErrorModel, SampleSource, Trainer, TrainingProgress, TrainingRecord
from tinysearch.core.task import Decision, Input
from tinysearch.core.trust import trusting
from tinysearch.inputs.camera import Camera
from tinysearch.inputs.microphone import Microphone
from tinysearch.inputs.motion import Motion
from tinysearch.inputs.signal import Signal

if TYPE_CHECKING:
    from tinysearch.data.samples import AudioOptions
    from tinysearch.evaluation.judge import Judge
    from tinysearch.evaluation.repeated import RepeatedErrors
    from tinysearch.evaluation.source import ErrorSource
    from tinysearch.evaluation.trained import TrainedErrors

logger = logging.getLogger(__name__)

_NOT_TRAINED = ("table", "published")


def build_dataset(config: Config) -> Dataset:
    """The configured data set, decoded arrays remembered in the cache.

    Raises:
        UserError: an option that it needs is missing, or it has no such option.
    """
    from tinysearch.data.completed import completed

    settings = _settings("datasets", config["data"])
    settings.pop("audio", None)
    name = config["data"]["name"]
    dataset = plugin("datasets", name)
    options = {
        **_given(config),
        "audio": audio_of(config),
        "cache_dir": usable_cache(config["cache"]["dir"]) / "data",
        **settings,
    }
    if missing := [f"data.{option}" for option in _required(dataset) if option not in options]:
        raise UserError(
            f"data={name} must be given {' and '.join(missing)}",
            value="nothing for it",
            remedy=f"add {missing[0]}=.., docs/reference/options.md says what",
        )
    try:
        made: SampleSource = dataset(**options)
    except TypeError as error:
        raise UserError(
            "a data set must be given options that it has", value=f"data={name}: {error}", remedy="leave the others out"
        ) from error
    return completed(made)


_KINDS_OF_DATA: Mapping[str, tuple[type, ...]] = {
    "classes": (Camera, Microphone),
    "door": (Motion,),
    "keywords": (Microphone,),
    "motions": (Motion,),
    "series": (Motion, Signal),
    "vibration": (Signal,),
}
"""Kinds of input that a data set of no particular input is made for, and what a plug-in makes of them; it is given the
task's first input of one."""


def _required(dataset: Callable[..., Any]) -> list[str]:
    """Options without a default."""
    options = signature(dataset).parameters.values()
    return [option.name for option in options if option.kind is option.KEYWORD_ONLY and option.default is option.empty]


def _given(config: Config) -> dict[str, Input]:
    """The input that a data set samples, for those that sample any one.

    Raises:
        UserError: the task has none of its kind.
    """
    name = config["data"]["name"]
    if name not in _KINDS_OF_DATA:
        return {}
    task, kinds = task_of(config), _KINDS_OF_DATA[name]
    for given in task.inputs:
        if isinstance(given.kind, kinds):
            return {"given": given}
    raise UserError(
        f"data={name} must have an input of kind {' or '.join(kind.__name__.lower() for kind in kinds)}",
        value=f"task={task.name} with {', '.join(f'{given.name}: {given.kind.name}' for given in task.inputs)}",
        remedy="choose a task with one, or other data",
    )


def audio_of(config: Config) -> AudioOptions:
    """How recordings become images: clips of the length that the task's microphone records, the rest as configured.

    Raises:
        UserError: an option that recordings do not have.
    """
    from tinysearch.data.samples import AudioOptions

    heard = [given.kind for given in task_of(config).inputs if isinstance(given.kind, Microphone)]
    own = dict(_settings("datasets", config["data"]).get("audio", {}))
    known = {option.name for option in fields(AudioOptions)} - {"clip_s"}
    if strange := sorted(own.keys() - known):
        raise UserError(
            f"data.audio must have no options but {', '.join(sorted(known))}",
            value=", ".join(strange),
            remedy="leave the others out; the length of a clip is the task's clip_s",
        )
    return AudioOptions(clip_s=(heard or [Microphone()])[0].clip_s, **own)


def _settings(kind: str, group: Mapping[str, Any]) -> dict[str, Any]:
    """Keyword arguments of a configured object: the options of its group; of a plug-in only what ``settings`` says."""
    if group["name"] not in BUILT_IN[kind]:
        return dict(group.get("settings", {}))
    return {name: value for name, value in group.items() if name not in ("name", "settings") and value is not None}


def build_trainer(config: Config, *, threads: int | None = None) -> Trainer:
    """The configured trainer."""
    defaults = {"seed": config["seed"]} | ({} if threads is None else {"threads": threads})
    settings = defaults | _settings("trainers", config["trainer"])
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


def recall(errors: ErrorSource, branches: Sequence[BranchSpec], run_dir: Path) -> None:
    """Know branches of a run: remembered in the cache, else kept with the run, else trained again."""
    for memo in errors.memos:
        for branch in branches:
            memo.borrow(branch, run_dir / "models" / branch.key)
    if errors.needs_training:
        train_with_progress(errors, [branch for branch in branches if not errors.knows(branch)])


def borrow_kept(errors: ErrorModel, branches: Sequence[BranchSpec], run_dir: Path) -> None:
    """Before a run goes on: know branches that it keeps and the cache has lost."""
    from tinysearch.evaluation.trained import TrainedErrors

    models = run_dir / "models"
    if isinstance(errors, TrainedErrors) and models.is_dir():
        kept = {path.name for path in models.iterdir()}
        for branch in branches:
            if branch.key in kept:
                errors.memo.borrow(branch, models / branch.key)


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


def far_of(config: Config) -> tuple[float, ...]:
    """The false accept rates at which false reject rates are told.

    Raises:
        UserError: none, or not all are fractions between 0 and 1.
    """
    return far_levels(config["far"])


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


def _wanted(config: Config) -> list[str]:
    """Inputs that a search or a spelled-out candidate needs."""
    task = task_of(config)
    chosen = [task.combination(config["modality"])] if config["modality"] else combinations_of(config, task)
    return sorted({name for names in chosen for name in names})


def train_with_progress(errors: ErrorModel, branches: Iterable[BranchSpec]) -> list[TrainingRecord]:
    """Make branches known, with a progress bar each on a terminal."""
    console = error_console()
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[phase]}"), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        return [_train(errors, branch, bars) for branch in branches]


def _train(errors: ErrorModel, branch: BranchSpec, bars: Progress) -> TrainingRecord:
    bar: TaskID = bars.add_task(branch.short, total=1.0, phase="")

    known: dict[str, float] = {}

    def show(tick: TrainingProgress) -> None:
        if tick.eer_validation is not None:
            known["error"] = tick.eer_validation
        loss = "" if tick.loss is None else f" loss {tick.loss:.2f}"
        error = f" error {known['error']:.1%}" if known else ""
        bars.update(bar, completed=tick.fraction, phase=f"{tick.phase}{loss}{error}")

    return errors.train(branch, progress=show)
