"""Every candidate of a space through the analytic models at once, in arrays.

For each model (one branch, or a pair) and each processor the board is exact and cheap to choose: with the chip fixed,
latency, flash and RAM do not depend on which board carries it, so the cheapest board that fits dominates all others.
The arithmetic is that of :class:`~tinysearch.evaluation.analytic.AnalyticModels`, one array operation a rule, and tests
hold both to the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinysearch.analytic.bom import over_budget
from tinysearch.analytic.capture import RGB565_BYTES, camera_frame, clip_bytes
from tinysearch.analytic.flash import APP_ALIGNMENT, APP_OFFSET, PAPER_PROGRAM_BYTES
from tinysearch.analytic.placement import in_sram, psram_bytes
from tinysearch.analytic.rules import CIF_PIXELS, option_build, violations
from tinysearch.core.candidate import BranchSpec
from tinysearch.core.platform import BoardOption, Chip
from tinysearch.core.quantization import Precision
from tinysearch.evaluation.analytic import (
    CAMERA_DRIVERS,
    PAPER_PSRAM_BYTES,
    PAPER_PSRAM_DEFAULT_BYTES,
    AnalyticModels,
)
from tinysearch.space import Space

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

COLUMNS = ("bom_cost_usd", "latency_s", "flash_bytes", "ram_bytes", "energy_mj")
NO_OPTION = -1
_CHUNK = 1 << 18


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignChunk:
    """Some candidates of one processor and one combination of modalities.

    Attributes:
        modalities, processor: shared by all rows.
        branches: int64 [n, m], index into ``branch_lists[i]`` for modality i.
        options: boards that the chunk's rows refer to, cheapest first.
        option: int64 [n], the cheapest board that fits and is affordable, or :data:`NO_OPTION`.
        values: float64 [n, 5], columns as in :data:`COLUMNS`; the price of a row without a board is NaN.
        psram_bytes: int64 [n], what must lie in PSRAM.
    """

    modalities: tuple[str, ...]
    processor: str
    branches: Ints
    options: tuple[BoardOption, ...]
    option: Ints
    values: Floats
    psram_bytes: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class _BranchArrays:
    """Needs of all branches of one modality on one processor, by branch."""

    weight_bytes: Ints
    arena_bytes: Ints
    sram_s: Floats
    psram_s: Floats
    frame_bytes: Ints
    paper_psram_bytes: Ints


def enumerate_designs(models: AnalyticModels, space: Space, *, chunk: int = _CHUNK) -> Iterator[DesignChunk]:
    """All candidates of a space, processor by processor, in chunks of bounded memory.

    Args:
        models: the analytic models; the budget is theirs.
        space: what may vary.
        chunk: rows at a time.
    """
    lists = {modality: space.branches(modality) for modality in space.branch_modalities()}
    for modalities in space.combinations():
        options = models.catalog.board_options(modalities)
        for processor in dict.fromkeys(option.processor for option in options):
            if space.processors is not None and processor not in space.processors:
                continue
            chip = models.catalog.chip(processor)
            boards = [option for option in options if option.processor == processor and _usable(models, option)]
            boards.sort(key=lambda option: (option.price_usd(models.price_level), option.id))
            arrays = [_branch_arrays(models, lists[modality], chip) for modality in modalities]
            total = int(np.prod([len(lists[modality]) for modality in modalities]))
            for start in range(0, total, chunk):
                rows = np.arange(start, min(start + chunk, total))
                indices = np.stack(np.unravel_index(rows, [len(lists[m]) for m in modalities]), axis=1)
                yield _evaluate(
                    models,
                    chip,
                    modalities=modalities,
                    boards=tuple(boards),
                    arrays=arrays,
                    indices=indices.astype(np.int64),
                )


def _usable(models: AnalyticModels, option: BoardOption) -> bool:
    """Whether a board obeys the rules that hold for every model."""
    if models.catalog.rules != "physical":
        return True
    chip = models.catalog.chip(option.processor)
    return not violations(option_build(option, chip, camera_drivers=CAMERA_DRIVERS))


def _branch_arrays(models: AnalyticModels, branches: Sequence[BranchSpec], chip: Chip) -> _BranchArrays:
    needs = [models.needs(branch) for branch in branches]
    times = [
        [models.branch_latency(b, processor=chip.id, arena_in_psram=slow).seconds for b in branches]
        for slow in (False, True)
    ]
    face = [b.modality == "face" for b in branches]
    frames = [camera_frame(b.input_size).size_bytes if seen else 0 for b, seen in zip(branches, face, strict=True)]
    kinds = [Precision.parse(branch.precision).kind for branch in branches]
    return _BranchArrays(
        weight_bytes=np.array([n.weight_bytes for n in needs], np.int64),
        arena_bytes=np.array([n.arena_bytes for n in needs], np.int64),
        sram_s=np.array(times[0]),
        psram_s=np.array(times[1]),
        frame_bytes=np.array(frames, np.int64),
        paper_psram_bytes=np.array([PAPER_PSRAM_BYTES.get(k, PAPER_PSRAM_DEFAULT_BYTES) for k in kinds], np.int64),
    )


def _evaluate(
    models: AnalyticModels,
    chip: Chip,
    *,
    modalities: tuple[str, ...],
    boards: tuple[BoardOption, ...],
    arrays: Sequence[_BranchArrays],
    indices: Ints,
) -> DesignChunk:
    weights = sum((a.weight_bytes[indices[:, i]] for i, a in enumerate(arrays)), np.zeros(len(indices), np.int64))
    mapped = weights + models.software.program_bytes(chip.idf_target, modalities)
    flash = _flash(models, weights=weights, mapped=mapped)
    ram, psram, latency = _memory_and_latency(models, chip, modalities, arrays, indices)
    pixels = np.maximum.reduce([a.frame_bytes[indices[:, i]] for i, a in enumerate(arrays)]) // RGB565_BYTES
    option = np.full(len(indices), NO_OPTION, np.int64)
    price = np.full(len(indices), np.nan)
    for number, board in enumerate(boards):
        if models.budget_usd is not None and over_budget(board, budget_usd=models.budget_usd, level=models.price_level):
            break
        fits = flash < board.flash_bytes if models.flash_rule == "paper" else flash <= board.flash_bytes
        fits = fits & (psram <= board.psram_bytes)
        if models.catalog.rules == "physical":
            fits &= _driven(chip, board, mapped=mapped, pixels=pixels)
        chosen = (option == NO_OPTION) & fits
        option[chosen], price[chosen] = number, board.price_usd(models.price_level)
    energy = chip.active_power_w.value * latency * 1e3
    return DesignChunk(
        modalities=modalities,
        processor=chip.id,
        branches=indices,
        options=boards,
        option=option,
        values=np.stack([price, latency, flash.astype(float), ram.astype(float), energy], axis=1),
        psram_bytes=psram,
    )


def _driven(chip: Chip, board: BoardOption, *, mapped: Ints, pixels: Ints) -> Bools:
    """Validity rules that depend on the model: camera frame, flash window, shared window; the others hold by choice."""
    window = int(chip.flash_window_bytes.value)
    fits = mapped <= window
    if chip.psram is not None and chip.psram.shared_with_flash:
        fits &= mapped + board.psram_bytes <= window
    return fits if board.psram_bytes else fits & (pixels <= CIF_PIXELS)


def _flash(models: AnalyticModels, *, weights: Ints, mapped: Ints) -> Ints:
    if models.flash_rule == "paper":
        return weights + PAPER_PROGRAM_BYTES
    return APP_OFFSET + -(-mapped // APP_ALIGNMENT) * APP_ALIGNMENT


def _memory_and_latency(
    models: AnalyticModels, chip: Chip, modalities: tuple[str, ...], arrays: Sequence[_BranchArrays], indices: Ints
) -> tuple[Ints, Ints, Floats]:
    """RAM and PSRAM (bytes) and latency (s), by the rules of ``AnalyticModels.buffers`` and ``require``."""
    picked = [(a.arena_bytes[indices[:, i]], a, indices[:, i]) for i, a in enumerate(arrays)]
    shared = chip.cores == 1 and len(arrays) > 1
    arenas = [arena for arena, _, _ in picked]
    columns = [np.maximum.reduce(arenas)] if shared else list(arenas)
    if models.memory_rule == "paper":
        psram = np.maximum.reduce([a.paper_psram_bytes[index] for _, a, index in picked])
        ram = psram
        slow = np.zeros((len(indices), len(arrays)), bool)
    else:
        for modality, (_, a, index) in zip(modalities, picked, strict=True):
            captured = a.frame_bytes[index] if modality == "face" else np.full(len(index), clip_bytes(models.clip_s))
            columns.append(captured)
        buffers = np.stack(columns, axis=1)
        placed = in_sram(
            buffers,
            heap_bytes=models.reserve_bytes(chip, modalities),
            largest_block_bytes=int(chip.largest_block_bytes.value),
        )
        ram, psram = buffers.sum(axis=1), psram_bytes(buffers, placed)
        slow = ~(np.repeat(placed[:, :1], len(arrays), axis=1) if shared else placed[:, : len(arrays)])
    seconds = [np.where(slow[:, i], a.psram_s[index], a.sram_s[index]) for i, (_, a, index) in enumerate(picked)]
    if len(arrays) > 1 and chip.cores > 1:
        return ram, psram, np.maximum.reduce(seconds) * models.latency.contention(chip.id)
    return ram, psram, sum(seconds, np.zeros(len(indices)))
