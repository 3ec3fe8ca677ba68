"""What a configuration says of the firmware that is written, parsed once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from tinysearch.app.building.datasets import audio_of
from tinysearch.app.building.wiring import Config, build_backend
from tinysearch.app.config.resources import usable_cache
from tinysearch.app.config.tasks import task_of
from tinysearch.core.error_rates import ErrorEvidence
from tinysearch.core.errors import UserError, WritingError
from tinysearch.core.task import Task
from tinysearch.data.preparation import AudioOptions
from tinysearch.firmware.backends import Backend
from tinysearch.firmware.bmi270 import read_program
from tinysearch.firmware.emission import reads_accelerometer
from tinysearch.firmware.identifiers import component_name

Format = Literal["esp_idf", "component", "onnx"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EmitSettings:
    """How firmware is written, whatever it is of.

    Attributes:
        format: a project, a library, or the networks alone as ONNX.
        component: name of the library; None where none is written.
        top: so many points of a front; None for all, ``auto`` for all where branches were trained.
        verify: whether a search builds and checks on the host what it emits.
        bmi270_config: what a BMI270 is loaded with; empty where nothing is given.
        audio: how recordings become images, for branches with a microphone.
        backend: whose kernels run.
        seed: of the weights of what was not trained.
        cache: folder of what is remembered, as configured.
    """

    format: Format
    component: str | None
    top: int | Literal["auto"] | None
    verify: bool
    bmi270_config: bytes
    audio: AudioOptions
    backend: str | Backend
    seed: int
    cache: str | None

    def points_of(self, available: int, *, evidence: ErrorEvidence) -> int:
        """How many points of a front are emitted."""
        if self.top is None or self.top == "auto":
            return available if self.top is None or evidence == "trained" else 0
        return min(self.top, available)

    def kept_objects(self) -> Path | None:
        """Folder of compiled objects in the cache; None where it cannot be written: they are compiled again."""
        try:
            return usable_cache(self.cache) / "objects"
        except WritingError:
            return None


def emit_settings(config: Config) -> EmitSettings:
    """Parse and check what a configuration says of firmware.

    Raises:
        UserError: anything wrong with it, and a BMI270's program that is no program.
    """
    options, task = config["emit"], task_of(config)
    form = _format(options["format"])
    return EmitSettings(
        format=form,
        component=component_name(str(options["name"])) if form == "component" else None,
        top=_top(options["top"]),
        verify=bool(options["verify"]),
        # Runs that were started before there was one have none.
        bmi270_config=_bmi270_config(options.get("bmi270_config"), form=form, task=task),
        audio=audio_of(config),
        backend=build_backend(config),
        seed=config["seed"],
        cache=config["cache"]["dir"],
    )


def built_settings(config: Config, *, of: str) -> EmitSettings:
    """The same, for what is built and checked as soon as it is written.

    Args:
        of: what is emitted, for the message.

    Raises:
        UserError: as :func:`emit_settings`; or ONNX, which is no firmware.
    """
    settings = emit_settings(config)
    if settings.format == "onnx":
        raise UserError(
            f"emit.format of {of} must be esp_idf or component",
            value="onnx",
            remedy="add emit.format=onnx to emit run_dir=DIR id=ID out=DIR when a search is done",
        )
    return settings


def _format(value: object) -> Format:
    for form in get_args(Format):
        if value == form:
            known: Format = form
            return known
    names = ", ".join(get_args(Format))
    raise UserError(f"emit.format must be one of {names}", value=value, remedy="write emit.format=component")


def _top(value: object) -> int | Literal["auto"] | None:
    if value == "auto":
        return "auto"
    if value in ("none", None):
        return 0
    if value == "all":
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise UserError(
            "emit.top must be all, none, auto or a number of points", value=value, remedy="write emit.top=3"
        )
    return value


def _bmi270_config(given: Any, *, form: Format, task: Task) -> bytes:
    if given is None:
        return b""
    felt = any(reads_accelerometer(own.kind) for own in task.inputs)
    if not felt or form != "esp_idf":
        raise UserError(
            "emit.bmi270_config must go into a project (emit.format=esp_idf) of a task with motions or a signal",
            value=f"task={task.name} emit.format={form}",
            remedy="leave emit.bmi270_config out",
        )
    return read_program(Path(str(given)))
