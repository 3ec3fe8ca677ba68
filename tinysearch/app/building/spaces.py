"""From the configuration's space to every branch and combination that is searched."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, TypeVar

from tinysearch.app.building.branches import architecture_of, family_of, shape_of
from tinysearch.app.building.clips import clipped
from tinysearch.app.building.wiring import Config
from tinysearch.app.config.plugins import plugin
from tinysearch.app.config.tasks import combination_of, task_of
from tinysearch.architectures.family import is_family, parameter_names
from tinysearch.core.candidate import Architecture
from tinysearch.core.errors import UserError, did_you_mean
from tinysearch.core.execution import MOST_CORES, Execution
from tinysearch.core.network import Shape
from tinysearch.core.quantization import Precision
from tinysearch.core.task import Input, Task
from tinysearch.evaluation.table import TableErrors
from tinysearch.inputs.camera import Camera
from tinysearch.reading import read_yaml
from tinysearch.space import Space, SpaceOptions
from tinysearch.space.space import layouts_of

T = TypeVar("T")

_LISTS = {"width": "widths", "embedding": "embeddings"}
"""Lists of a space by the parameter whose values they are, in any family."""

_EXECUTIONS = ("memories", "branch_cores", "fusion_rules")
_LIST_NAMES = (
    "architectures",
    "input_sizes",
    "input_scales",
    "clip_scales",
    "channels",
    *_EXECUTIONS,
    *_LISTS.values(),
)

MEMORIES, CORES = ("arena", "bands"), tuple(range(1, MOST_CORES + 1))

LARGE = 512
"""Side of an image that every network fits which fits any input."""

OWN = "task"
"""Among the families of a space: the one that the task names for an input."""


def build_space(config: Config) -> Space:
    """The configured model space, with the task's sizes where the space leaves them open."""
    settings = config["space"] | {}  # as it is, and one that may be changed
    if settings.get("path"):
        settings |= _space_file(Path(settings["path"]))
    task = task_of(config)
    covered = _covered_by_table(config, settings, task)
    combinations = _covered(_combinations(settings["modalities"], task), covered)
    _check_families(settings.get("families"))
    options = {}
    for given in task.inputs:
        if given.name not in covered:
            continue
        layouts, precisions = covered[given.name]
        sizes, channels = _input_sizes(given, settings), _channels(given, settings)
        shapes = _once(shape_of(given, {"input_size": size, "channels": of}) for size in sizes for of in channels)
        architectures = _once(_architectures(given, settings, layouts_of(settings["layouts"] or layouts)))
        if _listed("architectures", settings):
            architectures = _buildable(architectures, shapes)
        options[given.name] = SpaceOptions(
            architectures=architectures,
            precisions=_once(map(Precision.parse, settings["precisions"] or precisions or ())),
            shapes=clipped(given, shapes, _listed("clip_scales", settings), architectures, config),
        )
    processors = settings["processors"]
    if processors is not None and not (isinstance(processors, list) and all(isinstance(p, str) for p in processors)):
        raise UserError(
            "space.processors must be a list of names",
            value=processors,
            remedy="write for example space.processors=[esp32s3]",
        )
    return Space(
        name=settings["name"],
        combinations=combinations,
        modalities=tuple(task.modality(names) for names in combinations),
        options=options,
        processors=None if processors is None else tuple(processors),
        executions=_executions(config, settings),
        fusion_rules=_once(map(str, _listed("fusion_rules", settings))),
    )


def _executions(config: Config, settings: Mapping[str, Any]) -> tuple[Execution, ...]:
    """Ways to execute branches, the plain one always and first; what `memory` says for every branch is no variable.

    Raises:
        UserError: values that there are not.
    """
    memories = _once(_listed("memories", settings) or ("arena",))
    cores = _once(_listed("branch_cores", settings) or (1,))
    for name, values, allowed in (("memories", memories, MEMORIES), ("branch_cores", cores, CORES)):
        if not set(values) <= set(allowed):
            raise UserError(
                f"space.{name} must list values out of {', '.join(map(str, allowed))}",
                value=list(values),
                remedy=f"write for example space.{name}=[{','.join(map(str, allowed))}]",
            )
    banded = [False, True] if "bands" in memories and config["memory"] == "arena" else [False]
    return tuple(Execution(bands=bands, cores=count) for bands in banded for count in sorted({1, *cores}))


def _once(values: Iterable[T]) -> tuple[T, ...]:
    """Values in their order; who writes one twice means it once."""
    return tuple(dict.fromkeys(values))


def _architectures(
    given: Input, settings: Mapping[str, Any], layouts: tuple[tuple[int, ...], ...]
) -> tuple[Architecture, ...]:
    """Every architecture of an input: of each family the product of its parameters' values.

    A parameter takes the values of ``space.families``; then ``blocks``, ``width`` and ``embedding`` those of layouts,
    widths and embeddings; then the task's; then those of the family's own ``variables``; then its default.

    Raises:
        UserError: a family that is no name.
    """
    listed = _listed("architectures", settings) or (OWN,)
    if not all(isinstance(family, str) for family in listed):
        raise UserError(
            "space.architectures must be a list of names",
            value=list(listed),
            remedy="write for example space.architectures=[separable]",
        )
    families = _once(family_of(given, {}) if family == OWN else family for family in listed)
    return tuple(
        architecture_of(family, dict(zip(names, values, strict=True)), where=given.name)
        for family in families
        for names in (parameter_names(plugin("architectures", family)),)
        for values in product(*(_values(family, name, given, settings, layouts) for name in names))
    )


def _check_families(families: object) -> None:
    """Refuse what is no family, and what is none of its parameters, as nobody would ever look at it.

    Raises:
        UserError: no lists of values by parameter and family.
    """
    if families is None:
        return
    if not isinstance(families, dict):
        raise UserError(
            "space.families must be parameters and their values by family",
            value=families,
            remedy="write for example space.families.separable.kernel=[3,5]",
        )
    for family, lists in families.items():
        known = parameter_names(plugin("architectures", family))
        if not isinstance(lists, dict | None):
            raise UserError(
                f"space.families.{family} must be lists of values by parameter",
                value=lists,
                remedy=f"write for example space.families.{family}.{known[0]}=[..]",
            )
        for name, values in (lists or {}).items():
            if name not in known:
                raise UserError(
                    f"space.families.{family} must have parameters out of {', '.join(known)}",
                    value=name,
                    remedy=did_you_mean(name, known, otherwise="leave it out"),
                )
            if values is not None and not (isinstance(values, list) and values):
                raise UserError(
                    f"space.families.{family}.{name} must be a list of values",
                    value=values,
                    remedy=f"write for example space.families.{family}.{name}=[8,16]",
                )


def _input_sizes(given: Input, settings: Mapping[str, Any]) -> Sequence[int | None]:
    """Sizes of an input as listed, else the task's times every scale, else None, which is the task's.

    Raises:
        UserError: a scale is no positive number.
    """
    sizes, scales = _listed("input_sizes", settings), _listed("input_scales", settings)
    if sizes or not scales:
        return sizes or (None,)
    if not all(isinstance(scale, int | float) and not isinstance(scale, bool) and scale > 0 for scale in scales):
        raise UserError(
            "space.input_scales must be positive numbers",
            value=list(scales),
            remedy="write for example space.input_scales=[0.75,1]",
        )
    own = max(shape_of(given, {}).height, shape_of(given, {}).width)
    return _prepared(given, _once(max(1, round(scale * own)) for scale in scales))


def _channels(given: Input, settings: Mapping[str, Any]) -> Sequence[int | None]:
    """Channels of an input: of a camera's pictures as listed, gray (1) and color (3); of every other the task's."""
    listed = _listed("channels", settings)
    return listed if listed and isinstance(given.kind, Camera) else (None,)


def _prepared(given: Input, sizes: Sequence[int]) -> tuple[int, ...]:
    """Those of some scaled sizes that the input's front-end can prepare: a window or a clip has no image of each."""
    from tinysearch.firmware.front_ends import front_end

    return _accepted(sizes, lambda size: front_end(given.kind, shape_of(given, {"input_size": size}), sound=None))


def _buildable(architectures: Sequence[Architecture], shapes: Sequence[Shape]) -> tuple[Architecture, ...]:
    """Those that the smallest shape is large enough for: one list of layouts of a family serves inputs of all sizes.

    Raises:
        UserError: of one that no input is large enough for, or of the last one where none is left.
    """
    smallest = min(shapes, key=lambda shape: shape.elements)
    kept = _accepted(architectures, lambda architecture: architecture.build(smallest))
    for left_out in set(architectures) - set(kept):
        left_out.build(Shape(height=LARGE, width=LARGE, channels=smallest.channels))
    return kept


def _accepted(values: Sequence[T], attempt: Callable[[T], object]) -> tuple[T, ...]:
    """Those that an attempt does not refuse.

    Raises:
        UserError: of the last one, where it refuses all.
    """
    kept, refused = [], None
    for value in values:
        try:
            attempt(value)
        except UserError as error:
            refused = error
        else:
            kept.append(value)
    if not kept and refused is not None:
        raise refused
    return tuple(kept)


def _values(
    family: str, name: str, given: Input, settings: Mapping[str, Any], layouts: tuple[tuple[int, ...], ...]
) -> Sequence[object]:
    own: Sequence[object] | None = ((settings.get("families") or {}).get(family) or {}).get(name)
    if own is not None:
        return own
    listed = layouts if name == "blocks" else _listed(_LISTS[name], settings) if name in _LISTS else None
    if listed:
        return listed
    if given.defaults.get(name) is not None:
        return (given.defaults[name],)
    made = plugin("architectures", family)
    return made.variables().get(name, (None,)) if is_family(made) else (None,)


def _listed(name: str, settings: Mapping[str, Any]) -> tuple[Any, ...]:
    """A list of the space; empty where it lists none.

    Raises:
        UserError: no list.
    """
    listed = settings.get(name)
    if isinstance(listed, str | int | float):
        return (listed,)
    if listed is not None and not isinstance(listed, list):
        raise UserError(f"space.{name} must be a list", value=listed, remedy=f"write space.{name}=[{listed}]")
    return tuple(listed or ())


def combinations_of(config: Config, task: Task) -> tuple[tuple[str, ...], ...]:
    """The combinations of inputs that a configuration searches, see :func:`build_space`."""
    settings = dict(config["space"])
    if settings.get("path"):
        settings |= _space_file(Path(settings["path"]))
    return _combinations(settings["modalities"], task)


def _combinations(given: Any, task: Task) -> tuple[tuple[str, ...], ...]:
    """The combinations of inputs that are searched: those of the task, or as the space lists them.

    Raises:
        UserError: no list, or an unknown input.
    """
    if given is None:
        return task.combinations
    given = [given] if isinstance(given, str) else given
    if not isinstance(given, list) or not given:
        raise UserError(
            "space.modalities must be a list of combinations of inputs",
            value=given,
            remedy=f"write for example space.modalities=[{task.names[0]}]",
        )
    return tuple(dict.fromkeys(combination_of(item, task) for item in given))


def _covered_by_table(config: Config, settings: Mapping[str, Any], task: Task) -> dict[str, tuple[Any, Any]]:
    """Layouts and precisions of each input where the space leaves them to the table of error rates.

    Raises:
        UserError: there is no table.
    """
    if settings["layouts"] is not None and settings["precisions"] is not None:
        return dict.fromkeys(task.names, (None, None))
    if config["trainer"]["name"] != "table":
        raise UserError(
            "a space must list layouts and precisions, or take them from a table of error rates",
            value=f"space={settings['name']} trainer={config['trainer']['name']}",
            remedy="add space=paper, or trainer=table trainer.path=FILE",
        )
    table = table_of(config)
    covered = {name: table.covers(name) for name in task.names}
    return {modality: found for modality, found in covered.items() if found[0]}


def _covered(combinations: Sequence[tuple[str, ...]], covered: Mapping[str, Any]) -> tuple[tuple[str, ...], ...]:
    """Those of the combinations whose branches are there.

    Raises:
        UserError: none is.
    """
    kept = tuple(names for names in combinations if set(names) <= set(covered))
    if not kept:
        raise UserError(
            "a table of error rates must have rows of a combination that is searched",
            value=f"it has {', '.join(covered) or 'none'}, searched are {', '.join(map('+'.join, combinations))}",
            remedy="choose other space.modalities",
        )
    return kept


def table_of(config: Config) -> TableErrors:
    """The table of ``trainer=table``.

    Raises:
        UserError: no path, or a file that is no such table.
    """
    path = config["trainer"]["path"]
    if path is None:
        raise UserError(
            "trainer=table must be given a CSV", value="trainer.path is not set", remedy="add trainer.path=FILE"
        )
    return TableErrors(path=Path(path))


def _space_file(path: Path) -> dict[str, Any]:
    try:
        document = read_yaml(path)
    except OSError as error:
        raise UserError(
            "a space must be a readable YAML file", value=f"{path}: {error.strerror}", remedy="check the file"
        ) from None
    known = {"name", "modalities", "layouts", "precisions", "processors", "families", *_LIST_NAMES}
    if not isinstance(document, dict) or not set(document) <= known:
        raise UserError(
            f"a space must have keys out of {', '.join(sorted(known))}", value=path, remedy="see conf/space"
        )
    for key in known - {"name", "families"}:
        if not isinstance(document.get(key), list | None):
            raise UserError(
                f"{key} of a space must be a list", value=f"{path}: {document[key]}", remedy=f"write {key}: [..]"
            )
    return document
