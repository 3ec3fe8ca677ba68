"""What a configuration says of a search itself, parsed once: nothing behind it looks into the configuration again.

Models, spaces and data have their builders in :mod:`tinysearch.app.building`, which read their own sections.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tinysearch.app.building.decision import decision_of, far_of, fusion_of
from tinysearch.app.building.wiring import Config
from tinysearch.app.config.plugins import built_in, own_words, plugin
from tinysearch.app.config.resources import cache_dir, processors
from tinysearch.core.errors import UserError
from tinysearch.core.objectives import ERROR_OBJECTIVES, FAR_OF_OBJECTIVE, check_objectives
from tinysearch.core.units import parse_duration
from tinysearch.search.engines import check_engine
from tinysearch.search.proposals import SamplerFactory
from tinysearch.search.study.shared import SharedStudy


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplerSettings:
    """Which sampler searches.

    Attributes:
        name: as it is configured.
        factory: of one that is none of ours; None for ours.
        options: its keyword arguments.
    """

    name: str
    factory: SamplerFactory | None
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSettings:
    """A search, apart from what it searches in.

    Attributes:
        objectives: those that can be had.
        dropped: whether others were asked for, which need error rates that there are none of.
        trainer: where error rates come from.
        trains: whether they are measured on networks that are trained here.
        n_trials, n_trainings: of the whole study; None for no limit.
        training_time: seconds that the run may train; "auto" where that follows from what was asked before; None for no
            limit.
        timeout: of the run as it is spelled, for messages; None for no limit.
        timeout_s: the same in seconds, infinite for no limit.
        seed: of all that is drawn.
        engine: where trainings run; ``engine_options`` are its keyword arguments.
        n_workers: trainings at a time.
        threads: of one training; None for all that there are.
        shared: the study in a database, if it lies in one.
        sampler: which sampler searches.
        warm_start: runs and tables as configured; :mod:`tinysearch.app.run.warm_start` reads them.
        cache: folder of what is remembered.
        rules: what a resumed run may not change, as far as the configuration alone says it.
    """

    objectives: tuple[str, ...]
    dropped: bool
    trainer: str
    trains: bool
    n_trials: int | None
    n_trainings: int | None
    training_time: float | Literal["auto"] | None
    timeout: str | None
    timeout_s: float
    seed: int
    engine: str
    engine_options: Mapping[str, Any]
    n_workers: int
    threads: int | None
    shared: SharedStudy | None
    sampler: SamplerSettings
    warm_start: Any
    cache: Path
    rules: Mapping[str, str]


def search_settings(config: Config) -> SearchSettings:
    """Parse and check what a configuration says of its search.

    Raises:
        UserError: anything wrong with it.
    """
    objectives = objectives_of(config)
    _check_task(config, objectives)
    _check_far(config, objectives)
    n_workers, timeout, engine = workers_of(config), config["timeout"], config["engine"]
    check_engine(engine)
    return SearchSettings(
        objectives=objectives,
        dropped=len(objectives) < len(config["objectives"]["names"]),
        trainer=str(config["trainer"]["name"]),
        trains=trains(config),
        n_trials=_count(config, "n_trials"),
        n_trainings=_count(config, "n_trainings"),
        training_time=_training_time(config["training_time"]),
        timeout=timeout,
        timeout_s=math.inf if timeout is None else parse_duration(timeout),
        seed=config["seed"],
        engine=engine,
        engine_options=config["ray"] if engine == "ray" else {},
        n_workers=n_workers,
        threads=_threads(config, n_workers),
        shared=_shared(config),
        sampler=_sampler(config["sampler"]),
        warm_start=config.get("warm_start"),
        cache=cache_dir(config["cache"]["dir"]),
        rules=_rules(config),
    )


def objectives_of(config: Config) -> tuple[str, ...]:
    """The objectives that a search can have: without a trainer those that need error rates fall away."""
    names = check_objectives(config["objectives"]["names"])
    if config["trainer"]["name"] != "none":
        return names
    return check_objectives([name for name in names if name not in ERROR_OBJECTIVES])


def trains(config: Config) -> bool:
    """Whether error rates are measured on networks that are trained here."""
    return config["trainer"]["name"] not in own_words("trainers")


def workers_of(config: Config) -> int:
    """How many trainings run at once: as configured, or one a processor for trainings, one for everything else.

    Raises:
        UserError: not a positive whole number.
    """
    wanted = config["n_workers"]
    if wanted == "auto":
        return processors() if trains(config) else 1
    if not isinstance(wanted, int) or wanted < 1:
        raise UserError("n_workers must be auto or a positive whole number", value=wanted, remedy="write n_workers=2")
    return wanted


def digest_of(value: object) -> str:
    """Digest of a value made of plain ones (16 hex digits)."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:16]


def file_digest(path: str | None) -> str:
    """Digest of a file's bytes (16 hex digits), or ``none``."""
    return "none" if path is None else hashlib.sha256(Path(path).read_bytes()).hexdigest()[:16]


def _check_task(config: Config, objectives: Sequence[str]) -> None:
    """Refuse objectives that a classification cannot have: it accepts and rejects nobody."""
    retried = [name for name in objectives if name in ERROR_OBJECTIVES and name != "eer"]
    if decision_of(config) != "verification" and retried:
        raise UserError(
            "an effective latency must be that of a verification",
            value=f"{retried[0]} with task={config['task']['name']}",
            remedy="write objectives=[eer,bom_cost_usd,latency_s]",
        )


def _check_far(config: Config, objectives: Sequence[str]) -> None:
    """Refuse objectives at a false accept rate for which no threshold is set."""
    if not trains(config):
        return
    for name in objectives:
        far = FAR_OF_OBJECTIVE.get(name)
        if far is not None and far not in far_of(config):
            raise UserError(
                f"far must list the rate that objective {name} needs, {far:g}",
                value=f"far={config['far']}",
                remedy="add it to far",
            )


def _count(config: Config, name: str) -> int | None:
    value = config[name]
    if value is not None and (not isinstance(value, int) or value < 1):
        raise UserError(f"{name} must be a positive whole number", value=value, remedy=f"write {name}=40")
    return value


def _training_time(value: Any) -> float | Literal["auto"] | None:
    if value == "auto":
        return "auto"
    return None if value is None else parse_duration(value)


def _threads(config: Config, n_workers: int) -> int | None:
    """Threads of one training: Ray's share of processors, one where others train beside it, else all (None)."""
    if config["engine"] == "ray":
        cpus = config["ray"]["num_cpus"]
        return max(1, int(cpus)) if isinstance(cpus, int | float) else None
    return 1 if n_workers > 1 else None


def _shared(config: Config) -> SharedStudy | None:
    """The study in a database, if one is configured."""
    if config["storage"] is None:
        return None
    return SharedStudy(
        url=str(config["storage"]), name=str(config["study"]), expire_s=parse_duration(config["claims_expire"])
    )


def _sampler(given: Mapping[str, Any]) -> SamplerSettings:
    name, settings = str(given["name"]), given.get("settings", {})
    if built_in("samplers", name):
        options = {key: value for key, value in given.items() if key != "name" and (key, value) != ("settings", {})}
        return SamplerSettings(name=name, factory=None, options=options)
    factory = plugin("samplers", name)
    if not isinstance(settings, dict):
        raise UserError(
            "sampler.settings must be options by name", value=settings, remedy="write sampler.settings.NAME=VALUE"
        )
    return SamplerSettings(name=name, factory=factory, options=settings)


def _rules(config: Config) -> dict[str, str]:
    """Short settings as they are spelled, everything else as a digest."""
    latency, battery = config["latency"], config.get("battery", {})
    if latency["table"] is not None:  # by what it holds, wherever it lies
        latency = {**latency, "table": file_digest(latency["table"])}
    rules = {name: str(config[name]) for name in ("price_level", "build", "quantity", "flash", "memory")} | {
        "task": digest_of(config["task"]),
        "latency": digest_of(latency),
        "backend": str(config["firmware"]["backend"]),
        "backend settings": digest_of(config["firmware"]["settings"]),
        "trainer": str(config["trainer"]["name"]),
        "fusion": digest_of(fusion_of(config)),
    }
    if battery.get("part") is None:  # a rule that came later: only where it is used, so that earlier runs go on
        return rules
    return rules | {"battery": f"{battery['part']}{', in the bill' if battery.get('in_bill') else ''}"}
