"""Every candidate of a space through the analytic models at once, in arrays.

For each combination of branches and each processor the board is exact and cheap to choose: with the chip fixed,
latency, flash and RAM do not depend on which board carries it, so the cheapest board that fits dominates all others.
The arithmetic is that by which :class:`~tinysearch.evaluation.analytic.AnalyticModels` judge a single design
(:mod:`tinysearch.evaluation.requirement`).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from tinysearch.analytic.acquisition import acquisition_s
from tinysearch.analytic.bom import OptionTable, affordable, option_table
from tinysearch.analytic.energy import energy_mj
from tinysearch.analytic.rules import needs_psram, option_build, violations, window_bytes
from tinysearch.analytic.together import together
from tinysearch.core.candidate import BranchSpec
from tinysearch.core.execution import Execution
from tinysearch.core.objectives import recorded_name, recorded_value
from tinysearch.core.platform import BoardOption, Chip
from tinysearch.evaluation.analytic import COLUMNS, AnalyticModels
from tinysearch.evaluation.chunk import NO_OPTION, DesignChunk
from tinysearch.evaluation.columns import InputColumns, board_needs, branch_columns, input_columns
from tinysearch.evaluation.requirement import BoardNeeds, BranchColumns, Ints, largest
from tinysearch.evaluation.tiers import first_time, power_columns, tiers

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
    anywhere: dict[tuple[Execution, str], InputColumns] = {}
    arrays: dict[tuple[Execution, str, str, tuple[str, ...]], BranchColumns] = {}
    for modalities in space.combinations:
        options = [o for o in models.board_options(modalities) if _usable(models, o, modalities)]
        boards = option_table(options, level=models.price_level)
        for processor in boards.processors:
            chip = models.catalog.chip(processor)
            if space.processors is not None and not {chip.id, chip.family} & set(space.processors):
                continue
            for execution in space.executions:
                if not execution.possible(branches=len(modalities), cores=chip.cores):
                    continue
                own = models.executing(execution)
                for modality in modalities:
                    if (execution, modality) not in anywhere:
                        anywhere[execution, modality] = input_columns(own, lists[modality])
                inputs = [anywhere[execution, modality] for modality in modalities]
                if not any(each.differs.any() for each in inputs):
                    continue
                backends = own.backends_of([branch for each in inputs for branch in each.branches], chip.id)
                for modality, each in zip(modalities, inputs, strict=True):
                    if (execution, modality, chip.id, backends) not in arrays:
                        columns = branch_columns(own, each, chip.id, backends)
                        arrays[execution, modality, chip.id, backends] = columns
                parts = tuple(arrays[execution, modality, chip.id, backends] for modality in modalities)
                yield DesignCase(
                    models=own,
                    chip=own.worker(chip),
                    modalities=modalities,
                    tiers=tiers(own, options, chip) if own.tells_power else (boards,),
                    needs=board_needs(own, modalities, inputs, chip.id, backends),
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


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignCase:
    """One processor and one combination of modalities.

    Attributes:
        chip: with the cores that branches have to compute on (:meth:`AnalyticModels.worker`).
        tiers: sets of boards, of each of which a candidate takes the cheapest; one, but where boards are told apart by
            what they draw (:mod:`tinysearch.evaluation.tiers`).
        needs: how they are laid out on the chip.
        parts: all branches, by input.
    """

    models: AnalyticModels
    chip: Chip
    modalities: tuple[str, ...]
    tiers: tuple[OptionTable, ...]
    needs: BoardNeeds
    parts: tuple[BranchColumns, ...]

    def of(self, members: Ints) -> Iterator[DesignChunk]:
        """Some candidates, once for every tier of boards.

        Args:
            members: int64 [n, inputs], the branch of each input, index into ``space.branches(modality)``.
        """
        parts = [part.rows(chosen) for part, chosen in zip(self.parts, members.T, strict=True)]
        yield from self.evaluate(parts, start=0, counts=tuple(len(part.kernels) for part in self.parts))

    def evaluate(self, parts: Sequence[BranchColumns], *, start: int, counts: tuple[int, ...]) -> Iterator[DesignChunk]:
        """All combinations of the parts' branches, each part along its own axis; once for every tier of boards."""
        needed = self.needs.of(parts)
        flash, ram, psram, mapped = needed.flash_bytes, needed.ram_bytes, needed.psram_bytes, needed.mapped_bytes
        contention = self.models.latency.contention(self.chip.id)
        latency = together(needed.seconds, cores=self.chip.cores, contention=contention)
        energy = energy_mj(self.chip, needed.seconds, contention=contention)
        acquired = acquisition_s([part.sensing_s for part in parts], cores=self.chip.cores)
        shape = np.broadcast_shapes(flash.shape, ram.shape)
        flash, ram, psram, mapped = (np.broadcast_to(array, shape).ravel() for array in (flash, ram, psram, mapped))
        latency, energy, acquired = (np.broadcast_to(array, shape).ravel() for array in (latency, energy, acquired))
        pixels = np.broadcast_to(largest(part.pixels for part in parts), shape).ravel()
        differs = np.broadcast_to(functools.reduce(np.logical_or, [p.differs for p in parts]), shape).ravel()
        whole = self.models.catalog.chip(self.chip.id)  # what it draws while branches do not compute
        had: list[npt.NDArray[np.str_]] = []
        for boards in self.tiers:
            option = self._choose(boards, self.models.least_part_bytes(flash), psram, mapped=mapped, pixels=pixels)
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
            chunk = replace(chunk, power=power_columns(self.models, whole, chunk, image_bytes=mapped))
            kept = differs & affordable(price, self.models.budget_usd) & self._within_limits(chunk)
            option = np.where(kept, option, np.int32(NO_OPTION))
            yield replace(chunk, option=option, price_usd=np.where(option == NO_OPTION, np.nan, price))

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
        wanted = np.where(needs_psram(pixels), np.maximum(psram, 1), psram)
        option = boards.cheapest(processor=self.chip.id, flash_bytes=flash, psram_bytes=wanted)
        seen = window_bytes(self.chip, mapped, np.append(boards.psram_bytes, 0)[option])
        return np.where(seen <= int(self.chip.flash_window_bytes.value), option, np.int32(NO_OPTION))
