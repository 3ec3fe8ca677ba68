"""From branches to arrays: what all branches of an input need of a chip, and how those of some inputs are laid out."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tinysearch.analytic.placement import paper_psram_bytes
from tinysearch.core.candidate import BranchSpec
from tinysearch.evaluation.requirement import BoardNeeds, BranchColumns, Floats, Ints

if TYPE_CHECKING:
    from tinysearch.evaluation.analytic import AnalyticModels


def branch_columns(
    models: AnalyticModels, branches: Sequence[BranchSpec], processor: str, backends: Sequence[str]
) -> BranchColumns:
    """What branches of one input need on a processor.

    Args:
        models: of the execution.
        backends: names by number.
    """
    needs = [models.sizes(branch) for branch in branches]
    accelerated = [models.accelerated(branch, processor) for branch in branches]
    captures = [models.capture(branch) for branch in branches]
    sets = {kernels: number for number, kernels in enumerate(_kernel_sets(models, branches))}
    numbers = [backends.index(each.name) for each in accelerated]

    def seconds(*, slow: bool, backend: bool) -> Floats:
        times = (
            models.branch_latency(branch, processor=processor, arena_in_psram=slow, backend=backend).seconds
            for branch in branches
        )
        return np.fromiter(times, np.float64, len(branches))

    def whole(values: Iterable[int]) -> Ints:
        return np.fromiter(values, np.int64, len(branches))

    portable_sram_s, portable_psram_s = (seconds(slow=slow, backend=False) for slow in (False, True))
    sram_s, psram_s = portable_sram_s, portable_psram_s
    if any(each.steps for each in accelerated):
        sram_s, psram_s = (seconds(slow=slow, backend=True) for slow in (False, True))
    return BranchColumns(
        kernels=whole(sets[each.kernels] for each in needs),
        backend=whole(numbers),
        alone=whole(n if each.steps and not each.shared else 0 for n, each in zip(numbers, accelerated, strict=True)),
        backend_bytes=whole(map(models.backend_bytes, accelerated)),
        macs=whole(each.macs for each in needs),
        code_bytes=whole(each.code_bytes for each in needs),
        weight_bytes=whole(each.weight_bytes for each in needs),
        arena_bytes=whole(models.arena_bytes(branch, processor) for branch in branches),
        sram_s=sram_s,
        psram_s=psram_s,
        portable_sram_s=portable_sram_s,
        portable_psram_s=portable_psram_s,
        sensing_s=np.array([models.sensing_s(branch) for branch in branches]),
        captured_bytes=whole(capture.size_bytes for capture in captures),
        pixels=whole(capture.pixels for capture in captures),
        paper_psram_bytes=whole(paper_psram_bytes(branch.precision) for branch in branches),
        differs=np.array([models.differs(branch) for branch in branches], np.bool_),
    )


def board_needs(
    models: AnalyticModels,
    names: Sequence[str],
    branches: Sequence[Sequence[BranchSpec]],
    processor: str,
    backends: Sequence[str],
) -> BoardNeeds:
    """How branches of some inputs are laid out on a processor.

    Args:
        models: of the execution.
        names: of the inputs.
        branches: of each, all that :func:`branch_columns` are of.
        backends: names by number.
    """
    chip, footprints = models.catalog.chip(processor), models.task.footprints(names)
    sets = [_kernel_sets(models, each) for each in branches]
    programs = [
        models.software.program_bytes(chip.idf_target, footprints, kernels=frozenset[str]().union(*chosen))
        for chosen in itertools.product(*sets)
    ]
    return BoardNeeds(
        chip=models.worker(chip),
        flash_rule=models.flash_rule,
        memory_rule=models.memory_rule,
        slots=models.slots,
        heap_bytes=models.reserve_bytes(chip, names),
        programs=np.array(programs, np.int64).reshape([len(choices) for choices in sets]),
        backend_code_bytes=tuple(models.software.backend_bytes(name) if name else 0 for name in backends),
    )


def _kernel_sets(models: AnalyticModels, branches: Sequence[BranchSpec]) -> list[frozenset[str]]:
    """The different sets of kernels that branches need, in order of appearance."""
    return list(dict.fromkeys(models.sizes(branch).kernels for branch in branches))
