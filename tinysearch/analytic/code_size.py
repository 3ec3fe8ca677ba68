"""Flash and static RAM of a program: kernels, code of the branches, their constant structures, weights, arenas.

One table an instruction set (``hardware_catalog/software/code_size.yaml``, measured once by
``tools/measure_code_size.py``) tells how many bytes each object of the runtime takes once it is linked, which others
it brings along, and what a branch adds for itself and for every step. What a network adds follows from its program:

    flash = base + objects(kernels) + sum over branches (code(steps) + layers(kernels) + golden + weights) + names
    RAM   = base + sum over branches (writable constants + golden results) + largest arena + largest embedding

``base`` is everything else that is linked (C library, start-up code, main). The search adds the same kernels and
branches to a measured ESP-IDF application; ``benchmarks/footprint.py`` holds the formulas to ``size`` of whole
programs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from tinysearch.analytic.flash import parameter_bytes
from tinysearch.analytic.kernels import halves, single_calls, step_calls
from tinysearch.analytic.memory import ALIGNMENT, plan
from tinysearch.core.bands import schedule
from tinysearch.core.errors import UnsupportedLayerError
from tinysearch.core.program import Program
from tinysearch.core.provenance import Kind

PATTERNS = 2
"""Self-test patterns whose embeddings a float branch carries (``TS_MODEL_PATTERNS`` in ``ts_model.h``)."""

_FLOAT_BYTES = 4
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bytes:
    """What something adds to flash and to static RAM; constants with addresses are writable where code is relocated."""

    flash: float
    ram: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeSizes:
    """Sizes on one instruction set by one compiler, all in bytes.

    Attributes:
        name: of the instruction set.
        base: of the host program without runtime, branches and golden vectors.
        objects: code and constants of each object of the runtime, as linked.
        uses: objects that an object brings along.
        always: objects in every program.
        front_ends: objects by modality that the host program links.
        layers: constant structure of one step by kernel.
        branch, step: code and tables of a branch, and of each of its steps.
        name_alignment: names of steps and branches are padded to this, equal ones shared.
        source, date, kind: of all of these.
    """

    name: str
    base: Bytes
    objects: Mapping[str, Bytes]
    uses: Mapping[str, tuple[str, ...]]
    always: tuple[str, ...]
    front_ends: Mapping[str, tuple[str, ...]]
    layers: Mapping[str, Bytes]
    branch: Bytes
    step: Bytes
    name_alignment: int
    source: str
    date: str
    kind: Kind

    def runtime_bytes(self, objects: Iterable[str]) -> Bytes:
        """Objects and all that they bring along, with those of every program; each counted once.

        Raises:
            UnsupportedLayerError: an object that was not measured.
        """
        waiting, found = [*self.always, *objects], dict[str, Bytes]()
        while waiting:
            name = waiting.pop()
            if name not in found:
                found[name] = self._known(self.objects, name)
                waiting += self.uses.get(name, ())
        return Bytes(flash=sum(part.flash for part in found.values()), ram=sum(part.ram for part in found.values()))

    def branch_bytes(self, program: Program) -> Bytes:
        """What one branch adds besides weights and kernels: calls, structures, golden embeddings of a float network.

        Raises:
            UnsupportedLayerError: a kernel that was not measured.
        """
        layers = [self._known(self.layers, kernel) for kernel in _layers_of(program)]
        floats = program.precision.kind == "float32"
        golden = PATTERNS * program.network.embedding * _FLOAT_BYTES if floats else 0
        steps = len(program.steps) + sum(len(schedule(program, bands).walk.calls) for bands in program.bands)
        steps += 2 * len(program.shared)  # each half, and where the step is called as a whole
        return Bytes(
            flash=self.branch.flash + self.step.flash * steps + sum(layer.flash for layer in layers) + golden,
            ram=self.branch.ram + self.step.ram * steps + sum(layer.ram for layer in layers),
        )

    def names_bytes(self, programs: Mapping[str, Program]) -> int:
        """Names of branches (by modality) and of their steps; branches share equal ones."""
        names = {step.name for program in programs.values() for step in program.steps} | set(programs)
        return sum(_aligned(len(name) + 1, self.name_alignment) for name in names)

    def host_program(self, programs: Mapping[str, Program], *, golden_vectors: int) -> Bytes:
        """Flash (without golden vectors) and static RAM of an emitted project's host program.

        Args:
            programs: by modality.
            golden_vectors: whose results the program keeps for each branch.

        Raises:
            UnsupportedLayerError: a kernel that was not measured.
        """
        branches = [self.branch_bytes(program) for program in programs.values()]
        kernels = {kernel for program in programs.values() for kernel in kernels_of(program)}
        kernels |= {name for modality in programs for name in self.front_ends.get(modality, ())}
        runtime = self.runtime_bytes(kernels)
        flash = self.base.flash + runtime.flash + sum(branch.flash for branch in branches)
        flash += self.names_bytes(programs)
        flash += sum(parameter_bytes(program) for program in programs.values())
        arena = max(plan(program).peak_bytes for program in programs.values())
        embeddings = [_embedding_bytes(program) for program in programs.values()]
        ram = self.base.ram + runtime.ram + sum(branch.ram for branch in branches) + golden_vectors * sum(embeddings)
        return Bytes(flash=flash, ram=ram + _aligned(arena, ALIGNMENT) + _aligned(max(embeddings), ALIGNMENT))

    def _known(self, table: Mapping[str, _T], name: str) -> _T:
        if name not in table:
            raise UnsupportedLayerError(
                "every kernel must have a measured code size",
                value=f"{name} on {self.name}",
                remedy="run tools/measure_code_size.py",
            )
        return table[name]


def kernels_of(program: Program) -> list[str]:
    """Kernel of every step in order."""
    return [call.footprint.kernel for call in step_calls(program)]


def _layers_of(program: Program) -> list[str]:
    """Kernel of every constant structure: one a step, one for all parts or halves that differ in their place alone."""
    calls = [call for _, call, _ in single_calls(program)]
    calls += [half for pair in halves(program) for half in dict.fromkeys(pair)]
    return [call.footprint.kernel for call in calls]


def _embedding_bytes(program: Program) -> int:
    return program.network.embedding * (_FLOAT_BYTES if program.precision.kind == "float32" else 1)


def _aligned(size: int, alignment: int) -> int:
    return -(-size // alignment) * alignment
