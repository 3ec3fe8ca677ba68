"""A network of one's own through the analytic models: what it needs of a board, and which boards carry it."""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tinysearch.analytic.bom import over_budget
from tinysearch.analytic.code_size import CodeSizes
from tinysearch.analytic.energy import energy_mj
from tinysearch.analytic.features import FEATURES
from tinysearch.analytic.flash import AppSlots, FlashPlan, array_bytes, plan_flash
from tinysearch.analytic.latency import LatencyTable, Profile, beside
from tinysearch.analytic.placement import in_sram
from tinysearch.analytic.rules import option_build, violations
from tinysearch.catalog.catalog import Catalog
from tinysearch.catalog.tables import SoftwareSizes
from tinysearch.core.bill import BomLine, OrderNote
from tinysearch.core.evaluation import Evaluation
from tinysearch.core.execution import PLAIN, Execution
from tinysearch.core.limits import Violation
from tinysearch.core.platform import BoardOption, Chip, PriceLevel
from tinysearch.core.protocols import LatencyEstimate
from tinysearch.core.units import format_bytes
from tinysearch.networks.accelerated import Accelerated
from tinysearch.networks.arena import ArenaPlan
from tinysearch.networks.lowering import LoweredNetwork

ARITHMETIC = "tflite"
"""Of the kernels in a latency table."""

PORTABLE = "portable"
"""In place of a backend's name."""

OBJECTIVES = ("bom_cost_usd", "latency_s", "energy_mj")
"""What boards for one network differ in; all are minimized."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OwnNetwork:
    """A network with its plan.

    Attributes:
        name: of its file.
        labels: names of the classes that the first output holds; empty where none are given.
        accelerated: with the vector units of chips, by processor.
        execution: whether calls are bands.
    """

    name: str
    lowered: LoweredNetwork
    memory: ArenaPlan
    labels: tuple[str, ...] = ()
    accelerated: Mapping[str, Accelerated] = field(default_factory=dict)
    execution: Execution = PLAIN

    @property
    def weight_bytes(self) -> int:
        """Bytes of all constants in flash, every array aligned to 16 bytes."""
        arrays = [array.nbytes for call in self.lowered.calls for array in call.constants]
        arrays += [self.lowered.graph.tensors[index].size_bytes for index in self.lowered.constant_inputs]
        return array_bytes(arrays)

    @property
    def kernels(self) -> frozenset[str]:
        """Functions that it calls."""
        return frozenset(function for call in self.lowered.calls for function in call.functions)

    def code_bytes(self, code: CodeSizes) -> int:
        """Bytes of calls, constant structures and names in flash."""
        calls = self.lowered.calls
        layers = sum(code.layers[layer.function].flash for call in calls for layer in call.layers)
        steps = sum(1 if call.band is None else len(call.band.actions) for call in calls)
        named = [*(call.name for call in calls), *self.labels]
        names = sum(len(name.encode()) + code.name_alignment for name in named)
        return math.ceil(code.branch.flash + code.step.flash * steps + layers) + names

    @property
    def edge_bytes(self) -> int:
        """Bytes of all inputs and outputs, which the application keeps beside the arena."""
        graph = self.lowered.graph
        return sum(graph.tensors[index].size_bytes for index in (*graph.inputs, *graph.outputs))

    def profile(self, accelerated: Accelerated | None = None) -> Profile:
        """Features summed over the calls of each kernel class; a backend's weights are told by its steps."""
        found: dict[tuple[str, str], dict[str, float]] = {}
        costs = {} if accelerated is None else accelerated.costs
        apart = set() if accelerated is None else {step.key for step in accelerated.streamed}
        for number, call in enumerate(self.lowered.calls):
            portable = (((ARITHMETIC, kernel), features) for kernel, features in call.work)
            for key, features in (costs[number],) if number in costs else portable:
                if key in apart:
                    continue
                total = found.setdefault(key, dict.fromkeys(FEATURES, 0.0))
                for name, value in features.items():
                    total[name] += value
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkPoint:
    """A network on a board.

    Attributes:
        id: names the project's folder.
        network: as the board executes it.
        arena_in_psram: the arena does not fit into internal RAM.
        violations: rules that it breaks; empty where it can be built.
        evaluation: of the application around it; None for a console.
        accelerated: the network with the vector unit of the board's chip; None for portable kernels alone.
    """

    id: str
    network: OwnNetwork
    option: BoardOption
    flash: FlashPlan
    ram_bytes: int
    arena_in_psram: bool
    latency: LatencyEstimate
    energy_mj: float
    bom: tuple[BomLine, ...]
    order: OrderNote | None
    violations: tuple[Violation, ...]
    evaluation: Evaluation | None = None
    accelerated: Accelerated | None = None

    @property
    def backend(self) -> str:
        """Whose kernels compute what they can."""
        return PORTABLE if self.accelerated is None else self.accelerated.backend

    @property
    def feasible(self) -> bool:
        """Whether it breaks no rule."""
        return not self.violations

    @property
    def bom_cost_usd(self) -> float:
        """Price of all parts."""
        return sum(line.usd for line in self.bom)

    def values(self) -> tuple[float, ...]:
        """Of :data:`OBJECTIVES`."""
        return self.bom_cost_usd, self.latency.seconds, self.energy_mj

    def to_dict(self) -> dict[str, Any]:
        """The point as front.json spells it."""
        option = self.option
        return {
            "id": self.id,
            "platform": {
                "processor": option.family,
                "chip": option.processor,
                "cores": option.cores,
                "flash_bytes": option.flash_bytes,
                "psram_bytes": option.psram_bytes,
                "sensors": [] if self.evaluation is None else list(self.evaluation.sensors),
                "board": option.id,
                "board_name": option.name,
                **self.network.execution.to_dict(),
            },
            "requires": {"flash_bytes": self.flash.total_bytes, "ram_bytes": self.ram_bytes},
            "arena_in_psram": self.arena_in_psram,
            "backend": self.backend,
            "bom": [line.to_dict() for line in self.bom],
            "order": None if self.order is None else self.order.to_dict(),
            "values": {
                "bom_cost_usd": self.bom_cost_usd,
                "latency_s": self.latency.seconds,
                "latency_range_s": [self.latency.low, self.latency.high],
                "energy_mj": self.energy_mj,
            },
            "evidence": {"latency": "calibrated" if self.latency.calibrated else "uncalibrated"},
            "feasible": self.feasible,
            "violations": [violation.to_dict() for violation in self.violations],
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NetworkModels:
    """The analytic models of one configuration for networks of one's own."""

    catalog: Catalog
    latency: LatencyTable
    software: SoftwareSizes
    price_level: PriceLevel = "typical"
    budget_usd: float | None = None

    def flash(self, network: OwnNetwork, target: str, accelerated: Accelerated | None = None) -> FlashPlan:
        """What lies in flash on an ESP-IDF target; constants of a backend lie beside those of the portable kernels."""
        program = self.software.program_bytes(target, (), kernels=sorted(network.kernels))
        weights = network.weight_bytes
        if accelerated is not None:
            program += self.software.backend_bytes(accelerated.backend)
            weights += accelerated.constant_bytes
        code = network.code_bytes(self.software.code)
        return plan_flash(program_bytes=program + code, weight_bytes=weights, slots=AppSlots())

    def best(self, executions: Sequence[OwnNetwork], option: BoardOption) -> NetworkPoint:
        """A network on a board as it runs fastest there: of its executions, the first of equal ones."""
        return best_of([self.point(network, option) for network in executions])

    def point(self, network: OwnNetwork, option: BoardOption) -> NetworkPoint:
        """A network on a board, with every rule it breaks."""
        chip = self.catalog.chip(option.processor)
        edges = network.edge_bytes
        accelerated = self._accelerated(network, chip, option, edges)
        arena = (accelerated or network).memory.peak_bytes
        flash = self.flash(network, chip.idf_target, accelerated)
        slow = not self._fits(chip, arena, edges)
        latency = latency_of(self.latency, network, accelerated, processor=chip.id, arena_in_psram=slow)
        contention = self.latency.contention(chip.id)
        return NetworkPoint(
            id=_identity(network, option),
            network=network,
            option=option,
            flash=flash,
            ram_bytes=arena + edges,
            arena_in_psram=slow,
            latency=latency,
            energy_mj=float(energy_mj(chip, [latency.seconds], contention=contention)),
            bom=tuple(item.line(self.price_level) for item in option.items),
            order=option.order_note(quantity=self.catalog.quantity),
            violations=tuple(self._violations(option, chip, flash, psram_bytes=arena if slow else 0)),
            accelerated=accelerated,
        )

    def _fits(self, chip: Chip, arena_bytes: int, edge_bytes: int) -> bool:
        """Whether an arena lies in internal RAM."""
        heap = int(chip.heap_bytes.value) - self.software.reserved_bytes(()) - edge_bytes
        largest = int(chip.largest_block_bytes.value)
        return bool(in_sram([[arena_bytes]], heap_bytes=heap, largest_block_bytes=largest)[0, 0])

    def _accelerated(self, network: OwnNetwork, chip: Chip, option: BoardOption, edges: int) -> Accelerated | None:
        """The network with the chip's vector unit, unless its larger arena or its constants do not fit."""
        found = network.accelerated.get(chip.idf_target)
        if found is None:
            return None
        slower = self._fits(chip, network.memory.peak_bytes, edges) and not self._fits(
            chip, found.memory.peak_bytes, edges
        )
        fits = self.flash(network, chip.idf_target, found).total_bytes <= option.flash_bytes
        return None if slower or not fits else found

    def _violations(
        self, option: BoardOption, chip: Chip, flash: FlashPlan, *, psram_bytes: int
    ) -> Sequence[Violation]:
        found: list[Violation] = []
        if self.catalog.rules == "physical":
            build = option_build(option, chip, mapped_flash_bytes=flash.program_bytes + flash.weight_bytes)
            found += violations(build)
        if flash.total_bytes > option.flash_bytes:
            found.append(_over("flash", limit=option.flash_bytes, actual=flash.total_bytes))
        if psram_bytes > option.psram_bytes:
            found.append(_over("ram", limit=option.psram_bytes, actual=psram_bytes))
        if self.budget_usd is not None:
            over = over_budget(option, budget_usd=self.budget_usd, level=self.price_level)
            found += [over] if over is not None else []
        return found


def best_of(points: Sequence[NetworkPoint]) -> NetworkPoint:
    """The fastest of those that break the fewest rules."""
    return min(points, key=lambda point: (len(point.violations), point.latency.seconds))


def latency_of(
    table: LatencyTable,
    network: OwnNetwork,
    accelerated: Accelerated | None,
    *,
    processor: str,
    arena_in_psram: bool,
) -> LatencyEstimate:
    """Seconds of one inference, with the vector unit of a chip or, for None, with portable kernels alone."""
    portable = table.profile(network.profile(), processor=processor, arena_in_psram=arena_in_psram)
    if accelerated is None:
        return portable
    profile, streamed = network.profile(accelerated), accelerated.streamed
    found = table.profile(profile, streamed=streamed, processor=processor, arena_in_psram=arena_in_psram)
    return beside(found, portable)


_LABELS = {"flash": "flash", "ram": "an arena that does not fit into internal RAM, in PSRAM"}


def _over(rule: str, *, limit: int, actual: int) -> Violation:
    message = f"{_LABELS[rule]}: {format_bytes(max(actual - limit, 1))} over {format_bytes(limit)}"
    return Violation(rule=rule, limit=limit, actual=actual, message=message)


def _identity(network: OwnNetwork, option: BoardOption) -> str:
    """Name of the network, the board, and a digest of what the name leaves out."""
    name = re.sub(r"[^A-Za-z0-9]+", "-", network.name).strip("-").lower()[:40] or "network"
    digest = zlib.crc32(f"{network.name} {option.id}".encode())
    board = re.sub(r"[^A-Za-z0-9]+", "-", option.id).strip("-").lower()[:60]
    return f"{name}-{board}-{digest:08x}"
