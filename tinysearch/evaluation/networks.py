"""What branches need on any board, found once for all inputs that read a network and all ways to execute it."""

from __future__ import annotations

from dataclasses import replace

from tinysearch.analytic import flash as flash_model
from tinysearch.analytic import memory as memory_model
from tinysearch.analytic.bands import banded
from tinysearch.analytic.code_size import kernels_of
from tinysearch.analytic.execution import shared
from tinysearch.catalog.tables import SoftwareSizes
from tinysearch.core.candidate import Architecture, BranchSpec
from tinysearch.core.execution import PLAIN, Execution
from tinysearch.core.network import NetworkSpec, Shape
from tinysearch.core.program import Program, lower
from tinysearch.core.quantization import Precision
from tinysearch.core.task import Decision
from tinysearch.evaluation.needs import BranchNeeds, check_size
from tinysearch.evaluation.requirement import FlashRule, MemoryRule

_Network = tuple[Architecture, Precision, Shape]
"""What branches of several inputs may have in common."""


class Networks:
    """Needs of branches by how they are executed; nothing is computed twice.

    Args:
        room_bytes: of internal memory that an arena has on any chip; larger ones are what bands are for.

    Attributes:
        software: sizes of what is not the networks'.
        flash_rule, memory_rule: how bytes are counted.
    """

    def __init__(
        self,
        *,
        software: SoftwareSizes,
        decision: Decision,
        flash_rule: FlashRule = "layout",
        memory_rule: MemoryRule = "arena",
        room_bytes: int,
    ) -> None:
        self.software, self.flash_rule, self.memory_rule = software, flash_rule, memory_rule
        self._decision: Decision = decision
        self._room_bytes = room_bytes
        self._built: dict[tuple[Architecture, Shape], NetworkSpec] = {}
        self._needs: dict[Execution, dict[BranchSpec, BranchNeeds]] = {}
        self._alike: dict[Execution, dict[_Network, BranchNeeds]] = {}

    def needs(self, branch: BranchSpec, execution: Execution = PLAIN) -> BranchNeeds:
        """What one branch needs: the object of the plain execution where another one does nothing else.

        Raises:
            UserError: parameters out of range, or a network that no chip by far holds.
            UnsupportedLayerError: a step without a kernel.
        """
        known = self._needs.setdefault(execution, {})
        found = known.get(branch)
        if found is None:
            found = known[branch] = self._found(branch, execution)
        return found

    def _found(self, branch: BranchSpec, execution: Execution) -> BranchNeeds:
        """Those of another input's branch of the same network, but for the names in its code; or computed."""
        alike, key = self._alike.setdefault(execution, {}), (branch.architecture, branch.precision, branch.shape)
        twin = alike.get(key)
        if twin is None:
            alike[key] = own = self._plain(branch) if execution == PLAIN else self._executed(branch, execution)
            return own
        if execution != PLAIN:
            plain = self.needs(branch)
            if twin.program is plain.program:
                return plain
        return replace(twin, code_bytes=self._code_bytes(branch, twin.program))

    def _plain(self, branch: BranchSpec) -> BranchNeeds:
        network = self._network(branch)
        check_size(branch, network)
        program = lower(network, branch.precision)
        program = banded(program) if self.memory_rule == "bands" else program
        (arena, bound), paper = memory_model.arena_bytes(program), self.flash_rule == "paper"
        return BranchNeeds(
            program=program,
            kernels=frozenset(kernels_of(program)),
            params=network.params,
            macs=network.macs,
            code_bytes=self._code_bytes(branch, program),
            weight_bytes=flash_model.paper_weight_bytes(network, branch.precision)
            if paper
            else flash_model.parameter_bytes(program),
            arena_bytes=arena,
            arena_bound_bytes=bound,
        )

    def _network(self, branch: BranchSpec) -> NetworkSpec:
        """The network of a branch, one for all its precisions."""
        key = branch.architecture, branch.shape
        if key not in self._built:
            self._built[key] = branch.network()
        return self._built[key]

    def _executed(self, branch: BranchSpec, execution: Execution) -> BranchNeeds:
        """Another execution: by the same kernels, from the same weights."""
        plain = self.needs(branch)
        program = self._program(branch, plain, execution)
        if program is None:
            return plain
        arena, bound = memory_model.arena_bytes(program)
        return replace(
            plain,
            program=program,
            code_bytes=self._code_bytes(branch, program),
            arena_bytes=arena,
            arena_bound_bytes=bound,
        )

    def _program(self, branch: BranchSpec, plain: BranchNeeds, execution: Execution) -> Program | None:
        """The program of another execution, None where it does nothing else."""
        if execution.cores > 1:
            begun = self.needs(branch, replace(execution, cores=1))
            if execution.bands and begun is plain:
                return None
            program = shared(begun.program)
            return None if program is begun.program else program
        if not execution.bands or plain.arena_bytes <= self._room_bytes:
            return None
        program = banded(plain.program, room_bytes=self._room_bytes)
        return None if program is plain.program else program

    def _code_bytes(self, branch: BranchSpec, program: Program) -> int:
        decision = flash_model.decision_bytes(self._decision, embedding=program.network.embedding)
        return self.software.branch_bytes(branch.modality, program) + decision
