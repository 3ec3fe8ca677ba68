"""From a configuration with ``network=FILE`` to the network, the models, and the boards that are asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tinysearch.analytic.features import FEATURES
from tinysearch.app.building.wiring import Config, build_catalog, wish_of
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.app.config.resources import data_dir
from tinysearch.app.networks.application import OwnApplication, own_application, own_latency
from tinysearch.app.networks.executions import executions_of
from tinysearch.app.networks.labels import read_labels
from tinysearch.app.networks.reading import FIXED, ONCE, Read, read_network
from tinysearch.app.run.emit_settings import EmitSettings, built_settings
from tinysearch.catalog.tables import load_instructions, load_software_sizes
from tinysearch.core.errors import UserError
from tinysearch.core.platform import BoardOption
from tinysearch.core.units import parse_bytes, parse_money
from tinysearch.evaluation.boards import PlatformWish
from tinysearch.evaluation.own_memory import Splits
from tinysearch.evaluation.own_network import NetworkModels, NetworkPoint
from tinysearch.evaluation.own_profile import ARITHMETIC, OwnNetwork
from tinysearch.files import home_path
from tinysearch.firmware.backends import vector_backends
from tinysearch.networks.call import Call, Move
from tinysearch.networks.graph import Graph
from tinysearch.networks.lowering import lower
from tinysearch.networks.reals import with_real_output
from tinysearch.networks.report import LoweredRow, lowering_rows


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Asked:
    """What a command asks.

    Attributes:
        emission: how firmware is written.
        read: the network's file.
        executions: of the network, from which every board takes the one that it runs fastest.
        application: what is built around it; None for a console.
    """

    config: Config
    emission: EmitSettings
    read: Read
    executions: tuple[OwnNetwork, ...]
    models: NetworkModels
    application: OwnApplication | None = None

    @property
    def network(self) -> OwnNetwork:
        """As it is executed where a board has room."""
        return self.executions[0]

    @property
    def options(self) -> dict[str, Any]:
        """What was asked of memory: the options that emit the same again."""
        return {"memory": str(self.config["memory"]), "sram": self.models.sram_bytes}

    def lowering(self, network: OwnNetwork) -> list[LoweredRow]:
        """What became of every operator, in one of the executions."""
        return lowering_rows(network.lowered, instruction_counter())

    def points(self) -> list[NetworkPoint]:
        """The network on every board as wished, the cheapest first.

        Raises:
            UserError: an unknown processor, or no such board.
        """
        if self.application is not None:
            return self.application.points(wish_of(self.config))
        wish = wish_of(self.config)
        if wish.processor is not None:
            self.models.catalog.chip(wish.processor)
        level = self.models.price_level
        options = sorted(self._options(wish), key=lambda option: (option.price_usd(level), option.id))
        if not options:
            raise UserError(
                "platform must be one that the catalogue sells",
                value=", ".join(f"{key}={value}" for key, value in self.config["platform"].items() if value),
                remedy="see python -m tinysearch catalog list",
            )
        return [self.models.best(self.executions, option) for option in options]

    def _options(self, wish: PlatformWish) -> list[BoardOption]:
        catalog = self.models.catalog
        found = [option for option in catalog.board_options((), bare=True) if wish.admits(option)]
        if found or wish == PlatformWish(designs=True):
            return found
        every = catalog.board_options((), build="any", previews=True, bare=True)
        return [option for option in every if wish.admits(option)]

    def describe(self) -> dict[str, Any]:
        """The network, for JSON."""
        network, graph, calibration = self.network, self.network.lowered.graph, self.read.calibration
        document = {
            "name": network.name,
            "sha256": self.read.digest,
            "inputs": _tensors(graph, graph.inputs, None if calibration is None else calibration.input_axes),
            "outputs": _tensors(graph, graph.outputs, None if calibration is None else calibration.output_axes),
            "rounding": ONCE if graph.rounds_once else FIXED,
            "macs": network.lowered.macs,
            "weight_bytes": network.weight_bytes,
            "labels": list(network.labels),
        }
        return document if calibration is None else document | {"quantization": calibration.to_dict()}


def asked(overrides: Sequence[str]) -> Asked:
    """Read the network and build the models.

    Raises:
        UserError: what the command answers with exit status 2.
    """
    config = plain(compose_config(overrides))
    emission = settings_of(config)
    return asked_of(
        config, read_network(config), emission=emission, of_task=any(word.startswith("task=") for word in overrides)
    )


def settings_of(config: Config) -> EmitSettings:
    """How firmware of a network of one's own is written.

    Raises:
        UserError: as a form that there is none of.
    """
    return built_settings(config, of="a network of one's own")


def asked_of(config: Config, read: Read, *, emission: EmitSettings, of_task: bool = False) -> Asked:
    """The models around a network that is read.

    Args:
        emission: how its firmware is written.
        of_task: whether the configuration's task was asked for, and an application for it.

    Raises:
        UserError: labels or a task that do not fit it.
    """
    application = of_task and emission.component is None
    lowered = lower(with_real_output(read.graph) if application else read.graph)
    given = config["labels"]
    labels = () if given is None else read_labels(home_path(str(given)), lowered.graph)
    models = _models(config, splits=emission.component is None)
    units = vector_backends(emission.backend, models.catalog.chips.values()) if emission.component is None else ()
    executions = executions_of(config, read.name, lowered, labels=labels, catalog=models.catalog, units=units)
    return Asked(
        config=config,
        emission=emission,
        read=read,
        executions=executions,
        models=models,
        application=own_application(config, executions, emission=emission, digest=read.digest) if application else None,
    )


def _models(config: Config, *, splits: bool) -> NetworkModels:
    """The models; ``splits``: whether networks may lie in two memories."""
    catalog = build_catalog(config)
    latency = own_latency(config, catalog)
    level = config["price_level"]
    budget = config["budget"]
    return NetworkModels(
        catalog=catalog,
        latency=latency,
        software=load_software_sizes(data_dir("hardware_catalog") / "software" / "espidf.yaml"),
        price_level=level,
        budget_usd=None if budget is None else parse_money(budget, rates=config["rates"]),
        sram_bytes=None if config["sram"] is None else parse_bytes(config["sram"], what="sram"),
        splits=Splits(table=latency) if splits else None,
    )


def instruction_counter() -> Callable[[Call | Move], float]:
    """Predicted instructions of a call, or of bytes that move, on RV32IMC."""
    table = load_instructions(data_dir("hardware_catalog") / "latency" / "default.yaml", ARITHMETIC)

    def count(call: Call | Move) -> float:
        return sum(
            coefficient * features.get(name, 0.0)
            for kernel, features in call.work
            for coefficient, name in zip(table[kernel], FEATURES, strict=True)
        )

    return count


def _tensors(graph: Graph, indices: Sequence[int], axes: Sequence[Sequence[int]] | None) -> list[dict[str, Any]]:
    """Inputs or outputs; of a network that was quantized here also the author's axis at every place."""
    found = [_tensor(graph, index) for index in indices]
    if axes is None:
        return found
    return [tensor | {"axes": list(order)} for tensor, order in zip(found, axes, strict=True)]


def _tensor(graph: Graph, index: int) -> dict[str, Any]:
    tensor = graph.tensors[index]
    found = tensor.quantization
    return {
        "name": tensor.name,
        "shape": list(tensor.shape),
        "type": str(tensor.element),
        "scale": None if found is None else found.scale,
        "zero_point": None if found is None else found.zero_point,
    }
