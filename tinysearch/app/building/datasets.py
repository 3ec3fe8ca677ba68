"""Data sets from the configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from inspect import signature
from typing import TYPE_CHECKING, Any

from tinysearch.app.building.wiring import Config
from tinysearch.app.config.plugins import plugin, settings_of
from tinysearch.app.config.resources import usable_cache
from tinysearch.app.config.tasks import task_of
from tinysearch.core.errors import UserError
from tinysearch.core.protocols import Dataset, SampleSource
from tinysearch.core.task import Input
from tinysearch.inputs.camera import Camera
from tinysearch.inputs.microphone import Microphone
from tinysearch.inputs.motion import Motion
from tinysearch.inputs.signal import Signal

if TYPE_CHECKING:
    from tinysearch.data.preparation import AudioOptions


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


def build_dataset(config: Config) -> Dataset:
    """The configured data set, decoded arrays remembered in the cache.

    Raises:
        UserError: an option that it needs is missing, or it has no such option.
    """
    from tinysearch.data.completed import completed

    settings = settings_of("datasets", config["data"])
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
    from tinysearch.data.preparation import AudioOptions

    heard = [given.kind for given in task_of(config).inputs if isinstance(given.kind, Microphone)]
    own = dict(settings_of("datasets", config["data"]).get("audio", {}))
    known = {option.name for option in fields(AudioOptions)} - {"clip_s"}
    if strange := sorted(own.keys() - known):
        raise UserError(
            f"data.audio must have no options but {', '.join(sorted(known))}",
            value=", ".join(strange),
            remedy="leave the others out; the length of a clip is the task's clip_s",
        )
    return AudioOptions(clip_s=(heard or [Microphone()])[0].clip_s, **own)
