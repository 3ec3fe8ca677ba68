"""A network of one's own through the analytic models: what it needs of a board, and which boards carry it."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tinysearch.analytic.bom import over_budget
from tinysearch.analytic.energy import energy_mj
from tinysearch.analytic.flash import AppSlots, FlashPlan, plan_flash
from tinysearch.analytic.latency import LatencyTable, beside
from tinysearch.analytic.rules import option_build, violations
from tinysearch.catalog.catalog import Catalog
from tinysearch.catalog.tables import SoftwareSizes
from tinysearch.core.bill import BomLine, OrderNote
from tinysearch.core.evaluation import Evaluation
from tinysearch.core.limits import Violation
from tinysearch.core.platform import BoardOption, Chip, PriceLevel
from tinysearch.core.protocols import LatencyEstimate
from tinysearch.core.units import format_bytes
from tinysearch.evaluation.own_memory import ExternalRam, Splits, external_ram
from tinysearch.evaluation.own_profile import OwnNetwork
from tinysearch.networks.accelerated import Accelerated

PORTABLE = "portable"
"""In place of a backend's name."""

OBJECTIVES = ("bom_cost_usd", "latency_s", "energy_mj")
"""What boards for one network differ in; all are minimized."""


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

    def _split(self) -> dict[str, int] | None:
        """Bytes of both arenas and of the traffic to the second one in an inference; None where there is one arena."""
        network = self.network
        if not network.slow_bytes:
            return None
        return {
            "sram_bytes": network.memory.peak_bytes,
            "psram_bytes": network.slow_bytes,
            "psram_read_bytes": network.traffic.read,
            "psram_written_bytes": network.traffic.written,
        }

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
                **self.network.placement(),
            },
            "requires": {"flash_bytes": self.flash.total_bytes, "ram_bytes": self.ram_bytes},
            "arena_in_psram": self.arena_in_psram,
            "split": self._split(),
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
    """The analytic models of one configuration for networks of one's own.

    Attributes:
        sram_bytes: of internal RAM that an arena may take; None for what a chip has.
        splits: finds networks in two memories; None for none.
    """

    catalog: Catalog
    latency: LatencyTable
    software: SoftwareSizes
    price_level: PriceLevel = "typical"
    budget_usd: float | None = None
    sram_bytes: int | None = None
    splits: Splits | None = None

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
        points = [self.point(network, option) for network in executions]
        if all(point.arena_in_psram for point in points):
            whole = executions[0]
            divided = self._divided(whole, self.catalog.chip(option.processor), option)
            points += [] if divided is None else [self.point(divided, option)]
        return best_of(points)

    def _divided(self, network: OwnNetwork, chip: Chip, option: BoardOption) -> OwnNetwork | None:
        """The network in internal and external RAM; None on boards without, or where nothing is known of its speed."""
        external = self._external(chip, option)
        if external is None or self.splits is None:
            return None
        room = self._room(chip, network.edge_bytes)
        return self.splits.of(network, processor=chip.id, fast_bytes=room, external=external)

    def _external(self, chip: Chip, option: BoardOption) -> ExternalRam | None:
        return external_ram(self.latency.timing(chip.id).psram, chip, option)

    def point(self, network: OwnNetwork, option: BoardOption) -> NetworkPoint:
        """A network on a board, with every rule it breaks."""
        chip = self.catalog.chip(option.processor)
        edges = network.edge_bytes
        accelerated = self._accelerated(network, chip, option, edges)
        arena = (accelerated or network).memory.peak_bytes
        flash = self.flash(network, chip.idf_target, accelerated)
        slow = not self._fits(chip, arena, edges)
        latency = self._latency(network, accelerated, chip, option, arena_in_psram=slow)
        contention = self.latency.contention(chip.id)
        outside = (arena if slow else 0) + network.slow_bytes
        return NetworkPoint(
            id=_identity(network, option),
            network=network,
            option=option,
            flash=flash,
            ram_bytes=arena + network.slow_bytes + edges,
            arena_in_psram=slow,
            latency=latency,
            energy_mj=float(energy_mj(chip, [latency.seconds], contention=contention)),
            bom=tuple(item.line(self.price_level) for item in option.items),
            order=option.order_note(quantity=self.catalog.quantity),
            violations=tuple(self._violations(option, chip, flash, psram_bytes=outside)),
            accelerated=accelerated,
        )

    def _latency(
        self,
        network: OwnNetwork,
        accelerated: Accelerated | None,
        chip: Chip,
        option: BoardOption,
        *,
        arena_in_psram: bool,
    ) -> LatencyEstimate:
        """Seconds of one inference; portable kernels wait for every byte that they read and write in external RAM."""
        external = self._external(chip, option) if accelerated is None else None
        if external is None or not (arena_in_psram or network.slow_bytes):
            return latency_of(self.latency, network, accelerated, processor=chip.id, arena_in_psram=arena_in_psram)
        traffic = external.whole(network) if arena_in_psram else network.traffic
        alone = latency_of(self.latency, network, None, processor=chip.id, arena_in_psram=False)
        return external.added(alone, traffic)

    def _room(self, chip: Chip, edge_bytes: int) -> int:
        """Bytes of internal RAM in one piece for an arena."""
        heap = int(chip.heap_bytes.value) - self.software.reserved_bytes(()) - edge_bytes
        room = min(heap, int(chip.largest_block_bytes.value))
        return room if self.sram_bytes is None else min(room, self.sram_bytes)

    def _fits(self, chip: Chip, arena_bytes: int, edge_bytes: int) -> bool:
        """Whether an arena lies in internal RAM."""
        return arena_bytes <= self._room(chip, edge_bytes)

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
