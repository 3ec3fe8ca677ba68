"""What designs need of a chip's board: one formula for arrays of designs, of which a single design is one row."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from tinysearch.analytic.flash import PAPER_PROGRAM_BYTES, AppSlots
from tinysearch.analytic.placement import in_sram, psram_bytes
from tinysearch.analytic.together import served
from tinysearch.core.platform import Chip

FlashRule = Literal["layout", "paper"]
MemoryRule = Literal["arena", "bands", "paper"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchColumns:
    """What branches of one input need on one processor, by branch.

    Attributes:
        kernels: number of its set of kernels.
        backend: number of its backend, 0 for portable kernels.
        alone: number of its backend if that serves a single branch, else 0.
        backend_bytes: of the backend's own constants.
        arena_bytes: with the scratch of a backend that lies in it.
        sram_s, psram_s: latency by place of the arena, with a backend where there is one.
        portable_sram_s, portable_psram_s: by the portable kernels.
        sensing_s: capture and front-end, before the network.
        differs: whether it is executed otherwise than plainly; true of all in the plain execution.
    """

    kernels: Ints
    backend: Ints
    alone: Ints
    backend_bytes: Ints
    macs: Ints
    code_bytes: Ints
    weight_bytes: Ints
    arena_bytes: Ints
    sram_s: Floats
    psram_s: Floats
    portable_sram_s: Floats
    portable_psram_s: Floats
    sensing_s: Floats
    captured_bytes: Ints
    pixels: Ints
    paper_psram_bytes: Ints
    differs: Bools

    def rows(self, selected: slice | Ints) -> BranchColumns:
        """Some of the branches."""
        return BranchColumns(**{each.name: getattr(self, each.name)[selected] for each in fields(self)})

    def along(self, axis: int, axes: int) -> BranchColumns:
        """Shaped to broadcast against the branches of other inputs."""
        shape = [-1 if place == axis else 1 for place in range(axes)]
        return BranchColumns(**{each.name: getattr(self, each.name).reshape(shape) for each in fields(self)})

    def portable_but(self, has: Bools) -> BranchColumns:
        """With portable kernels where a branch has not its backend."""
        return replace(
            self,
            backend=np.where(has, self.backend, 0),
            backend_bytes=np.where(has, self.backend_bytes, 0),
            sram_s=np.where(has, self.sram_s, self.portable_sram_s),
            psram_s=np.where(has, self.psram_s, self.portable_psram_s),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """What designs need, arrays that broadcast against each other.

    Attributes:
        served: by branch, whether it has its backend where there is one.
        backend_code_bytes: of the program, for backends.
        program_bytes, weight_bytes: in flash, mapped as data at once.
        flash_bytes: end of the last partition, or weights and program by the paper's rule.
        buffers, placed: [.., k] bytes of k buffers in order of placement, and which of them lie in SRAM.
        psram_bytes: what does not fit into SRAM.
        seconds: of each branch alone on one core.
    """

    served: tuple[Bools, ...]
    backend_code_bytes: Ints
    program_bytes: Ints
    weight_bytes: Ints
    flash_bytes: Ints
    buffers: Ints
    placed: Bools
    psram_bytes: Ints
    seconds: tuple[Floats, ...]

    @property
    def mapped_bytes(self) -> Ints:
        """Program and weights."""
        return self.program_bytes + self.weight_bytes

    @property
    def ram_bytes(self) -> Ints:
        """Sum of all buffers."""
        total: Ints = self.buffers.sum(axis=-1)
        return total


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardNeeds:
    """How the branches of some inputs are laid out on one chip.

    Attributes:
        chip: with the cores that branches have to compute on.
        heap_bytes: usable heap less what drivers and tasks keep.
        programs: bytes of the program without branches, by sets of kernels, one axis an input.
        backend_code_bytes: by number of backend, 0 for the portable kernels.
    """

    chip: Chip
    flash_rule: FlashRule
    memory_rule: MemoryRule
    slots: AppSlots
    heap_bytes: int
    programs: Ints
    backend_code_bytes: tuple[int, ...]

    def of(self, parts: Sequence[BranchColumns]) -> Needed:
        """What all combinations of branches need, each input's along an axis of its own; or designs row by row."""
        has = served([part.alone for part in parts], [part.macs for part in parts])
        parts = [part.portable_but(own) for part, own in zip(parts, has, strict=True)]
        weights = total(part.weight_bytes + part.backend_bytes for part in parts)
        backend_code = self._backend_code(parts)
        program = self.programs[tuple(part.kernels for part in parts)] + total(part.code_bytes for part in parts)
        program = program + backend_code
        if self.flash_rule == "paper":
            flash: Ints = weights + PAPER_PROGRAM_BYTES
        else:
            flash = self.slots.total_bytes(program + weights)
        buffers, placed = self._placed(parts)
        return Needed(
            served=tuple(has),
            backend_code_bytes=backend_code,
            program_bytes=program,
            weight_bytes=weights,
            flash_bytes=flash,
            buffers=buffers,
            placed=placed,
            psram_bytes=psram_bytes(buffers, placed),
            seconds=tuple(self._seconds(parts, placed)),
        )

    @property
    def one_arena(self) -> bool:
        """Whether branches share an arena: they compute one after the other."""
        return self.programs.ndim > 1 and self.chip.cores == 1

    def _placed(self, parts: Sequence[BranchColumns]) -> tuple[Ints, Bools]:
        """Buffers (arenas, then what is captured of each input), and which lie in SRAM."""
        if self.memory_rule == "paper":
            psram = largest(part.paper_psram_bytes for part in parts)[..., np.newaxis]
            return psram, np.zeros(psram.shape, np.bool_)
        arenas = [part.arena_bytes for part in parts]
        arenas = [largest(arenas)] if self.one_arena else arenas
        buffers = np.stack(np.broadcast_arrays(*arenas, *(part.captured_bytes for part in parts)), axis=-1)
        placed = in_sram(
            buffers.reshape(-1, buffers.shape[-1]),
            heap_bytes=self.heap_bytes,
            largest_block_bytes=int(self.chip.largest_block_bytes.value),
        )
        return buffers, placed.reshape(buffers.shape)

    def _seconds(self, parts: Sequence[BranchColumns], placed: Bools) -> list[Floats]:
        if self.memory_rule == "paper":
            return [part.sram_s for part in parts]
        inside = [placed[..., 0 if self.one_arena else place] for place in range(len(parts))]
        return [np.where(fast, part.sram_s, part.psram_s) for part, fast in zip(parts, inside, strict=True)]

    def _backend_code(self, parts: Sequence[BranchColumns]) -> Ints:
        """Bytes of the program for backends, each once."""
        code: Ints = np.zeros((), np.int64)
        for number, size in enumerate(self.backend_code_bytes[1:], start=1):
            code = code + size * functools.reduce(np.logical_or, [part.backend == number for part in parts])
        return code


def total(arrays: Iterable[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """Sum of arrays that broadcast."""
    return functools.reduce(np.add, arrays)


def largest(arrays: Iterable[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """Largest of arrays that broadcast, place by place."""
    return functools.reduce(np.maximum, arrays)
