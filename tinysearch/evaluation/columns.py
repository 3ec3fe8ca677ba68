"""From branches to arrays: what all branches of an input need of a chip, and how those of some inputs are laid out."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tinysearch.analytic.placement import paper_psram_bytes
from tinysearch.core.candidate import BranchSpec
from tinysearch.evaluation.needs import BranchSizes
from tinysearch.evaluation.requirement import BoardNeeds, Bools, BranchColumns, Floats, Ints

if TYPE_CHECKING:
    from tinysearch.evaluation.analytic import AnalyticModels


@dataclass(frozen=True, slots=True, kw_only=True)
class InputColumns:
    """What branches of one input need on any processor, by branch; attributes as of :class:`BranchColumns`.

    Attributes:
        kernel_sets: the different sets of kernels, as ``kernels`` counts them.
        arena_bytes: of the portable kernels.
    """

    branches: tuple[BranchSpec, ...]
    sizes: tuple[BranchSizes, ...]
    kernel_sets: tuple[frozenset[str], ...]
    kernels: Ints
    macs: Ints
    code_bytes: Ints
    weight_bytes: Ints
    arena_bytes: Ints
    sensing_s: Floats
    captured_bytes: Ints
    pixels: Ints
    paper_psram_bytes: Ints
    differs: Bools


def input_columns(models: AnalyticModels, branches: Sequence[BranchSpec]) -> InputColumns:
    """What branches of one input need wherever they run.

    Args:
        models: of the execution.
    """
    sizes = tuple(models.sizes(branch) for branch in branches)
    captures = [models.capture(branch) for branch in branches]
    sets = {kernels: number for number, kernels in enumerate(dict.fromkeys(each.kernels for each in sizes))}

    return InputColumns(
        branches=tuple(branches),
        sizes=sizes,
        kernel_sets=tuple(sets),
        kernels=_whole(sets[each.kernels] for each in sizes),
        macs=_whole(each.macs for each in sizes),
        code_bytes=_whole(each.code_bytes for each in sizes),
        weight_bytes=_whole(each.weight_bytes for each in sizes),
        arena_bytes=_whole(each.arena_bytes for each in sizes),
        sensing_s=np.array([models.sensing_s(branch) for branch in branches]),
        captured_bytes=_whole(capture.size_bytes for capture in captures),
        pixels=_whole(capture.pixels for capture in captures),
        paper_psram_bytes=_whole(paper_psram_bytes(branch.precision) for branch in branches),
        differs=np.array([models.differs(branch) for branch in branches], np.bool_),
    )


def branch_columns(
    models: AnalyticModels, given: InputColumns, processor: str, backends: Sequence[str]
) -> BranchColumns:
    """What branches of one input need on a processor.

    Args:
        models: of the execution.
        given: what they need on any.
        backends: names by number.
    """
    branches = given.branches
    accelerated = [models.accelerated(branch, processor) for branch in branches]
    numbers = [backends.index(each.name) for each in accelerated]

    def seconds(*, slow: bool) -> Floats:
        return models.portable_seconds(given.sizes, processor=processor, arena_in_psram=slow)

    def accelerated_seconds(*, slow: bool) -> Floats:
        times = (models.branch_latency(branch, processor=processor, arena_in_psram=slow) for branch in branches)
        return np.array([time.seconds for time in times])

    portable_sram_s, portable_psram_s = sram_s, psram_s = seconds(slow=False), seconds(slow=True)
    arenas = given.arena_bytes
    if any(each.steps for each in accelerated):
        sram_s, psram_s = accelerated_seconds(slow=False), accelerated_seconds(slow=True)
        own = (
            portable if each.arena_bytes is None else each.arena_bytes
            for each, portable in zip(accelerated, arenas.tolist(), strict=True)
        )
        arenas = _whole(own)
    return BranchColumns(
        kernels=given.kernels,
        backend=_whole(numbers),
        alone=_whole(n if each.steps and not each.shared else 0 for n, each in zip(numbers, accelerated, strict=True)),
        backend_bytes=_whole(map(models.backend_bytes, accelerated)),
        macs=given.macs,
        code_bytes=given.code_bytes,
        weight_bytes=given.weight_bytes,
        arena_bytes=arenas,
        sram_s=sram_s,
        psram_s=psram_s,
        portable_sram_s=portable_sram_s,
        portable_psram_s=portable_psram_s,
        sensing_s=given.sensing_s,
        captured_bytes=given.captured_bytes,
        pixels=given.pixels,
        paper_psram_bytes=given.paper_psram_bytes,
        differs=given.differs,
    )


def board_needs(
    models: AnalyticModels,
    names: Sequence[str],
    inputs: Sequence[InputColumns],
    processor: str,
    backends: Sequence[str],
) -> BoardNeeds:
    """How branches of some inputs are laid out on a processor.

    Args:
        models: of the execution.
        names: of the inputs.
        inputs: what the branches of each need.
        backends: names by number.
    """
    chip, footprints = models.catalog.chip(processor), models.task.footprints(names)
    sets = [each.kernel_sets for each in inputs]
    programs = [
        models.software.program_bytes(chip.idf_target, footprints, kernels=frozenset[str]().union(*chosen))
        for chosen in itertools.product(*sets)
    ]
    return BoardNeeds(
        chip=models.worker(chip),
        flash_rule=models.networks.flash_rule,
        memory_rule=models.networks.memory_rule,
        slots=models.slots,
        heap_bytes=models.reserve_bytes(chip, names),
        programs=np.array(programs, np.int64).reshape([len(choices) for choices in sets]),
        backend_code_bytes=tuple(models.software.backend_bytes(name) if name else 0 for name in backends),
    )


def _whole(values: Iterable[int]) -> Ints:
    return np.fromiter(values, np.int64)
