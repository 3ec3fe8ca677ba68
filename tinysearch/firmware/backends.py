"""Which kernels compute which steps: the portable ones everywhere, SIMD code where its arithmetic is ours.

A backend never replaces the portable kernels of a project; it stands beside them, and the device uses it once it has
computed the golden patterns right. Implements :class:`~tinysearch.core.protocols.FirmwareBackend`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol, runtime_checkable

from tinysearch.analytic.flash import array_bytes
from tinysearch.analytic.kernels import footprint
from tinysearch.analytic.memory import MemoryPlan, plan
from tinysearch.core.bands import whole_steps
from tinysearch.core.errors import UserError
from tinysearch.core.network import Operator
from tinysearch.core.platform import Chip
from tinysearch.core.program import Element, FrozenNetwork, Program, Step
from tinysearch.core.protocols import FirmwareBackend
from tinysearch.firmware.identifiers import c_identifier
from tinysearch.firmware.packing import PackedStep, esp_dsp, esp_nn, pie, xespv
from tinysearch.firmware.packing.unit import VectorUnit
from tinysearch.operators import record_of
from tinysearch.operators.record import KernelFootprint

NAMES = ("portable", "pie", "xespv", "esp_nn", "esp_dsp", "auto")
"""What ``firmware.backend`` may be; ``auto`` is whatever a processor has for a branch's arithmetic."""

MANAGED = ("esp_nn", "esp_dsp")
"""Backends that are components of Espressif's registry."""

_UINT16 = 1 << 16
_MOST_OUTPUTS = 256
"""Of a fully connected layer: ESP-NN keeps 4 bytes an output on the stack."""


@runtime_checkable
class Backend(FirmwareBackend, Protocol):
    """A backend that the emitter can write.

    Attributes:
        name: an identifier of C: its steps are ``ts_<name>_layer``, its header is ``ts_<name>.h``.
        shared: whether several branches may use it at once.
        component: folder of its ESP-IDF component with ``CMakeLists.txt``, ``ts_<name>.c`` and ``include/ts_<name>.h``;
            None for those that come with the templates. The header declares ``ts_<name>_layer``, the functions that
            steps name, and ``int32_t ts_<name>_scratch_bytes(const ts_<name>_layer *const *layers, unsigned count)``,
            negative where the program has no such library. All of it compiles on a PC, too.
    """

    @property
    def shared(self) -> bool:
        """See the class."""
        ...

    @property
    def component(self) -> Path | None:
        """See the class."""
        ...

    def pack(self, frozen: FrozenNetwork, step: Step) -> PackedStep:
        """Constants of one step that it supports."""
        ...


@runtime_checkable
class SizedBackend(Backend, Protocol):
    """A backend that tells what its constants take in flash, beside those of the portable kernels."""

    def constant_bytes(self, program: Program, step: Step) -> int:
        """Bytes of the arrays of a step that it supports, each at a multiple of 16; the most where weights decide."""
        ...


@runtime_checkable
class PlannedBackend(Backend, Protocol):
    """A backend whose scratch lies in the arena of a branch: the plan is what a board must have.

    Its ``ts_<name>_scratch_bytes`` gives 0 where it can compute the layers.
    """

    def footprint(self, program: Program, step: Step) -> KernelFootprint:
        """What a step that it supports asks of the arena when its kernel or the portable one may compute it."""
        ...


class VectorBackend:
    """A backend of assembly of ours for a vector unit."""

    __slots__ = ()
    unit: ClassVar[VectorUnit]
    processors: tuple[str, ...]
    name: str

    def supports(self, program: Program, step: Step, *, processor: str) -> bool:
        """Whether there is a kernel for the step, and it is worth it."""
        has = processor in self.processors and self.unit.kernel(program, step) is not None
        return has and self.unit.wins(program, step)

    def footprint(self, program: Program, step: Step) -> KernelFootprint:
        """See :class:`~tinysearch.firmware.packing.unit.VectorUnit`."""
        return self.unit.footprint(program, step)

    def constant_bytes(self, program: Program, step: Step) -> int:
        """See :class:`~tinysearch.firmware.packing.unit.VectorUnit`."""
        return self.unit.constant_bytes(program, step)

    def pack(self, frozen: FrozenNetwork, step: Step) -> PackedStep:
        """See :class:`~tinysearch.firmware.packing.unit.VectorUnit`."""
        return self.unit.pack(frozen, step)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pie(VectorBackend):
    """The vector unit ``pie``, by assembly of ours: int8 and XNOR networks."""

    unit: ClassVar[VectorUnit] = pie.UNIT

    processors: tuple[str, ...]
    name: str = "pie"
    shared: bool = True
    component: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Xespv(VectorBackend):
    """The vector unit ``xespv``, by assembly of ours: int8 and XNOR networks. Not run on a chip."""

    unit: ClassVar[VectorUnit] = xespv.UNIT

    processors: tuple[str, ...]
    name: str = "xespv"
    shared: bool = True
    component: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EspNn:
    """espressif/esp-nn, int8 networks on the chips for which it has SIMD code."""

    processors: tuple[str, ...]
    name: str = "esp_nn"
    shared: bool = False
    component: Path | None = None

    def supports(self, program: Program, step: Step, *, processor: str) -> bool:
        """Whether ESP-NN computes this step bit for bit as the portable kernel does."""
        if (
            processor not in self.processors
            or program.precision.kind != "int8"
            or step.flat
            or step.operator not in esp_nn.OPERATORS
        ):
            return False
        if step.pool > 1 and step.operator != Operator.MAX_POOL:
            return False  # a fused pool
        source, out = program.tensors[step.inputs[0]].shape, program.tensors[step.output].shape
        if step.operator == Operator.FULLY_CONNECTED:
            return source.elements < _UINT16 and out.channels <= _MOST_OUTPUTS
        return max(source.height, source.width, source.channels, out.channels) < _UINT16

    def constant_bytes(self, program: Program, step: Step) -> int:
        """See :func:`tinysearch.firmware.packing.esp_nn.constant_bytes`."""
        return esp_nn.constant_bytes(program, step)

    def pack(self, frozen: FrozenNetwork, step: Step) -> PackedStep:
        """See :func:`tinysearch.firmware.packing.esp_nn.pack`."""
        return esp_nn.pack(frozen, step)


@dataclass(frozen=True, slots=True, kw_only=True)
class EspDsp:
    """The dot product of espressif/esp-dsp, float32 networks on the chips with a floating point unit."""

    processors: tuple[str, ...]
    name: str = "esp_dsp"
    shared: bool = True
    component: Path | None = None

    def supports(self, program: Program, step: Step, *, processor: str) -> bool:
        """Whether this step is made of dot products of floats."""
        return (
            processor in self.processors
            and program.precision.kind == "float32"
            and step.operator in (Operator.CONV, Operator.FULLY_CONNECTED)
            and step.pool == 1
            and not step.flat
            and program.tensors[step.inputs[0]].element is Element.FLOAT32
        )

    def constant_bytes(self, program: Program, step: Step) -> int:
        """See :func:`tinysearch.firmware.packing.esp_dsp.constant_bytes`."""
        return esp_dsp.constant_bytes(program, step)

    def pack(self, frozen: FrozenNetwork, step: Step) -> PackedStep:
        """See :func:`tinysearch.firmware.packing.esp_dsp.pack`."""
        return esp_dsp.pack(frozen, step)


_BACKENDS: Mapping[str, type[Pie | Xespv | EspNn | EspDsp]] = {
    "pie": Pie,
    "xespv": Xespv,
    "esp_nn": EspNn,
    "esp_dsp": EspDsp,
}
"""By name; where several support a branch, ``auto`` takes the first. On which chips, the catalogue says."""

VECTOR_NAMES = tuple(name for name, kind in _BACKENDS.items() if issubclass(kind, VectorBackend))
"""Backends that are assembly of ours."""


def choose_backends(name: str | Backend, chips: Iterable[Chip]) -> tuple[Backend, ...]:
    """The backends of a project, none for the portable kernels alone; each serves the branches that it supports.

    Args:
        name: one of :data:`NAMES`, or a backend that is used as it is.
        chips: those of ours serve the targets of chips that name them.

    Raises:
        UserError: an unknown name, or no backend.
    """
    check_backend(name)
    if not isinstance(name, str):
        return (name,)
    known = tuple(chips)
    return tuple(
        kind(processors=tuple(sorted({chip.idf_target for chip in known if own in chip.kernels})))
        for own, kind in _BACKENDS.items()
        if name in (own, "auto")
    )


def vector_backends(name: str | Backend, chips: Iterable[Chip]) -> tuple[VectorBackend, ...]:
    """Those of :func:`choose_backends` that are assembly of ours: what networks of one's own can have.

    Raises:
        UserError: a backend that is none of these.
    """
    found = tuple(backend for backend in choose_backends(name, chips) if isinstance(backend, VectorBackend))
    if not found and name != "portable":
        raise UserError(
            "firmware.backend of a network of one's own must be portable, pie, xespv or auto",
            value=name if isinstance(name, str) else name.name,
            remedy="write firmware.backend=auto",
        )
    return found


def accelerated_steps(program: Program, backend: Backend, *, processor: str) -> tuple[str, ...]:
    """Names of the steps that a backend computes: of whole maps, supported, and with inputs that stay as they are.

    An elementwise operator may overwrite an input: it reads an element before it writes it. Of a
    :class:`PlannedBackend` the plan lets a step overwrite only what the backend says it may.
    """
    supported = [step for step in whole_steps(program) if backend.supports(program, step, processor=processor)]
    if isinstance(backend, PlannedBackend):
        return tuple(step.name for step in supported)
    offsets = plan(program).offsets
    found = []
    for step in supported:
        in_place = step.output != program.output.name and offsets[step.output] in [offsets[n] for n in step.inputs]
        if record_of(step).elementwise or not in_place:
            found.append(step.name)
    return tuple(found)


def accelerated_plan(program: Program, backend: Backend, steps: Collection[str]) -> MemoryPlan:
    """Arena of a program with a backend for some steps, which serves as well where the device does without it."""
    if not isinstance(backend, PlannedBackend):
        return plan(program)
    return plan(program, {step.name: backend.footprint(program, step) for step in program.steps if step.name in steps})


def accelerated_bytes(program: Program, backend: Backend, steps: Collection[str]) -> int:
    """Bytes of a backend's constants for some steps, in flash beside those of the portable kernels.

    One that does not tell is taken to keep a copy as large as the portable kernels' own.
    """
    chosen = [step for step in program.steps if step.name in steps]
    if isinstance(backend, SizedBackend):
        return array_bytes(backend.constant_bytes(program, step) for step in chosen)
    return array_bytes(footprint(program, step).parameter_bytes for step in chosen)


def check_backend(name: object) -> None:
    """Refuse what is neither a name nor a whole backend.

    Raises:
        UserError: it is not one of :data:`NAMES`; it lacks something, its name is taken or none, or files are missing.
    """
    if isinstance(name, Backend):
        _check_own(name)
    elif name not in NAMES:
        raise UserError(
            f"firmware.backend must be {', '.join(NAMES)}", value=name, remedy="write firmware.backend=portable"
        )


def _check_own(backend: Backend) -> None:
    c_identifier(backend.name)
    if backend.component is None:
        if type(backend) not in _BACKENDS.values():
            raise UserError(
                "a backend must bring the folder of its component",
                value=f"{backend.name}.component = None",
                remedy="name the folder with CMakeLists.txt and the C files",
            )
        return
    if backend.name in NAMES:
        raise UserError(
            "a backend must have a name of its own", value=backend.name, remedy=f"choose none of {', '.join(NAMES)}"
        )
    for name in component_files(backend.name):
        if not (Path(backend.component) / name).is_file():
            raise UserError(
                "the component of a backend must be whole",
                value=f"{backend.component}: no {name}",
                remedy="add the file",
            )


def component_files(name: str) -> tuple[str, ...]:
    """Files that the component of every backend has."""
    return ("CMakeLists.txt", f"ts_{name}.c", f"include/ts_{name}.h")
