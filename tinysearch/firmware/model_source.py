"""One branch as C: constants of every step, the calls that execute it, and sizes for the application."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from tinysearch.analytic.flash import parameter_bytes
from tinysearch.analytic.kernels import footprint
from tinysearch.analytic.memory import MemoryPlan, plan, scratch_of
from tinysearch.core.bands import Part, Schedule, band_name, halves, schedule
from tinysearch.core.network import INPUT, Shape
from tinysearch.core.program import FrozenNetwork, Program, Step
from tinysearch.core.turns import Shift
from tinysearch.firmware.backends import MANAGED, Backend, PlannedBackend, accelerated_plan, accelerated_steps
from tinysearch.firmware.golden import Embeddings, pattern_crc, pattern_inputs
from tinysearch.firmware.identifiers import c_identifier, modality_name
from tinysearch.firmware.integer_network import run
from tinysearch.firmware.packing import PackedStep, pack
from tinysearch.firmware.rendering import c_array, c_number, c_values, crc_of_constants
from tinysearch.firmware.rounding import widest_tolerance

_INCLUDE = re.compile(r'^\s*#include\s+"([^"]+)"', re.MULTILINE)


class Branch(Protocol):
    """A network in a project or a library as its writer sees it: a branch of a search, or a network of one's own.

    Attributes:
        modality: also the name of its component.
        component: beginning of everything that its C defines.
        memory: of its arena.
        is_float: whether its embedding is float32, else int8.
        golden_crc: of the self-test's embeddings; 0 for float32, whose last bits are the compiler's.
        weight_bytes: of all constant arrays.
        backend, accelerated, backend_folder, planned: see :class:`BranchSource`.
    """

    @property
    def modality(self) -> str: ...
    @property
    def component(self) -> str: ...
    @property
    def memory(self) -> Arena: ...
    @property
    def packed(self) -> tuple[PackedStep, ...]: ...
    @property
    def model_id(self) -> int: ...
    @property
    def input_shape(self) -> Shape: ...
    @property
    def embedding(self) -> int: ...
    @property
    def embedding_bytes(self) -> int: ...
    @property
    def is_float(self) -> bool: ...
    @property
    def macs(self) -> int: ...
    @property
    def trained(self) -> bool: ...
    @property
    def golden_crc(self) -> int: ...
    @property
    def headers(self) -> tuple[str, ...]: ...
    @property
    def weight_bytes(self) -> int: ...
    @property
    def backend(self) -> str: ...
    @property
    def accelerated(self) -> Mapping[str, PackedStep]: ...
    @property
    def backend_folder(self) -> Path | None: ...

    @property
    def shared(self) -> bool:
        """Whether steps of it are computed on two cores."""
        ...

    def renamed(self, prefix: str) -> Branch:
        """The same under another beginning of its names."""
        ...

    def embed(self, inputs: npt.NDArray[np.int8]) -> Embeddings:
        """Embeddings [N, E] of inputs [N, height, width, channels], as the oracle has them."""
        ...

    def tolerance_of(self, inputs: npt.NDArray[np.int8]) -> float:
        """See :func:`tinysearch.firmware.rounding.widest_tolerance`."""
        ...

    def values(self, *, in_psram: bool) -> dict[str, Any]:
        """Values for the templates."""
        ...


class Arena(Protocol):
    """What a plan says of memory, in bytes."""

    @property
    def peak_bytes(self) -> int: ...
    @property
    def bound_bytes(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchSource:
    """What the templates need of one branch of a search. See :class:`Branch`.

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
        """See :class:`Branch`."""
        return replace(self, prefix=prefix)

    def embed(self, inputs: npt.NDArray[np.int8]) -> Embeddings:
        """See :class:`Branch`."""
        return run(self.frozen, inputs)

    def tolerance_of(self, inputs: npt.NDArray[np.int8]) -> float:
        """See :class:`Branch`."""
        return widest_tolerance(self.frozen, inputs)

    def values(self, *, in_psram: bool) -> dict[str, Any]:
        """See :class:`Branch`."""
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


def layer_constants(packed: PackedStep, symbol: str, *, arrays_of: str = "", again: bool = False) -> str:
    """C text of one layer: its arrays, then ``const <layer_type> <symbol>``.

    Args:
        arrays_of: what the arrays are named after where several layers share them; empty for the symbol.
        again: whether they stand before already.
    """
    c_identifier(symbol)
    owner = arrays_of or symbol
    arrays = [
        c_array(f"{owner}_{c_identifier(key)}", array, aligned=packed.aligned)
        for key, array in packed.arrays.items()
        if not again
    ]
    members = [f"    .{c_identifier(key)} = {_member(value)}," for key, value in packed.fields.items()]
    members += [f"    .{key} = {owner}_{key}," for key in packed.arrays]
    layer = "\n".join([f"const {c_identifier(packed.layer_type)} {symbol} = {{", *members, "};"])
    return "\n".join([*arrays, layer])


def _member(value: float | tuple[int, ...]) -> str:
    if isinstance(value, tuple):
        return "{" + ", ".join(c_number(item) for item in value) + "}"
    return c_number(value)


def _pointer(program: Program, memory: MemoryPlan, name: str, *, output: bool) -> str:
    """A tensor as an argument: the input and the embedding come from the caller, the rest lies in the arena."""
    if name == INPUT and not output:
        return "input"
    if name == program.output.name and output:
        return "embedding"
    return f"({'void' if output else 'const void'} *)(arena + {memory.offsets[name]})"


def call(source: BranchSource, step: Step, packed: PackedStep) -> str:
    """C expression that executes one step."""
    memory, program = source.memory, source.program
    arguments = [
        f"&{source.component}_{step.name}",
        *(_pointer(program, memory, name, output=False) for name in step.inputs),
        _pointer(program, memory, step.output, output=True),
        _scratch(memory, step),
    ]
    return f"{c_identifier(packed.function)}({', '.join(arguments)})"


def _scratch(memory: MemoryPlan, step: Step, half: int = 0) -> str:
    """The scratch of a step in the arena as an argument."""
    offset = memory.offsets.get(scratch_of(step, half))
    return "NULL" if offset is None else f"(void *)(arena + {offset})"


def _backend_call(source: BranchSource, step: Step) -> str:
    """C expression that executes one step by the backend, empty where it does not."""
    if step.name not in source.accelerated:
        return ""
    memory, program = source.memory, source.program
    inputs = [_pointer(program, memory, name, output=False) for name in step.inputs]
    right = inputs[1] if len(inputs) > 1 else "NULL"
    output = _pointer(program, memory, step.output, output=True)
    function = c_identifier(source.accelerated[step.name].function)
    layer = f"&{source.component}_{step.name}_{source.backend}"
    scratch = _scratch(memory, step) if source.planned else "backend_scratch"
    return f"{function}({layer}, {inputs[0]}, {right}, {output}, {scratch})"


def common_branch_values(branch: Branch, *, in_psram: bool) -> dict[str, Any]:
    """Values for the templates that follow from what every branch tells of itself."""
    shape = branch.input_shape
    return {
        "name": branch.modality,
        "component": branch.component,
        "macro": branch.component.upper(),
        "trained": branch.trained,
        "in_psram": in_psram,
        "height": shape.height,
        "width": shape.width,
        "channels": shape.channels,
        "input_bytes": shape.elements,
        "embedding": branch.embedding,
        "embedding_type": "float" if branch.is_float else "int8_t",
        "arena_bytes": branch.memory.peak_bytes,
        "arena_bound_bytes": branch.memory.bound_bytes,
        "id": branch.model_id,
        "golden_crc": branch.golden_crc,
        "headers": branch.headers,
        "backend": branch.backend if branch.accelerated else "",
        "backend_component": f"backend_{branch.backend}",
        "backend_managed": branch.backend in MANAGED,
        "shared": branch.shared,
    }


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
        "steps": list(_steps(source)),
        "moves": bool(program.bands),
    }


def _steps(source: BranchSource) -> Iterator[dict[str, Any]]:
    """What the device executes and times, one by one: single steps, and bands as a whole."""
    bands = {run.bands.first: run for run in (schedule(source.program, each) for each in source.program.bands)}
    behind = 0
    for index, (step, packed) in enumerate(zip(source.program.steps, source.packed, strict=True)):
        if index in bands:
            behind = bands[index].bands.steps.stop
            yield _band(source, bands[index])
        elif index in source.program.shared:
            yield _shared(source, index)
        elif index >= behind:
            yield _single(source, step, packed)


def _single(source: BranchSource, step: Step, packed: PackedStep) -> dict[str, Any]:
    symbol = f"{source.component}_{step.name}"
    accelerated = source.accelerated.get(step.name)
    backend_symbol = f"{symbol}_{source.backend}"
    return {
        "name": step.name,
        "layers": [(packed.layer_type, symbol)],
        "constants": layer_constants(packed, symbol),
        "before": [],
        "calls": [call(source, step, packed)],
        "after": [],
        "backend_call": _backend_call(source, step),
        "backend_symbol": backend_symbol,
        "backend_constants": "" if accelerated is None else layer_constants(accelerated, backend_symbol),
        "shared": False,
    }


class _PartLayers:
    """Layers of parts of steps: those of one step share its arrays and differ in rows."""

    def __init__(self, source: BranchSource) -> None:
        self._source = source
        self._names: dict[int, str] = {}
        self._owners: set[str] = set()
        self.constants: list[str] = []
        self.declared: list[tuple[str, str]] = []

    def name(self, part: Part) -> str:
        """The layer of a part, made for the first that wants it."""
        symbol = f"{self._source.component}_{part.step.name}"
        if id(part.program) not in self._names:
            packed = pack(replace(self._source.frozen, program=part.program), part.step)
            number = sum(name.startswith(f"{symbol}_rows") for name in self._names.values())
            self._names[id(part.program)] = own = f"{symbol}_rows{number}"
            self.constants.append(layer_constants(packed, own, arrays_of=symbol, again=symbol in self._owners))
            self.declared.append((packed.layer_type, own))
            self._owners.add(symbol)
        return self._names[id(part.program)]

    def step(self, name: str, calls: list[str], *, shared: bool) -> dict[str, Any]:
        """What the templates need of the step that is made of such calls."""
        return {
            "name": name,
            "layers": self.declared,
            "constants": "\n".join(self.constants),
            "before": [],
            "calls": calls,
            "after": [],
            "backend_call": "",
            "shared": shared,
        }


def _band(source: BranchSource, run: Schedule) -> dict[str, Any]:
    """A band: all its calls in order."""
    layers = _PartLayers(source)
    calls = [
        _move(source, each) if isinstance(each, Shift) else _part_call(source, each, layers.name(each))
        for each in run.calls
    ]
    names = [source.program.steps[index].name for index in run.bands.steps]
    return layers.step(band_name(names), calls, shared=False)


def _shared(source: BranchSource, index: int) -> dict[str, Any]:
    """A shared step: two calls that may be made at once."""
    layers = _PartLayers(source)
    calls = [
        _part_call(source, part, layers.name(part), half=half)
        for half, part in enumerate(halves(source.program, index))
    ]
    return layers.step(source.program.steps[index].name, calls, shared=True)


def _move(source: BranchSource, move: Shift[str]) -> str:
    """C expression that moves rows to the front of their buffer."""
    row = _row_bytes(source.program, move.tensor)
    offset = source.memory.offsets[move.tensor]
    return f"memmove(arena + {offset}, arena + {offset + move.first * row}, {move.rows * row})"


def _part_call(source: BranchSource, part: Part, layer: str, *, half: int = 0) -> str:
    """C expression that computes some rows."""
    program, memory = source.program, source.memory
    places = [*zip(part.step.inputs, part.reads, strict=True), (part.step.output, part.writes)]
    pointers = []
    for name, row in places:
        at = row * _row_bytes(program, name)
        base = "input + " if name == INPUT else f"arena + {memory.offsets[name]} + "
        pointers.append(f"({'void' if name == part.step.output else 'const void'} *)({base}{at})")
    function = footprint(part.program, part.step).kernel
    return f"{c_identifier(function)}(&{layer}, {', '.join(pointers)}, {_scratch(memory, part.step, half)})"


def _row_bytes(program: Program, name: str) -> int:
    tensor = program.tensors[name]
    return tensor.size_bytes // tensor.shape.height


def runtime_files(runtime: Path, headers: Mapping[str, None] | tuple[str, ...]) -> tuple[Path, ...]:
    """Files of the runtime that headers need: themselves, the .c beside each, and what these include, transitively.

    Args:
        runtime: ``firmware_templates/runtime``; its folder ``frontend`` is searched as well.
        headers: file names.

    Raises:
        FileNotFoundError: a header that the runtime does not have.
    """
    found: dict[str, Path] = {}
    waiting = list(headers)
    while waiting:
        header = waiting.pop()
        if header in found:
            continue
        path = next((folder / header for folder in (runtime, runtime / "frontend") if (folder / header).exists()), None)
        if path is None:
            raise FileNotFoundError(f"the runtime has no {header}")
        found[header] = path
        files = [path]
        if path.with_suffix(".c").exists() and path.suffix == ".h":
            found[path.with_suffix(".c").name] = path.with_suffix(".c")
            files.append(path.with_suffix(".c"))
        for file in files:
            waiting += _INCLUDE.findall(file.read_text())
    return tuple(sorted(found.values(), key=lambda path: path.name))
