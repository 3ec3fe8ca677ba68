"""From the configuration's task to :class:`~tinysearch.core.task.Task`, refusing what no device could be asked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from tinysearch.app.config.own_options import OWN, option_place
from tinysearch.app.config.plugins import plugin
from tinysearch.app.config.resources import data_dir
from tinysearch.architectures import built_in
from tinysearch.architectures.family import parameter_names
from tinysearch.core.errors import UserError, did_you_mean
from tinysearch.core.schedule import parse_schedule
from tinysearch.core.task import DECISIONS, FUSION, Decision, Input, Stream, Task
from tinysearch.files import home_path
from tinysearch.inputs.kind import make_kind, setting_names
from tinysearch.reading import read_yaml

_OF_TASKS = ("architecture", "precision", "input_size", "channels")
OF_EVERY_BRANCH = (*_OF_TASKS, "frames")
"""What may be said of every branch beside the parameters of its family; a task has clip_s in the place of frames."""

_DEFAULTS: Mapping[str, object] = {"decision": "verification", "combinations": None, "schedule": "always", "stream": {}}
_NAME = re.compile(r"^[a-z][a-z0-9]{0,23}$")
_EXAMPLE = "write for example inputs: {face: {kind: camera}}"


class _OnceEach(yaml.SafeLoader):
    """Refuses a key that stands twice in one mapping, of which YAML would keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        """A mapping whose keys differ."""
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for place, key in enumerate(keys):
            if key in keys[:place]:
                raise yaml.YAMLError(
                    f"{key} stands twice, the second time in line {node.value[place][0].start_mark.line + 1}"
                )
        return super().construct_mapping(node, deep)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnTask:
    """Words in which ``task=FILE.yaml`` has a name that Hydra finds.

    Attributes:
        places: where it finds it; none where no file is named.
        base: the task of ours that the file takes what it leaves out from; empty where its name is none of ours.
    """

    words: list[str]
    places: list[str]
    base: str = ""


def own_task(words: Sequence[str], *, known: Sequence[str]) -> OwnTask:
    """Find the task among words that stands in a file.

    Args:
        words: overrides as typed.
        known: names that are no files.

    Raises:
        UserError: a file that is no task.
    """
    places, out, base = [], [], ""
    for word in words:
        name = word.removeprefix("task=").strip("\"'") if word.startswith("task=") else ""
        path = home_path(name)
        if name and name not in known and (path.suffix in (".yaml", ".yml") or path.is_file()):
            document = _read(path)
            base = str(document.get("name")) if document.get("name") in known else ""
            if base:
                document = _completed(document, _ours(base))
            places = [option_place("task", _text(document, path))]
            out.append(f"task={OWN}")
        else:
            out.append(word)
    return OwnTask(words=out, places=places, base=base)


def _ours(name: str) -> dict[str, Any]:
    """What stands in the file of a task that ships with the package."""
    document = read_yaml(data_dir("conf") / "task" / f"{name}.yaml", loader=_OnceEach)
    assert isinstance(document, dict)  # noqa: S101 - all of ours are
    return document


def _completed(document: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    """A task with what it leaves out of the one that it is named after.

    Inputs that are given are all that there are, each with what it leaves out of the input of its name. Combinations
    of other inputs than the base's are not the base's.
    """
    inputs, ours = document.get("inputs", base["inputs"]), base["inputs"]
    if isinstance(inputs, Mapping):
        inputs = {
            name: {**ours.get(name, {}), **given} if isinstance(given, Mapping) else given
            for name, given in inputs.items()
        }
        if set(inputs) != set(ours):
            base = {**base, "combinations": None}
    return {**base, **document, "inputs": inputs}


def _read(path: Path) -> dict[str, Any]:
    """What stands in a task's file."""
    try:
        document = read_yaml(path, loader=_OnceEach)
    except OSError as error:
        raise UserError(
            "a task must be a readable YAML file", value=f"{path}: {error.strerror}", remedy="check the file"
        ) from None
    keys = ("name", "inputs", *_DEFAULTS)
    if not isinstance(document, dict) or not set(document) <= set(keys):
        extra = sorted(map(str, set(document) - set(keys))) if isinstance(document, dict) else document
        raise UserError(f"a task must have keys out of {', '.join(keys)}", value=f"{path}: {extra}", remedy=_EXAMPLE)
    return document


def _text(document: Mapping[str, Any], path: Path) -> str:
    """A task's file with all of its keys, as Hydra reads it."""
    try:
        _inputs(document.get("inputs"))
    except UserError as error:
        raise UserError(error.rule, value=f"{path}: {error.value}", remedy=error.remedy) from error
    return yaml.safe_dump({"name": path.stem, **_DEFAULTS, **document}, sort_keys=False, allow_unicode=True)


def task_of(config: Mapping[str, Any]) -> Task:
    """The task of a composed configuration.

    Raises:
        UserError: no input, a name that cannot be a C identifier, an unknown kind, setting, decision, schedule or
            member of a combination.
    """
    given = config["task"]
    inputs = _inputs(given.get("inputs"))
    decision = given.get("decision", "verification")
    if decision not in DECISIONS:
        raise UserError(
            f"a task's decision must be one of {', '.join(DECISIONS)}",
            value=decision,
            remedy="write decision: verification",
        )
    chosen: Decision = decision
    alone = Task(name=str(given["name"]), decision=chosen, inputs=inputs, combinations=())
    return Task(
        name=alone.name,
        decision=chosen,
        inputs=inputs,
        combinations=_combinations(given.get("combinations"), alone),
        schedule=parse_schedule(given.get("schedule", "always")),
        stream=_stream(given.get("stream") or {}),
    )


def _stream(given: object) -> Stream:
    known = tuple(item.name for item in fields(Stream))
    if not isinstance(given, Mapping) or not set(given) <= set(known):
        raise UserError(
            f"a task's stream must have keys out of {', '.join(known)}", value=given, remedy="write stream: {smooth: 3}"
        )
    return Stream(**given)


def _inputs(given: object) -> tuple[Input, ...]:
    if not isinstance(given, Mapping) or not given:
        raise UserError("a task must have at least one input", value=given or "none", remedy=_EXAMPLE)
    for name, settings in given.items():
        if not isinstance(name, str) or not _NAME.match(name) or name == FUSION:
            raise UserError(
                "an input's name must be a lower-case letter, then letters and digits, at most 24, and not fusion",
                value=name,
                remedy=_EXAMPLE,
            )
        if not isinstance(settings, Mapping) or not settings.get("kind"):
            raise UserError("an input must have a kind", value=f"{name}: {settings}", remedy=_EXAMPLE)
    return tuple(_input(name, given[name]) for name in sorted(given))


def _input(name: str, given: Mapping[str, Any]) -> Input:
    kind = str(given["kind"])
    try:
        return _checked_input(name, kind, given)
    except UserError as error:
        raise UserError(error.rule, value=f"{name}: {error.value}", remedy=error.remedy) from error


def _checked_input(name: str, kind: str, given: Mapping[str, Any]) -> Input:
    own = setting_names(kind)
    settings = {key: given[key] for key in own if given.get(key) is not None}
    defaults = {key: value for key, value in given.items() if key not in own and key != "kind" and value is not None}
    known = _defaults_of_branches(defaults.get("architecture"))
    unknown = [key for key in defaults if known and key not in known]
    if unknown:
        raise UserError(
            f"an input of kind {kind} must be described by {', '.join([*own, *known])}",
            value=unknown[0],
            remedy=did_you_mean(unknown[0], [*own, *known], otherwise="leave it out"),
        )
    return Input(name=name, kind=make_kind(kind, settings), defaults=defaults)


def _defaults_of_branches(family: object) -> tuple[str, ...]:
    """What a task may say of an input's branches: parameters of any family; empty where an architecture is not ours."""
    families = built_in()
    if family is not None and family not in families:
        return ()
    named = {name for known in families for name in parameter_names(plugin("architectures", known))}
    return (*_OF_TASKS, *sorted(named))


def _combinations(given: object, task: Task) -> tuple[tuple[str, ...], ...]:
    """As listed; null: each input alone, and all of them together."""
    if given is None:
        alone = [(name,) for name in task.names]
        return (*alone, task.names) if len(alone) > 1 else tuple(alone)
    if not isinstance(given, Sequence) or isinstance(given, str) or not given:
        raise UserError(
            "combinations must be a list of lists of inputs",
            value=given,
            remedy=f"write for example combinations: [[{task.names[0]}]], or leave it out",
        )
    found = [combination_of(names, task) for names in given]
    if len(set(found)) != len(found):
        raise UserError("combinations must differ", value=given, remedy="name each set of inputs once")
    return tuple(found)


def combination_of(given: object, task: Task) -> tuple[str, ...]:
    """Inputs named by a list, or by a text such as ``face+voice``.

    Raises:
        UserError: an input that the task does not have, or one named twice.
    """
    names = given if isinstance(given, str) else "+".join(map(str, given)) if isinstance(given, Sequence) else ""
    if not names:
        raise UserError("a combination must name inputs", value=given, remedy=f"write for example [{task.names[0]}]")
    return task.combination(names)
