"""One branch of a search as C: what the templates need of it, packed, planned and run by the oracle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinysearch.analytic.flash import parameter_bytes
from tinysearch.analytic.memory import MemoryPlan, plan
from tinysearch.core.network import INPUT, Shape
from tinysearch.core.program import FrozenNetwork, Program
from tinysearch.firmware.backends import Backend, PlannedBackend, accelerated_plan, accelerated_steps
from tinysearch.firmware.branch import common_branch_values
from tinysearch.firmware.calls import executed_steps
from tinysearch.firmware.golden import Embeddings, pattern_crc, pattern_inputs
from tinysearch.firmware.identifiers import c_identifier, modality_name
from tinysearch.firmware.integer_network import run
from tinysearch.firmware.packing import PackedStep, pack
from tinysearch.firmware.rendering import c_number, c_values, crc_of_constants
from tinysearch.firmware.rounding import widest_tolerance


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchSource:
    """What the templates need of one branch of a search. See :class:`~tinysearch.firmware.branch.Branch`.

    Attributes:
        modality: also the name of its component, ``<prefix>_<modality>``.
        packed: constants of every step in order.
        model_id: CRC-32 of all constants.
        patterns: oracle's embeddings of the self-test patterns [PATTERNS, E].
        tolerance: what rounding may make of a float32 network's embeddings, of their largest value; 0 for int8.
        backend: whose kernels compute the steps of ``accelerated``, ``portable`` where there are none.
        accelerated: constants of steps for the backend, by step; the portable ones are packed all the same.
        backend_folder: of the component of a user's own backend.
        planned: whether the backend's scratch lies in the arena.
    """

    modality: str
    frozen: FrozenNetwork
    memory: MemoryPlan
    packed: tuple[PackedStep, ...]
    model_id: int
    patterns: Embeddings
    tolerance: float = 0.0
    backend: str = "portable"
    accelerated: Mapping[str, PackedStep] = field(default_factory=dict)
    backend_folder: Path | None = None
    prefix: str = "model"
    planned: bool = False

    @property
    def program(self) -> Program:
        return self.frozen.program

    @property
    def component(self) -> str:
        return f"{self.prefix}_{self.modality}"

    @property
    def is_float(self) -> bool:
        return self.program.precision.kind == "float32"

    @property
    def input_shape(self) -> Shape:
        return self.program.network.input_shape

    @property
    def embedding(self) -> int:
        """Values of one embedding."""
        return self.program.network.embedding

    @property
    def embedding_bytes(self) -> int:
        """Bytes of one embedding."""
        return self.embedding * (4 if self.is_float else 1)

    @property
    def macs(self) -> int:
        return self.program.network.macs

    @property
    def trained(self) -> bool:
        return self.frozen.trained

    @property
    def golden_crc(self) -> int:
        """CRC-32 of the self-test's embeddings; 0 for float32, whose last bits are the compiler's."""
        return 0 if self.is_float else pattern_crc(self.patterns)

    @property
    def headers(self) -> tuple[str, ...]:
        """Headers of the kernels, each once, sorted."""
        return tuple(sorted({packed.header for packed in self.packed}))

    @property
    def weight_bytes(self) -> int:
        """Bytes of all constant arrays, those of the backend included."""
        every = (*self.packed, *self.accelerated.values())
        return sum(array.nbytes for packed in every for array in packed.arrays.values())

    @property
    def shared(self) -> bool:
        return bool(self.program.shared)

    def renamed(self, prefix: str) -> BranchSource:
        """See :class:`~tinysearch.firmware.branch.Branch`."""
        return replace(self, prefix=prefix)

    def embed(self, inputs: npt.NDArray[np.int8]) -> Embeddings:
        """See :class:`~tinysearch.firmware.branch.Branch`."""
        return run(self.frozen, inputs)

    def tolerance_of(self, inputs: npt.NDArray[np.int8]) -> float:
        """See :class:`~tinysearch.firmware.branch.Branch`."""
        return widest_tolerance(self.frozen, inputs)

    def values(self, *, in_psram: bool) -> dict[str, Any]:
        """See :class:`~tinysearch.firmware.branch.Branch`."""
        return branch_values(self, in_psram=in_psram)


def branch_source(modality: str, frozen: FrozenNetwork) -> BranchSource:
    """Pack, plan and run the oracle on the self-test patterns.

    Raises:
        UserError: a name that cannot be an identifier, or a step without a kernel.
    """
    modality_name(modality)
    program = frozen.program
    for step in program.steps:
        c_identifier(step.name)
    packed = tuple(pack(frozen, step) for step in program.steps)
    shape = program.network.input_shape
    patterns = pattern_inputs((shape.height, shape.width, shape.channels))
    return BranchSource(
        modality=modality,
        frozen=frozen,
        memory=plan(program),
        packed=packed,
        model_id=crc_of_constants(_constants(program, packed)),
        patterns=run(frozen, patterns),
        tolerance=widest_tolerance(frozen, patterns),
    )


def accelerate(source: BranchSource, backend: Backend, *, processor: str) -> BranchSource:
    """The branch with a backend for the steps of :func:`~tinysearch.firmware.backends.accelerated_steps`."""
    names = accelerated_steps(source.program, backend, processor=processor)
    steps = {step.name: step for step in source.program.steps}
    accelerated = {name: backend.pack(source.frozen, steps[name]) for name in names}
    if not accelerated:
        return source
    folder = None if backend.component is None else Path(backend.component)
    return replace(
        source,
        memory=accelerated_plan(source.program, backend, names),
        backend=backend.name,
        accelerated=accelerated,
        backend_folder=folder,
        planned=isinstance(backend, PlannedBackend),
    )


def _constants(program: Program, packed: tuple[PackedStep, ...]) -> Iterator[tuple[str, Any]]:
    for step, part in zip(program.steps, packed, strict=True):
        yield from ((f"{step.name}.{part.function}.{key}", value) for key, value in part.fields.items())
        yield from ((f"{step.name}.{part.function}.{key}", value) for key, value in part.arrays.items())


def branch_values(source: BranchSource, *, in_psram: bool) -> dict[str, Any]:
    """Values of a branch of a search for the templates."""
    program, memory = source.program, source.memory
    return common_branch_values(source, in_psram=in_psram) | {
        "title": f"{c_identifier(program.network.name.replace('-', '_'))}, {program.precision}",
        "seed": int(source.frozen.seed),
        "input_offset": memory.offsets[INPUT],
        "weight_bytes": parameter_bytes(program),
        "golden": c_values(source.patterns) if source.is_float else "",
        "tolerance": c_number(source.tolerance),
        "backend_planned": source.planned,
        "buffers": [
            f"{offset:>8} {name}"
            for name, offset in sorted(memory.offsets.items(), key=lambda item: (item[1], item[0]))
        ],
        "steps": list(executed_steps(source)),
        "moves": bool(program.bands),
    }
