"""What follows from a candidate without training: flash, RAM, board, latency, energy, and which rules it breaks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np

from tinysearch.analytic import flash as flash_model
from tinysearch.analytic.acquisition import acquisition_s
from tinysearch.analytic.energy import energy_mj
from tinysearch.analytic.latency import PORTABLE, Accelerated
from tinysearch.analytic.together import combine
from tinysearch.catalog.catalog import Catalog
from tinysearch.catalog.tables import SoftwareSizes
from tinysearch.core.candidate import BranchSpec, Candidate, PlatformChoice
from tinysearch.core.errors import UserError
from tinysearch.core.evaluation import BranchFigures, Evaluation
from tinysearch.core.execution import PLAIN, Execution
from tinysearch.core.limits import Limit
from tinysearch.core.objectives import recorded_name
from tinysearch.core.platform import BoardOption, BuildKind, Chip, PriceLevel
from tinysearch.core.power import PowerReport
from tinysearch.core.program import Program
from tinysearch.core.protocols import LatencyEstimate
from tinysearch.core.task import Capture, Task
from tinysearch.evaluation.boards import PlatformWish, attachable, badness, board_details, unsold
from tinysearch.evaluation.columns import board_needs, branch_columns, input_columns
from tinysearch.evaluation.needs import BranchNeeds, BranchSizes, LatencyRule, Requirement
from tinysearch.evaluation.networks import Networks
from tinysearch.evaluation.power import Supply
from tinysearch.evaluation.requirement import Floats, Ints
from tinysearch.evaluation.violations import broken_limits, broken_rules

COLUMNS = ("bom_cost_usd", "latency_s", "acquisition_s", "flash_bytes", "ram_bytes", "energy_mj")
"""Objectives that every enumeration has, and the time of capture."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AnalyticModels:
    """The models of one configuration, applied to candidates.

    Attributes:
        task: the inputs, and how each is sensed.
        price_level: at which prices the BOM is taken.
        budget_usd: None for no budget.
        supply: when the device decides and what it runs on; None where nobody asked for power.
        limits: of objectives that need no training.
        tells_power: whether boards of equal memory are told apart by what they draw, as objectives or limits of power
            want it; what nobody measured is left out then.
        accelerate: steps of a program that a backend computes on an ESP-IDF target; None for portable kernels alone.
        in_turn: whether branches are sensed and computed one after the other on any chip, as those of a cascade are.
        execution: of every candidate; :meth:`executing` gives the models of another one.
    """

    catalog: Catalog
    latency: LatencyRule
    networks: Networks
    task: Task
    price_level: PriceLevel = "typical"
    budget_usd: float | None = None
    supply: Supply | None = None
    limits: tuple[Limit, ...] = ()
    tells_power: bool = False
    accelerate: Callable[[Program, str], Accelerated] | None = None
    ota: bool = False
    in_turn: bool = False
    execution: Execution = PLAIN
    _accelerated: dict[tuple[Program, str], Accelerated] = field(default_factory=dict, repr=False)

    @property
    def software(self) -> SoftwareSizes:
        """Sizes of what is not the networks'."""
        return self.networks.software

    @property
    def slots(self) -> flash_model.AppSlots:
        """How the application lies in flash."""
        return flash_model.AppSlots(count=2 if self.ota else 1, spare_bytes=int(self.software.encrypted_bytes.value))

    @property
    def takes_turns(self) -> bool:
        """Whether branches run one after the other on any chip."""
        return self.in_turn or self.execution.cascade

    def worker(self, chip: Chip) -> Chip:
        """A chip with the cores that branches have to compute on; where they share one, all its power counts."""
        if self.execution.cores > 1:
            return replace(chip, one_core_power_w=None)
        return replace(chip, cores=1) if self.takes_turns else chip

    def executing(self, execution: Execution) -> AnalyticModels:
        """The same models of candidates that are executed in another way."""
        return self if execution == self.execution else replace(self, execution=execution)

    def differs(self, branch: BranchSpec) -> bool:
        """Whether a branch is executed otherwise than plainly; every one is where the execution is the plain one."""
        return self.execution == PLAIN or self.needs(branch) is not self.networks.needs(branch)

    def needs(self, branch: BranchSpec) -> BranchNeeds:
        """Needs of one branch, computed once."""
        return self.networks.needs(branch, self.execution)

    def sizes(self, branch: BranchSpec) -> BranchSizes:
        """The same without a program, for whoever asks for sizes alone."""
        return self.needs(branch)

    def branch_latency(
        self, branch: BranchSpec, *, processor: str, arena_in_psram: bool, backend: bool = True
    ) -> LatencyEstimate:
        """Seconds of one inference of a branch on one core of a processor, computed once.

        Args:
            backend: whether the branch has the backend, where one is configured that supports it.
        """
        program = self.needs(branch).program
        accelerated = self.accelerated(branch, processor) if backend else PORTABLE
        return self.latency.program(
            program, processor=processor, arena_in_psram=arena_in_psram, accelerated=accelerated
        )

    def portable_seconds(self, sizes: Sequence[BranchSizes], *, processor: str, arena_in_psram: bool) -> Floats:
        """Seconds of one inference of each of some branches by the portable kernels on one core, float64 [branches].

        Args:
            sizes: of the branches, as :meth:`sizes` gives them: looking needs up again costs more than the times do.
        """
        programs = [needs.program for needs in cast("Sequence[BranchNeeds]", sizes)]
        return self.latency.programs(programs, processor=processor, arena_in_psram=arena_in_psram)

    def accelerated(self, branch: BranchSpec, processor: str) -> Accelerated:
        """Steps of a branch that a backend can compute on a processor, found once."""
        if self.accelerate is None:
            return PORTABLE
        program, target = self.needs(branch).program, self.catalog.chip(processor).idf_target
        if (program, target) not in self._accelerated:
            self._accelerated[program, target] = self.accelerate(program, target)
        return self._accelerated[program, target]

    def arena_bytes(self, branch: BranchSpec, processor: str) -> int:
        """Arena of a branch on a processor, with the scratch of a backend that lies in it."""
        with_backend = self.accelerated(branch, processor).arena_bytes
        return self.sizes(branch).arena_bytes if with_backend is None else with_backend

    def backends_of(self, branches: Sequence[BranchSpec], processor: str) -> tuple[str, ...]:
        """Names of the backends that branches can have, by number; the first is empty, the portable kernels."""
        return "", *sorted({self.accelerated(branch, processor).name for branch in branches} - {""})

    def backend_bytes(self, accelerated: Accelerated) -> int:
        """Constants of a branch's backend in flash, beside those of the portable kernels; the paper counts none."""
        return 0 if self.networks.flash_rule == "paper" else accelerated.constant_bytes

    def capture(self, branch: BranchSpec) -> Capture:
        """What is captured for a branch."""
        return self.task.input(branch.modality).kind.capture(branch.shape)

    def board_options(
        self, names: Sequence[str], *, build: BuildKind | None = None, previews: bool = False
    ) -> tuple[BoardOption, ...]:
        """Boards of the catalogue with the sensors of some inputs; arguments are those of the catalogue."""
        kinds = [self.task.input(name).kind for name in names]
        found = self.catalog.board_options(self.task.sensors(tuple(names)), build=build, previews=previews)
        found = attachable(found, kinds, catalog=self.catalog.name)
        return found if self.supply is None else tuple(self.supply.billed(option) for option in found)

    def board_option(self, board: str, names: Sequence[str]) -> BoardOption:
        """One board by its id, with the sensors of some inputs."""
        option = self.catalog.board_option(board, self.task.sensors(tuple(names)))
        return option if self.supply is None else self.supply.billed(option)

    def _buffer_names(self, branches: Sequence[BranchSpec], *, one_arena: bool) -> list[str]:
        """Buffers of one decision in order of placement: arenas, then what is captured of each input."""
        if self.networks.memory_rule == "paper":
            return ["largest_activation"]
        names = ["arena"] if one_arena else [f"arena_{branch.modality}" for branch in branches]
        for branch in branches:
            buffer = self.capture(branch).buffer
            names.append(f"{buffer}_{branch.modality}" if buffer in names else buffer)
        return names

    def acquisition_s(self, branches: Sequence[BranchSpec], *, cores: int) -> float:
        """Capture and front-end of one attempt of some branches (s)."""
        return float(acquisition_s([self.sensing_s(branch) for branch in branches], cores=cores))

    def sensing_s(self, branch: BranchSpec) -> float:
        """Capture and front-end of one branch (s): the length of what is recorded, and what the latency table says."""
        (footprint,) = self.task.footprints([branch.modality])
        return self.capture(branch).seconds + self.latency.acquisition_s[footprint].value

    def reserve_bytes(self, chip: Chip, modalities: Sequence[str]) -> int:
        """Heap of a chip that buffers may take: usable heap less what drivers and tasks keep."""
        return int(chip.heap_bytes.value) - self.software.reserved_bytes(self.task.footprints(modalities))

    def require(self, branches: Sequence[BranchSpec], processor: str) -> Requirement:
        """What a set of branches needs of a processor's board: one row of :class:`BoardNeeds`."""
        backends = self.backends_of(branches, processor)
        alone = [input_columns(self, [branch]) for branch in branches]
        board = board_needs(self, [branch.modality for branch in branches], alone, processor, backends)
        needed = board.of([branch_columns(self, each, processor, backends) for each in alone])
        accelerated = [self.accelerated(branch, processor) for branch in branches]
        names = self._buffer_names(branches, one_arena=board.one_arena)
        return Requirement(
            flash=flash_model.plan_flash(
                program_bytes=needed.program_bytes.item(),
                weight_bytes=needed.weight_bytes.item(),
                slots=self.slots,
            ),
            flash_bytes=needed.flash_bytes.item(),
            ram_bytes=needed.ram_bytes.item(),
            psram_bytes=needed.psram_bytes.item(),
            buffers=dict(zip(names, needed.buffers.ravel().tolist(), strict=True)),
            placed=tuple(needed.placed.ravel().tolist()),
            backends=tuple(
                each if own.all() else PORTABLE for each, own in zip(accelerated, needed.served, strict=True)
            ),
            backend_code_bytes=needed.backend_code_bytes.item(),
        )

    def least_part_bytes(self, required: Ints) -> Ints:
        """The smallest flash part that takes what is required; the paper's rule wants it strictly larger."""
        return required + 1 if self.networks.flash_rule == "paper" else required

    def flash_fits(self, required: int, fitted: int) -> bool:
        """Whether a flash part takes what is required."""
        return bool(fitted >= self.least_part_bytes(np.array(required)))

    def options(self, branches: Sequence[BranchSpec], wish: PlatformWish) -> tuple[BoardOption, ...]:
        """Boards of the catalogue that serve the branches and are as wished, cheapest first."""
        modalities = [branch.modality for branch in branches]
        found = [option for option in self.board_options(modalities) if wish.admits(option)]
        if not found and wish.designs and wish != PlatformWish(designs=True):
            everything = self.board_options(modalities, build="any", previews=True)
            found = [option for option in everything if wish.admits(option)]
        return tuple(sorted(found, key=lambda option: (option.price_usd(self.price_level), option.id)))

    def evaluate(self, branches: Sequence[BranchSpec], option: BoardOption) -> Evaluation:
        """Analytic evaluation of branches on a board, with every rule it breaks."""
        branches = tuple(sorted(branches, key=lambda branch: branch.modality))
        requirement = self.require(branches, option.processor)
        latency, parts = self._latency(branches, option, requirement)
        chip = self.catalog.chip(option.processor)
        platform = PlatformChoice(
            processor=option.processor,
            flash_bytes=option.flash_bytes,
            psram_bytes=option.psram_bytes,
            board=option.id,
            execution=self.execution,
        )
        evaluation = Evaluation(
            candidate=Candidate(branches=branches, platform=platform),
            figures={
                branch.modality: self._figures(branch, part, backend, option.processor)
                for branch, part, backend in zip(branches, parts, requirement.backends, strict=True)
            },
            sensors=option.sensor_names,
            flash_bytes=requirement.flash_bytes,
            ram_bytes=requirement.ram_bytes,
            psram_bytes=requirement.psram_bytes,
            bom=tuple(item.line(self.price_level) for item in option.items),
            latency_s=latency.seconds,
            latency_range_s=(latency.low, latency.high),
            latency_evidence="calibrated" if latency.calibrated else "uncalibrated",
            acquisition_s=self.acquisition_s(branches, cores=self.worker(chip).cores),
            energy_mj=self._energy_mj(chip, parts),
            power=self._power(branches, option, requirement, latency, energy_mj=self._energy_mj(chip, parts)),
            violations=tuple(broken_rules(self, branches, option, requirement)),
            order=option.order_note(quantity=self.catalog.quantity),
            details=board_details(option, requirement, family=chip.family, level=self.price_level)
            | {
                "reads": {
                    branch.modality: [sensor.kind, sensor.name]
                    for branch in branches
                    if (sensor := option.sensor(self.task.input(branch.modality).kind.sensor)) is not None
                },
                "arena_bound_bytes": {branch.modality: self.sizes(branch).arena_bound_bytes for branch in branches},
                "branch_latency_s": {b.modality: part.seconds for b, part in zip(branches, parts, strict=True)},
                **(
                    {"branch_acquisition_s": {b.modality: self.sensing_s(b) for b in branches}}
                    if self.takes_turns
                    else {}
                ),
            },
            decision=self.task.decision,
            input_kinds={branch.modality: self.task.input(branch.modality).kind.name for branch in branches},
        )
        broken = broken_limits(self, evaluation, option)
        return replace(evaluation, violations=(*evaluation.violations, *broken)) if broken else evaluation

    def _power(
        self,
        branches: Sequence[BranchSpec],
        option: BoardOption,
        requirement: Requirement,
        latency: LatencyEstimate,
        *,
        energy_mj: float,
    ) -> PowerReport | None:
        """Average power at the schedule, where somebody asked for it."""
        if self.supply is None:
            return None
        cores = self.worker(self.catalog.chip(option.processor)).cores
        return self.supply.report(
            option,
            self.catalog.chip(option.processor),
            latency=latency,
            capture_s=self.acquisition_s(branches, cores=cores),
            compute_mj=energy_mj,
            image_bytes=requirement.flash.program_bytes + requirement.flash.weight_bytes,
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """Objectives that follow without training, as an enumeration has them; days on a battery are negative."""
        if not self.tells_power or self.supply is None:
            return COLUMNS
        days = (recorded_name("battery_days"),) if self.supply.battery is not None else ()
        return (*COLUMNS, "power_mw", *days)

    def _latency(
        self, branches: Sequence[BranchSpec], option: BoardOption, requirement: Requirement
    ) -> tuple[LatencyEstimate, list[LatencyEstimate]]:
        where = dict(zip(requirement.buffers, requirement.placed, strict=True))
        parts, processor = [], option.processor
        for branch, backend in zip(branches, requirement.backends, strict=True):
            slow, fast = not where.get(f"arena_{branch.modality}", where.get("arena", True)), bool(backend.steps)
            parts.append(self.branch_latency(branch, processor=processor, arena_in_psram=slow, backend=fast))
        contention = self.latency.contention(option.processor)
        cores = self.worker(self.catalog.chip(processor)).cores
        return combine(parts, cores=cores, contention=contention), parts

    def _energy_mj(self, chip: Chip, parts: Sequence[LatencyEstimate]) -> float:
        return float(
            energy_mj(self.worker(chip), [part.seconds for part in parts], contention=self.latency.contention(chip.id))
        )

    def _figures(
        self, branch: BranchSpec, latency: LatencyEstimate, backend: Accelerated, processor: str
    ) -> BranchFigures:
        needs = self.sizes(branch)
        return BranchFigures(
            params=needs.params,
            macs=needs.macs,
            weight_bytes=needs.weight_bytes + self.backend_bytes(backend),
            arena_bytes=self.arena_bytes(branch, processor),
            latency_s=latency.seconds,
        )

    def choose(
        self, branches: Sequence[BranchSpec], wish: PlatformWish, *, executions: Sequence[Execution] = (PLAIN,)
    ) -> Evaluation:
        """The cheapest board as wished that carries the branches; if none does, the one that fails by the fewest rules.

        A platform that nobody sells is judged all the same, with an empty bill of materials.

        Args:
            executions: of which a board takes the fastest that fits it.

        Raises:
            UserError: an unknown processor, no board of the catalogue serves the modalities, or no execution is
                possible.
        """
        if wish.processor is not None:
            self.catalog.chip(wish.processor)
        found = self.options(branches, wish)
        if not found:
            names = tuple(branch.modality for branch in branches)
            found = (unsold(self.catalog, self.task.sensors(names), wish, names=names),)
        best: Evaluation | None = None
        for option in found:
            tried = [models.evaluate(branches, option) for models in self._executing(branches, option, executions)]
            if not tried:
                continue
            evaluation = min(tried, key=lambda one: (*badness(one), one.latency_s))
            if evaluation.feasible:
                return evaluation
            if best is None or badness(evaluation) < badness(best):
                best = evaluation
        if best is None:
            raise UserError(
                "two cores must have one branch to share, with heavy int8 steps, and a chip that has two cores",
                value=f"{' and '.join(branch.short for branch in branches)} on {found[0].processor}",
                remedy="leave platform.cores out, or choose a chip such as platform.processor=esp32s3",
            )
        return best

    def _executing(
        self, branches: Sequence[BranchSpec], option: BoardOption, executions: Sequence[Execution]
    ) -> Iterator[AnalyticModels]:
        """The models of some executions that do different things with branches on a board."""
        chip = self.catalog.chip(option.processor)
        for execution in executions:
            models = self.executing(execution)
            if execution.possible(branches=len(branches), cores=chip.cores) and any(map(models.differs, branches)):
                yield models
