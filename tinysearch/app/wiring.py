"""From configuration to objects: the one place that knows which class stands behind which word."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tinysearch.analytic.latency import PORTABLE, Accelerated, LatencyTable
from tinysearch.analytic.stepwise import StepwiseLatency
from tinysearch.app.plugins import built_in, make
from tinysearch.app.resources import data_dir
from tinysearch.app.tasks import combination_of, task_of
from tinysearch.catalog.catalog import Catalog, load_catalog
from tinysearch.catalog.tables import load_latency_table, load_software_sizes
from tinysearch.core.candidate import BranchSpec
from tinysearch.core.errors import UserError
from tinysearch.core.network import NetworkSpec
from tinysearch.core.platform import BUILDS, BuildKind
from tinysearch.core.program import Program
from tinysearch.core.task import Input, Task
from tinysearch.core.units import parse_bytes, parse_money
from tinysearch.evaluation.analytic import AnalyticModels, LatencyRule, PlatformWish
from tinysearch.evaluation.table import TableErrors
from tinysearch.firmware.backends import Backend, accelerated_steps, check_backend, choose_backends
from tinysearch.space import Space, SpaceOptions
from tinysearch.space.space import layouts_of

Config = Mapping[str, Any]

MOST_PIECES = 1_000_000

_SIZES = ("width", "input_size", "channels", "embedding", "architecture")
_LISTS = {"widths": "width", "input_sizes": "input_size", "embeddings": "embedding"}


def architecture(branch: BranchSpec) -> NetworkSpec:
    """Network of a branch, by the architecture that it names."""
    network: NetworkSpec = make(
        "architectures",
        branch.architecture,
        blocks=branch.blocks,
        width=branch.width,
        input_size=branch.input_size,
        channels=branch.channels,
        embedding=branch.embedding,
    )
    return network


def build_catalog(config: Config) -> Catalog:
    """The configured catalogue, for the configured build and order.

    Runs that were started before there was a choice have boards of every build.

    Raises:
        UserError: no such build, or no such quantity.
    """
    name, build = str(config["catalog"]["name"]), config.get("build", "any")
    if build is None:
        build = "board" if any(part.kind == "board" for part in _catalog(name).parts.values()) else "any"
    _one_of("build", build, BUILDS)
    quantity = config.get("quantity", 1)
    if not isinstance(quantity, int) or isinstance(quantity, bool) or not 1 <= quantity <= MOST_PIECES:
        raise UserError(
            f"quantity must be a whole number of pieces from 1 to {MOST_PIECES}",
            value=quantity,
            remedy="write quantity=1 for what one person orders",
        )
    return _bought(name, build, quantity)


@cache
def _bought(name: str, build: BuildKind, quantity: int) -> Catalog:
    return _catalog(name).bought(build=build, quantity=quantity)


@cache
def _catalog(name: str) -> Catalog:
    return load_catalog(name, root=data_dir("hardware_catalog"))


def build_models(config: Config) -> AnalyticModels:
    """Analytic models of a configuration.

    Raises:
        UserError: a rule, price level or budget that does not exist.
    """
    catalog = build_catalog(config)
    root = data_dir("hardware_catalog")
    budget = config["budget"]
    return AnalyticModels(
        catalog=catalog,
        latency=build_latency(config, catalog),
        software=load_software_sizes(root / "software" / "espidf.yaml"),
        architecture=architecture,
        task=task_of(config),
        flash_rule=_one_of("flash", config["flash"], ("layout", "paper")),
        memory_rule=_one_of("memory", config["memory"], ("arena", "paper")),
        price_level=_one_of("price_level", config["price_level"], ("low", "typical", "high")),
        budget_usd=None if budget is None else parse_money(budget, rates=config["rates"]),
        accelerate=_accelerate(build_backend(config)),
    )


def build_latency(config: Config, catalog: Catalog) -> LatencyRule:
    """The configured latency model: a table, or one of the user's own that is given the table.

    Raises:
        UserError: no such model, a table that cannot be read, or wrong settings.
    """
    model, table = str(config["latency"]["model"]), latency_table(config, catalog)
    if built_in("latency_models", model):
        return table
    made = make("latency_models", model, table=table, **config["latency"].get("settings", {}))
    return StepwiseLatency(model=made, table=table)


def latency_table(config: Config, catalog: Catalog) -> LatencyTable:
    """The table behind the configured latency model: the user's, or that of the model.

    Raises:
        UserError: it cannot be read.
    """
    root = data_dir("hardware_catalog") / "latency"
    usual, path = root / "default.yaml", config["latency"]["table"]
    own = root / "opcount.yaml" if config["latency"]["model"] == "opcount" else usual
    return load_latency_table(Path(path) if path else own, catalog.chips.values(), default=usual)


def build_backend(config: Config) -> str | Backend:
    """The configured backend: a word of ours, or a backend of the user's own.

    Runs that were started before there was a choice have portable kernels.

    Raises:
        UserError: there is no such backend, or what was made is none.
    """
    options = config.get("firmware", {})
    name = str(options.get("backend", "portable"))
    backend = name if built_in("backends", name) else make("backends", name, **options.get("settings", {}))
    check_backend(backend)
    return backend  # type: ignore[no-any-return]


def _accelerate(backend: str | Backend) -> Callable[[Program, str], Accelerated] | None:
    """What backends compute of a program on an ESP-IDF target."""
    backends = choose_backends(backend)
    if not backends:
        return None

    def accelerate(program: Program, target: str) -> Accelerated:
        for candidate in backends:
            steps = accelerated_steps(program, candidate, processor=target)
            if steps:
                return Accelerated(name=candidate.name, steps=frozenset(steps), shared=candidate.shared)
        return PORTABLE

    return accelerate


def build_space(config: Config) -> Space:
    """The configured model space, with the task's sizes where the space leaves them open."""
    settings = dict(config["space"])
    if settings.get("path"):
        settings |= _space_file(Path(settings["path"]))
    task = task_of(config)
    covered = _covered_by_table(config, settings, task)
    combinations = _covered(_combinations(settings["modalities"], task), covered)
    options = {}
    for given in task.inputs:
        if given.name not in covered:
            continue
        layouts, precisions = covered[given.name]
        sizes = {name: _values(name, settings[name], _default(given, single)) for name, single in _LISTS.items()}
        options[given.name] = SpaceOptions(
            layouts=layouts_of(settings["layouts"] or layouts),
            precisions=tuple(settings["precisions"] or precisions),
            channels=(_default(given, "channels"),),
            architectures=(_default(given, "architecture"),),
            **sizes,
        )
    processors = settings["processors"]
    if processors is not None and not (isinstance(processors, list) and all(isinstance(p, str) for p in processors)):
        raise UserError(
            "space.processors is a list of names",
            value=processors,
            remedy="write for example space.processors=[esp32s3]",
        )
    return Space(
        name=settings["name"],
        combinations=combinations,
        modalities=tuple(task.modality(names) for names in combinations),
        options=options,
        processors=None if processors is None else tuple(processors),
    )


def _values(name: str, listed: Any, default: int) -> tuple[int, ...]:
    """The values of one size in a space; those of the task where it lists none.

    Raises:
        UserError: no list.
    """
    if listed is not None and not isinstance(listed, list):
        raise UserError(f"space.{name} is a list", value=listed, remedy=f"write space.{name}=[{listed}]")
    return tuple(listed or [default])


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
    if not isinstance(given, list) or not given:
        raise UserError(
            "space.modalities must be a list of combinations of inputs",
            value=given,
            remedy=f"write for example space.modalities=[{task.names[0]}]",
        )
    return tuple(dict.fromkeys(combination_of(item, task) for item in given))


def _default(given: Input, name: str) -> Any:
    """A parameter of an input's branches that neither candidate nor space names.

    Raises:
        UserError: the task does not name it either.
    """
    if given.defaults.get(name) is None:
        raise UserError(
            f"an input of a task must have a default for {name}, or a candidate name it",
            value=f"{name} of {given.name}",
            remedy=f"add task.inputs.{given.name}.{name}=..",
        )
    return given.defaults[name]


def _covered_by_table(config: Config, settings: Mapping[str, Any], task: Task) -> dict[str, tuple[Any, Any]]:
    """Layouts and precisions of each input where the space leaves them to the table of error rates.

    Raises:
        UserError: there is no table.
    """
    if settings["layouts"] is not None and settings["precisions"] is not None:
        return dict.fromkeys(task.names, (None, None))
    if config["trainer"]["name"] != "table":
        raise UserError(
            "a space without layouts or precisions takes those of a table of error rates",
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
        raise UserError("trainer=table reads a CSV", value="trainer.path is not set", remedy="add trainer.path=FILE")
    return TableErrors(path=Path(path))


def _space_file(path: Path) -> dict[str, Any]:
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError("a space is a readable YAML file", value=path, remedy=str(error).splitlines()[0]) from error
    known = {"name", "modalities", "layouts", "precisions", "processors", *_LISTS}
    if not isinstance(document, dict) or not set(document) <= known:
        raise UserError(f"a space has keys out of {', '.join(sorted(known))}", value=path, remedy="see conf/space")
    return document


def branches_of(config: Config) -> tuple[BranchSpec, ...]:
    """The branches of a spelled-out candidate.

    Raises:
        UserError: modality, blocks or precision missing or unknown.
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
    return tuple(_branch(task.input(name), spelled.get(name) or {}) for name in task.combination(modality))


def _branch(asked: Input, given: Mapping[str, Any]) -> BranchSpec:
    for name, example in (("blocks", "[2,2]"), ("precision", "int8")):
        if given.get(name) is None:
            raise UserError(
                "a branch must have blocks and a precision",
                value=f"{asked.name}.{name} is not set",
                remedy=f"add {asked.name}.{name}={example}",
            )
    sizes = {name: _default(asked, name) if given.get(name) is None else given[name] for name in _SIZES}
    for name in _SIZES[:-1]:
        if not isinstance(sizes[name], int) or isinstance(sizes[name], bool):
            raise UserError(f"{name} must be a whole number", value=sizes[name], remedy=f"write {asked.name}.{name}=64")
    blocks = given["blocks"] if isinstance(given["blocks"], Sequence) and not isinstance(given["blocks"], str) else None
    layout = layouts_of([blocks] if blocks is not None else [])[0] if blocks else ()
    if not layout:
        raise UserError(
            "a layout must list at least one block for every stage",
            value=f"{asked.name}.blocks={given['blocks']}",
            remedy="write for example blocks=[2,2]",
        )
    return BranchSpec(modality=asked.name, blocks=layout, precision=str(given["precision"]), **sizes)


def wish_of(config: Config) -> PlatformWish:
    """What the user fixed of the platform."""
    platform = config["platform"]
    flash, psram = platform["flash"], platform["psram"]
    return PlatformWish(
        processor=platform["processor"],
        module=platform["module"],
        designs=True,
        flash_bytes=None if flash is None else parse_bytes(flash, what="platform.flash"),
        psram_bytes=None if psram is None else parse_bytes(psram, what="platform.psram"),
    )


def _one_of(name: str, value: Any, known: tuple[str, ...]) -> Any:
    if value not in known:
        raise UserError(f"{name} is one of {', '.join(known)}", value=value, remedy="choose one of them")
    return value
