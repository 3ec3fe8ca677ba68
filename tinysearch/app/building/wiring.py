"""From configuration to objects: the one place that knows which class stands behind which word."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from tinysearch.analytic.execution import smallest_room_bytes
from tinysearch.analytic.latency import PORTABLE, Accelerated, LatencyTable
from tinysearch.analytic.stepwise import StepwiseLatency
from tinysearch.app.config.plugins import built_in, make
from tinysearch.app.config.resources import data_dir
from tinysearch.app.config.tasks import task_of
from tinysearch.catalog.catalog import Catalog
from tinysearch.catalog.loading import load_catalog
from tinysearch.catalog.tables import load_latency_table, load_software_sizes
from tinysearch.core.errors import UserError
from tinysearch.core.execution import MOST_CORES, PLAIN, Execution
from tinysearch.core.limits import Limit, parse_limits
from tinysearch.core.objectives import POWER_OBJECTIVES, check_objectives
from tinysearch.core.platform import BUILDS, BomItem, BuildKind, Chip
from tinysearch.core.program import Program
from tinysearch.core.schedule import Schedule
from tinysearch.core.units import parse_bytes, parse_money
from tinysearch.evaluation.analytic import AnalyticModels
from tinysearch.evaluation.boards import PlatformWish
from tinysearch.evaluation.needs import LatencyRule
from tinysearch.evaluation.networks import Networks
from tinysearch.evaluation.power import Supply
from tinysearch.firmware.backends import (
    Backend,
    accelerated_bytes,
    accelerated_plan,
    accelerated_steps,
    check_backend,
    choose_backends,
)

Config = Mapping[str, Any]

MOST_PIECES = 1_000_000


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
        UserError: a rule, price level, budget, battery or limit that does not exist, or a network of one's own, which
            has no candidates.
    """
    if config.get("network") is not None:
        raise UserError(
            "network must be given to one of the commands evaluate, search and emit",
            value=f"network={config['network']}",
            remedy="write python -m tinysearch evaluate network=FILE --json, or leave network out",
        )
    accelerate = _accelerate(build_backend(config), build_catalog(config).chips.values())
    in_turn = config.get("fusion", {}).get("rule") == "cascade"
    return AnalyticModels(**model_settings(config), accelerate=accelerate, in_turn=in_turn)


def model_settings(config: Config) -> dict[str, Any]:
    """What all analytic models of a configuration are built with, by the names of their attributes.

    Raises:
        UserError: a rule, price level, budget, battery or limit that does not exist.
    """
    catalog, task, limits = build_catalog(config), task_of(config), parse_limits(config.get("limits", {}))
    root = data_dir("hardware_catalog")
    budget = config["budget"]
    return {
        "catalog": catalog,
        "latency": build_latency(config, catalog),
        "networks": Networks(
            software=load_software_sizes(root / "software" / "espidf.yaml"),
            decision=task.decision,
            flash_rule=_one_of("flash", config["flash"], ("layout", "paper")),
            memory_rule=_one_of("memory", config["memory"], ("arena", "bands", "paper")),
            room_bytes=smallest_room_bytes(catalog.chips.values()),
        ),
        "task": task,
        "price_level": _one_of("price_level", config["price_level"], ("low", "typical", "high")),
        "budget_usd": None if budget is None else parse_money(budget, rates=config["rates"]),
        "supply": build_supply(config, catalog, task.schedule, limits),
        "limits": limits,
        "tells_power": bool(_power_asked(config, limits)),
        "ota": config["emit"]["ota"],
    }


def _power_asked(config: Config, limits: Sequence[Limit]) -> list[str]:
    """Objectives of power that are searched or limited."""
    named = [*check_objectives(config["objectives"]["names"]), *(limit.objective for limit in limits)]
    return [name for name in named if name in POWER_OBJECTIVES]


def build_supply(config: Config, catalog: Catalog, schedule: Schedule, limits: Sequence[Limit]) -> Supply | None:
    """When the device decides and what it runs on; None where no schedule, battery, objective or limit asks for power.

    Runs that were started before there was a choice have no battery.

    Raises:
        UserError: no such battery, or something that wants one without one.
    """
    given = config.get("battery", {})
    name, in_bill, asked = given.get("part"), given.get("in_bill", False), _power_asked(config, limits)
    if name is None and ("battery_days" in asked or in_bill):
        raise UserError(
            "a battery life must have a battery",
            value="battery.in_bill=true" if in_bill else "battery_days without battery",
            remedy="write for example battery=2xaa",
        )
    if name is None:
        return Supply(schedule=schedule) if asked or schedule.sleeps else None
    part = catalog.battery(str(name))
    bill = BomItem(part=part.id, name=part.name, price=part.price) if in_bill else None
    return Supply(schedule=schedule, battery=part.battery, bill=bill)


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
    return backend


def _accelerate(backend: str | Backend, chips: Iterable[Chip]) -> Callable[[Program, str], Accelerated] | None:
    """What backends compute of a program on an ESP-IDF target."""
    backends = choose_backends(backend, chips)
    if not backends:
        return None

    def accelerate(program: Program, target: str) -> Accelerated:
        for candidate in backends:
            steps = accelerated_steps(program, candidate, processor=target)
            if steps:
                return Accelerated(
                    name=candidate.name,
                    steps=frozenset(steps),
                    shared=candidate.shared,
                    arena_bytes=accelerated_plan(program, candidate, steps).peak_bytes,
                    constant_bytes=accelerated_bytes(program, candidate, steps),
                )
        return PORTABLE

    return accelerate


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


def executions_of(config: Config) -> tuple[Execution, ...]:
    """How a spelled-out candidate is executed: the cores of its lone branch as the user fixed them.

    Raises:
        UserError: so many cores no chip has for a branch.
    """
    cores = config["platform"].get("cores")
    return (Execution(cores=_one_of("platform.cores", cores, (1, MOST_CORES))),) if cores is not None else (PLAIN,)


def _one_of(name: str, value: Any, known: tuple[object, ...]) -> Any:
    if value not in known:
        raise UserError(f"{name} must be one of {', '.join(map(str, known))}", value=value, remedy="choose one of them")
    return value
