"""What a branch and a board's worth of branches need, and the latency model that evaluation asks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tinysearch.analytic.flash import FlashPlan
from tinysearch.analytic.latency import PORTABLE, Accelerated
from tinysearch.core.candidate import BranchSpec
from tinysearch.core.errors import UserError
from tinysearch.core.network import NetworkSpec
from tinysearch.core.program import Program
from tinysearch.core.protocols import LatencyEstimate
from tinysearch.core.provenance import Sourced
from tinysearch.evaluation.requirement import Floats

MOST_DIGITS = 15
MOST_MACS = 10**MOST_DIGITS


class LatencyRule(Protocol):
    """A latency model as evaluation uses it: whole programs, and what sensing takes."""

    @property
    def acquisition_s(self) -> Mapping[str, Sourced]:
        """Seconds that sensing takes, by input."""
        ...

    def program(
        self, program: Program, *, processor: str, arena_in_psram: bool, accelerated: Accelerated = PORTABLE
    ) -> LatencyEstimate:
        """One inference of a branch on one core.

        Raises:
            UnsupportedLayerError: nothing is known of a step or the processor.
        """
        ...

    def programs(self, programs: Sequence[Program], *, processor: str, arena_in_psram: bool) -> Floats:
        """Seconds of each of some programs by the portable kernels on one core, float64 [programs].

        They are those of :meth:`program` without a backend.

        Raises:
            UnsupportedLayerError: nothing is known of a step or the processor.
        """
        ...

    def contention(self, processor: str) -> float:
        """Factor on the longer of two branches that run at once."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchSizes:
    """What one branch needs on any board, in bytes beside parameters and MACs.

    Attributes:
        kernels: that compute its steps; branches share them.
        code_bytes: calls, constant structures and names, in flash.
        weight_bytes: in flash.
        arena_bytes, arena_bound_bytes: the plan's and the least of any plan.
    """

    kernels: frozenset[str]
    params: int
    macs: int
    code_bytes: int
    weight_bytes: int
    arena_bytes: int
    arena_bound_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchNeeds(BranchSizes):
    """The same of a branch of the search, with its program."""

    program: Program


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """What a set of branches needs of a chip's board.

    Attributes:
        flash_bytes: end of the last partition, or weights and program by the paper's rule.
        ram_bytes: sum of all buffers.
        psram_bytes: what does not fit into SRAM.
        buffers: bytes by name in order of placement; ``placed`` tells which lie in SRAM.
        backends: by branch, what a backend computes of it.
        backend_code_bytes: of the program, for backends.
    """

    flash: FlashPlan
    flash_bytes: int
    ram_bytes: int
    psram_bytes: int
    buffers: Mapping[str, int]
    placed: tuple[bool, ...]
    backends: tuple[Accelerated, ...]
    backend_code_bytes: int


def check_size(branch: BranchSpec, network: NetworkSpec) -> None:
    """Refuse what no integer of the models, and no chip by far, holds.

    Raises:
        UserError: more parameters or MACs than a thousand chips could ever have.
    """
    largest = max(network.params, network.macs)
    if largest >= MOST_MACS:
        raise UserError(
            f"a network must have fewer than 10^{MOST_DIGITS} parameters and MACs",
            value=f"about 10^{math.log10(largest):.0f} in {branch.modality}",
            remedy="choose fewer blocks or smaller widths",
        )
