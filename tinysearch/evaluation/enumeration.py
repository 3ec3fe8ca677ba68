"""Every candidate of a space through the analytic models at once, in arrays.

For each model (one branch, or a pair) and each processor the board is exact and cheap to choose: with the chip fixed,
latency, flash and RAM do not depend on which board carries it, so the cheapest board that fits dominates all others.
The arithmetic is that of :class:`~tinysearch.evaluation.analytic.AnalyticModels`, one array operation a rule, and tests
hold both to the same numbers.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from tinysearch.analytic.acquisition import acquisition_s
from tinysearch.analytic.bom import BUDGET_SLACK_USD, OptionTable, option_table
from tinysearch.analytic.energy import energy_mj
from tinysearch.analytic.flash import PAPER_PROGRAM_BYTES
from tinysearch.analytic.placement import in_sram, paper_psram_bytes, psram_bytes
from tinysearch.analytic.rules import option_build, violations
from tinysearch.core.candidate import BranchSpec
from tinysearch.core.execution import Execution
from tinysearch.core.objectives import recorded_name, recorded_value
from tinysearch.core.platform import BoardOption, Chip
from tinysearch.evaluation.analytic import COLUMNS, AnalyticModels
from tinysearch.evaluation.chunk import NO_OPTION, DesignChunk
from tinysearch.evaluation.tiers import first_time, power_columns, tiers
from tinysearch.inputs.camera import CIF_PIXELS

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

__all__ = ["COLUMNS", "NO_OPTION", "Candidates", "DesignChunk", "enumerate_designs"]

_CHUNK = 1 << 18


class Candidates(Protocol):
    """What is enumerated: a whole :class:`~tinysearch.space.Space`, or the part of one whose branches are known."""

    @property
    def processors(self) -> tuple[str, ...] | None:
        """Chips to consider, None for all of the catalogue."""
        ...

    @property
    def combinations(self) -> Sequence[tuple[str, ...]]:
        """Sets of inputs."""
        ...

    @property
    def executions(self) -> tuple[Execution, ...]:
        """Ways to execute branches, the plain one first."""
        ...

    def branch_modalities(self) -> tuple[str, ...]:
        """Inputs that need branches."""
        ...

    def branches(self, modality: str) -> tuple[BranchSpec, ...]:
        """Every branch of one input, in a fixed order."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _BranchArrays:
    """Needs of branches of one modality on one processor, by branch.

    Attributes:
        kernels: number of its set of kernels.
        backend: number of its backend among those of the case, 0 for portable kernels.
        backend_bytes: of the backend's own constants.
        sram_s, psram_s: latency by place of the arena, with a backend where there is one.
        portable_sram_s, portable_psram_s: by the portable kernels.
        alone_macs: MACs of a branch whose backend serves a single one, -1 of others.
        sensing_s: capture and front-end, before the network.
        differs: whether it is executed otherwise than plainly; true of all in the plain execution.
    """

    kernels: Ints
    backend: Ints
    backend_bytes: Ints
    code_bytes: Ints
    weight_bytes: Ints
    arena_bytes: Ints
    sram_s: Floats
    psram_s: Floats
    portable_sram_s: Floats
    portable_psram_s: Floats
    alone_macs: Ints
    sensing_s: Floats
    captured_bytes: Ints
    pixels: Ints
    paper_psram_bytes: Ints
    differs: Bools

    def rows(self, selected: slice | Ints) -> _BranchArrays:
        """Some of the branches."""
        return _BranchArrays(**{each.name: getattr(self, each.name)[selected] for each in fields(self)})

    def along(self, axis: int, axes: int) -> _BranchArrays:
        """Shaped to broadcast against the branches of other modalities."""
        shape = [-1 if place == axis else 1 for place in range(axes)]
        return _BranchArrays(**{each.name: getattr(self, each.name).reshape(shape) for each in fields(self)})


def enumerate_designs(models: AnalyticModels, space: Candidates, *, chunk: int = _CHUNK) -> Iterator[DesignChunk]:
    """All candidates of a space, processor by processor, in chunks of bounded memory.

    A candidate has the cheapest board that fits. Where the models tell boards apart by what they draw, it comes again
    with every dearer board that may draw less; a row with a board that it has already had is without one.

    Args:
        models: the analytic models; the budget is theirs.
        space: what may vary.
        chunk: rows at a time, rounded to whole branches of the first modality.

    Raises:
        UserError: the space names a processor that the catalogue has not.
    """
    for case in design_cases(models, space):
        counts = tuple(len(part.kernels) for part in case.parts)
        others = math.prod(counts[1:])
        for first in range(0, counts[0], max(1, chunk // others)):
            selected = slice(first, first + max(1, chunk // others))
            parts = [case.parts[0].rows(selected), *case.parts[1:]]
            parts = [part.along(axis, len(parts)) for axis, part in enumerate(parts)]
            yield from case.evaluate(parts, start=first * others, counts=counts)


def design_cases(models: AnalyticModels, space: Candidates) -> Iterator[DesignCase]:
    """Each processor of each combination of inputs and each way to execute them, with the needs of their branches.

    Raises:
        UserError: the space names a processor that the catalogue has not.
    """
    for processor in space.processors or ():
        models.catalog.chip(processor)
    lists = {modality: space.branches(modality) for modality in space.branch_modalities()}
    arrays: dict[tuple[Execution, str, str, tuple[str, ...]], _BranchArrays] = {}
    for modalities in space.combinations:
        options = [o for o in models.board_options(modalities) if _usable(models, o, modalities)]
        boards = option_table(options, level=models.price_level)
        for processor in boards.processors:
            chip = models.catalog.chip(processor)
            if space.processors is not None and not {chip.id, chip.family} & set(space.processors):
                continue
            chosen = [lists[modality] for modality in modalities]
            for execution in space.executions:
                if not execution.possible(branches=len(modalities), cores=chip.cores):
                    continue
                own = models.executing(execution)
                backends = ("", *sorted({own.accelerated(b, chip.id).name for each in chosen for b in each} - {""}))
                for modality, branches in zip(modalities, chosen, strict=True):
                    if (execution, modality, chip.id, backends) not in arrays:
                        arrays[execution, modality, chip.id, backends] = _branch_arrays(own, branches, chip, backends)
                parts = tuple(arrays[execution, modality, chip.id, backends] for modality in modalities)
                if not any(part.differs.any() for part in parts):
                    continue
                sets = [_kernel_sets(own, branches) for branches in chosen]
                yield DesignCase(
                    models=own,
                    chip=own.worker(chip),
                    modalities=modalities,
                    tiers=tiers(own, options, chip) if own.tells_power else (boards,),
                    programs=_programs(own, chip, modalities, sets),
                    backends=backends,
                    parts=parts,
                )


def _usable(models: AnalyticModels, option: BoardOption, modalities: Sequence[str]) -> bool:
    """Whether a board obeys the rules that hold for every model: the battery's, and what the chip can drive."""
    chip = models.catalog.chip(option.processor)
    if models.supply is not None and models.supply.too_weak(option, chip) is not None:
        return False
    if models.catalog.rules != "physical":
        return True
    return not violations(option_build(option, chip, drivers=models.task.drivers(modalities)))


def _kernel_sets(models: AnalyticModels, branches: Sequence[BranchSpec]) -> list[frozenset[str]]:
    """The different sets of kernels that branches need, in order of appearance."""
    return list(dict.fromkeys(models.needs(branch).kernels for branch in branches))


def _programs(
    models: AnalyticModels, chip: Chip, modalities: Sequence[str], sets: Sequence[Sequence[frozenset[str]]]
) -> Ints:
    """Bytes of the program without branches, by the set of kernels of each modality's branch: one axis a modality."""
    sizes = [
        models.software.program_bytes(
            chip.idf_target, models.task.footprints(modalities), kernels=frozenset[str]().union(*chosen)
        )
        for chosen in itertools.product(*sets)
    ]
    return np.array(sizes, np.int64).reshape([len(choices) for choices in sets])


def _branch_arrays(
    models: AnalyticModels, branches: Sequence[BranchSpec], chip: Chip, backends: Sequence[str]
) -> _BranchArrays:
    needs = [models.needs(branch) for branch in branches]
    times = [
        [models.branch_latency(b, processor=chip.id, arena_in_psram=slow, backend=fast).seconds for b in branches]
        for fast in (True, False)
        for slow in (False, True)
    ]
    accelerated = [models.accelerated(branch, chip.id) for branch in branches]
    alone = [n.macs if a.steps and not a.shared else -1 for n, a in zip(needs, accelerated, strict=True)]
    captures = [models.capture(branch) for branch in branches]
    sets = {kernels: number for number, kernels in enumerate(_kernel_sets(models, branches))}
    return _BranchArrays(
        kernels=np.array([sets[n.kernels] for n in needs], np.int64),
        backend=np.array([backends.index(each.name) for each in accelerated], np.int64),
        backend_bytes=np.array([models.backend_bytes(each) for each in accelerated], np.int64),
        code_bytes=np.array([n.code_bytes for n in needs], np.int64),
        weight_bytes=np.array([n.weight_bytes for n in needs], np.int64),
        arena_bytes=np.array([models.arena_bytes(branch, chip.id) for branch in branches], np.int64),
        sram_s=np.array(times[0]),
        psram_s=np.array(times[1]),
        portable_sram_s=np.array(times[2]),
        portable_psram_s=np.array(times[3]),
        alone_macs=np.array(alone, np.int64),
        sensing_s=np.array([models.sensing_s(branch) for branch in branches]),
        captured_bytes=np.array([capture.size_bytes for capture in captures], np.int64),
        pixels=np.array([capture.pixels for capture in captures], np.int64),
        paper_psram_bytes=np.array([paper_psram_bytes(branch.precision) for branch in branches], np.int64),
        differs=np.array([models.differs(branch) for branch in branches], np.bool_),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignCase:
    """One processor and one combination of modalities.

    Attributes:
        tiers: sets of boards, of each of which a candidate takes the cheapest; one, but where boards are told apart by
            what they draw (:mod:`tinysearch.evaluation.tiers`).
        programs: size of the program by sets of kernels.
        backends: names of the backends of its branches, after an empty one.
        parts: needs of all branches, by input.
    """

    models: AnalyticModels
    chip: Chip
    modalities: tuple[str, ...]
    tiers: tuple[OptionTable, ...]
    programs: Ints
    backends: tuple[str, ...]
    parts: tuple[_BranchArrays, ...]

    def of(self, members: Ints) -> Iterator[DesignChunk]:
        """Some candidates, once for every tier of boards.

        Args:
            members: int64 [n, inputs], the branch of each input, index into ``space.branches(modality)``.
        """
        parts = [part.rows(chosen) for part, chosen in zip(self.parts, members.T, strict=True)]
        yield from self.evaluate(parts, start=0, counts=tuple(len(part.kernels) for part in self.parts))

    def evaluate(self, parts: Sequence[_BranchArrays], *, start: int, counts: tuple[int, ...]) -> Iterator[DesignChunk]:
        """All combinations of the parts' branches, each part along its own axis; once for every tier of boards."""
        parts = self._with_backend(parts)
        weights = _sum(part.weight_bytes for part in parts)
        mapped = weights + _sum(part.backend_bytes + part.code_bytes for part in parts)
        mapped = mapped + self.programs[tuple(part.kernels for part in parts)] + self._backend_code(parts)
        paper = self.models.flash_rule == "paper"
        flash = weights + PAPER_PROGRAM_BYTES if paper else self.models.slots.total_bytes(mapped)
        ram, psram, seconds = self._memory_and_seconds(parts)
        contention = self.models.latency.contention(self.chip.id)
        latency = self._together(seconds, contention=contention)
        energy = energy_mj(self.chip, seconds, contention=contention)
        acquired = acquisition_s([part.sensing_s for part in parts], cores=self.chip.cores)
        shape = np.broadcast_shapes(flash.shape, ram.shape)
        flash, ram, psram, mapped = (np.broadcast_to(array, shape).ravel() for array in (flash, ram, psram, mapped))
        latency, energy, acquired = (np.broadcast_to(array, shape).ravel() for array in (latency, energy, acquired))
        pixels = np.broadcast_to(_largest(part.pixels for part in parts), shape).ravel()
        differs = np.broadcast_to(functools.reduce(np.logical_or, [p.differs for p in parts]), shape).ravel()
        had: list[npt.NDArray[np.str_]] = []
        for boards in self.tiers:
            option = self._choose(boards, flash + 1 if paper else flash, psram, mapped=mapped, pixels=pixels)
            if len(self.tiers) > 1:
                option = first_time(option, boards, had)
            price = boards.prices(option)
            chunk = DesignChunk(
                modalities=self.modalities,
                processor=self.chip.id,
                execution=self.models.execution,
                start=start,
                counts=counts,
                options=boards.options,
                option=option,
                price_usd=price,
                latency_s=latency,
                acquisition_s=acquired,
                energy_mj=energy,
                flash_bytes=flash,
                ram_bytes=ram,
                psram_bytes=psram,
            )
            chunk = replace(chunk, power=power_columns(self.models, self.chip, chunk, image_bytes=mapped))
            kept = differs & self._affordable(price) & self._within_limits(chunk)
            option = np.where(kept, option, np.int32(NO_OPTION))
            yield replace(chunk, option=option, price_usd=np.where(option == NO_OPTION, np.nan, price))

    def _affordable(self, price: Floats) -> npt.NDArray[np.bool_]:
        budget = self.models.budget_usd
        return np.isfinite(price) if budget is None else price <= budget + BUDGET_SLACK_USD

    def _within_limits(self, chunk: DesignChunk) -> npt.NDArray[np.bool_]:
        """Rows that keep every limit, and whose power is known where it is told."""
        values = dict(zip(self.models.columns, chunk.values.T, strict=True))
        kept = np.isfinite(sum(chunk.power.values(), np.zeros(len(chunk.option))))
        for limit in (each for each in self.models.limits if not each.is_error):
            kept &= limit.keeps(recorded_value(limit.objective, values[recorded_name(limit.objective)]))
        return kept

    def _choose(
        self, boards: OptionTable, flash: Ints, psram: Ints, *, mapped: Ints, pixels: Ints
    ) -> npt.NDArray[np.int32]:
        """The cheapest board of each row that fits and that the chip can drive with this model."""
        if self.models.catalog.rules != "physical":
            return boards.cheapest(processor=self.chip.id, flash_bytes=flash, psram_bytes=psram)
        wanted = np.where(pixels > CIF_PIXELS, np.maximum(psram, 1), psram)
        option = boards.cheapest(processor=self.chip.id, flash_bytes=flash, psram_bytes=wanted)
        window = int(self.chip.flash_window_bytes.value)
        fitted = mapped
        if self.chip.psram is not None and self.chip.psram.shared_with_flash:
            fitted = mapped + np.append(boards.psram_bytes, 0)[option]
        return np.where((mapped <= window) & (fitted <= window), option, np.int32(NO_OPTION))

    def _memory_and_seconds(self, parts: Sequence[_BranchArrays]) -> tuple[Ints, Ints, list[Floats]]:
        """RAM and PSRAM (bytes) and time of each branch (s), by ``AnalyticModels.buffers`` and ``require``."""
        shared = self.chip.cores == 1 and len(parts) > 1
        if self.models.memory_rule == "paper":
            psram = _largest(part.paper_psram_bytes for part in parts)
            return psram, psram, [part.sram_s for part in parts]
        arenas = [_largest(part.arena_bytes for part in parts)] if shared else [part.arena_bytes for part in parts]
        buffers = np.stack(np.broadcast_arrays(*arenas, *(part.captured_bytes for part in parts)), axis=-1)
        flat = buffers.reshape(-1, buffers.shape[-1])
        placed = in_sram(
            flat,
            heap_bytes=self.models.reserve_bytes(self.chip, self.modalities),
            largest_block_bytes=int(self.chip.largest_block_bytes.value),
        )
        psram = psram_bytes(flat, placed).reshape(buffers.shape[:-1])
        seconds = []
        for place, part in enumerate(parts):
            inside = placed[:, 0 if shared else place].reshape(buffers.shape[:-1])
            seconds.append(np.where(inside, part.sram_s, part.psram_s))
        return buffers.sum(axis=-1), psram, seconds

    def _with_backend(self, parts: Sequence[_BranchArrays]) -> Sequence[_BranchArrays]:
        """The parts with portable kernels where a rival of more MACs has the backend."""
        if sum((part.alone_macs >= 0).any() for part in parts) < 2:
            return parts
        found = []
        for place, part in enumerate(parts):
            wins = [part.alone_macs > other.alone_macs for other in parts[:place]]
            wins += [part.alone_macs >= other.alone_macs for other in parts[place + 1 :]]
            found.append(_yielding(part, functools.reduce(np.logical_and, wins)))
        return found

    def _backend_code(self, parts: Sequence[_BranchArrays]) -> Ints:
        """Bytes of the program for backends, each once."""
        code: Ints = np.zeros((), np.int64)
        for number, name in enumerate(self.backends[1:], start=1):
            present = functools.reduce(np.logical_or, [part.backend == number for part in parts])
            code = code + self.models.software.backend_bytes(name) * present
        return code

    def _together(self, seconds: Sequence[Floats], *, contention: float) -> Floats:
        """The longest branch beside all others on two cores, one after the other on one."""
        if len(seconds) > 1 and self.chip.cores > 1:
            longest, total = _largest(seconds), _sum(seconds)
            return (longest if len(seconds) == 2 else np.maximum(longest, total - longest)) * contention
        return _sum(seconds)


def _yielding(part: _BranchArrays, wins: npt.NDArray[np.bool_]) -> _BranchArrays:
    has = wins | (part.alone_macs < 0)
    return replace(
        part,
        backend=np.where(has, part.backend, 0),
        backend_bytes=np.where(has, part.backend_bytes, 0),
        sram_s=np.where(has, part.sram_s, part.portable_sram_s),
        psram_s=np.where(has, part.psram_s, part.portable_psram_s),
    )


def _sum(arrays: Iterable[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    return functools.reduce(np.add, arrays)


def _largest(arrays: Iterable[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    return functools.reduce(np.maximum, arrays)
