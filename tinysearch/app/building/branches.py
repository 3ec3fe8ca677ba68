"""From words to branches: which architecture a name stands for, with which parameters, on which input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tinysearch.app.config.compose import DEFAULT_FAMILY
from tinysearch.app.config.plugins import plugin
from tinysearch.app.config.tasks import OF_EVERY_BRANCH, task_of
from tinysearch.architectures.family import FunctionArchitecture, is_family, parameter_names, read_parameters
from tinysearch.core.candidate import Architecture, BranchSpec
from tinysearch.core.errors import UserError
from tinysearch.core.network import Shape
from tinysearch.core.quantization import Precision
from tinysearch.core.task import Input, Task
from tinysearch.inputs.microphone import Microphone


def architecture_of(family: str, given: Mapping[str, object], *, where: str) -> Architecture:
    """An architecture of a family, or of a function of the user's own.

    Args:
        family: as configured.
        given: parameters by name; others and None are left to their defaults.
        where: the input, for messages.

    Raises:
        UserError: no such family, or a parameter that is missing or of the wrong kind.
    """
    made = plugin("architectures", family)
    parameters: dict[str, Any] = read_parameters(made, given, where=where)
    if is_family(made):
        architecture: Architecture = made(**parameters)
        return architecture
    return FunctionArchitecture(family=family, function=made, **parameters)


def family_of(asked: Input, given: Mapping[str, object]) -> str:
    """The family that a branch names, its input's own, or residual networks."""
    return str(given.get("architecture") or asked.defaults.get("architecture") or DEFAULT_FAMILY)


def shape_of(asked: Input, given: Mapping[str, object]) -> Shape:
    """Shape of the network's input for the size and channels that a branch names, or its input's own.

    With ``frames``, of a clip that is shorter than the task's.

    Raises:
        UserError: neither names them, they are no positive whole numbers, or frames of what is no clip.
    """
    sizes = {}
    for name, example in (("input_size", 64), ("channels", 1), ("frames", 32)):
        value = given.get(name)
        value = asked.defaults.get(name) if value is None else value
        if value is None and name == "frames":
            continue
        if value is None:
            raise UserError(
                f"an input of a task must have a default for {name}, or a candidate name it",
                value=f"{name} of {asked.name}",
                remedy=f"add task.inputs.{asked.name}.{name}={example}",
            )
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise UserError(
                f"{name} must be a whole number from 1", value=value, remedy=f"write {asked.name}.{name}={example}"
            )
        sizes[name] = value
    frames = sizes.pop("frames", None)
    shape = asked.kind.shape(**sizes)
    if frames is None:
        return shape
    if not isinstance(asked.kind, Microphone):
        raise UserError(
            "frames must be those of a microphone's clip",
            value=f"{asked.name}.frames={frames} of a {asked.kind.name}",
            remedy="leave it out",
        )
    return asked.kind.shorter(shape, frames=frames)


def branches_of(config: Mapping[str, Any]) -> tuple[BranchSpec, ...]:
    """The branches of a spelled-out candidate.

    Raises:
        UserError: modality, precision or a parameter missing or unknown.
    """
    task, modality, spelled = task_of(config), config["modality"], config["branches"]
    if modality is None and spelled:
        modality = "+".join(sorted(spelled))
    if not isinstance(modality, str):
        first = task.names[0]
        raise UserError(
            f"a candidate must have a modality: {', '.join(task.names)}, or some of them joined by +",
            value="none" if modality is None else f"modality={modality}",
            remedy=f"write for example modality={first} {first}.blocks=[2,2] {first}.precision=int8"
            + (", or id=ID of the run's front" if config["run_dir"] is not None else ""),
        )
    return tuple(branch_of(task.input(name), spelled.get(name) or {}) for name in task.combination(modality))


def branch_of(asked: Input, given: Mapping[str, object]) -> BranchSpec:
    """One branch as spelled; parameters that it leaves out are those of its input in the task.

    Raises:
        UserError: a parameter or the precision is missing, unknown, or of the wrong kind.
    """
    family = family_of(asked, given)
    names = parameter_names(plugin("architectures", family))
    unknown = sorted(set(given) - {*OF_EVERY_BRANCH, *names})
    if unknown:
        raise UserError(
            f"a branch of family {family} must be spelled by {', '.join((*OF_EVERY_BRANCH, *names))}",
            value=f"{asked.name}.{unknown[0]}",
            remedy="leave it out, or name another architecture",
        )
    said = {name: value for name, value in given.items() if value is not None}
    architecture = architecture_of(family, {**asked.defaults, **said}, where=asked.name)
    if "precision" not in said:
        raise UserError(
            f"a branch must have {names[0]} and a precision",
            value=f"{asked.name}.precision is not set",
            remedy=f"add {asked.name}.precision=int8",
        )
    return BranchSpec(
        modality=asked.name,
        architecture=architecture,
        precision=Precision.parse(said["precision"]),
        shape=shape_of(asked, said),
    )


def branch_of_document(asked: Input, document: Mapping[str, Any]) -> BranchSpec:
    """A branch as a point of front.json or candidate.json spells it, of this version or an earlier one.

    Raises:
        UserError: what it spells cannot be built.
    """
    names = ("precision", "input_size", "channels", "frames", "architecture")
    parameters = document.get("parameters") or {name: document[name] for name in FunctionArchitecture.names}
    return branch_of(asked, {**{name: document.get(name) for name in names}, **parameters})


def branches_of_document(task: Task, point: Mapping[str, Any]) -> tuple[BranchSpec, ...]:
    """Branches of a point of front.json, or of candidate.json, by input in alphabetical order.

    Raises:
        UserError: what it spells cannot be built.
    """
    return tuple(branch_of_document(task.input(name), given) for name, given in sorted(point["branches"].items()))
