"""The calls that execute a branch, step by step, as C."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tinysearch.analytic.kernels import footprint
from tinysearch.analytic.memory import MemoryPlan, scratch_of
from tinysearch.core.bands import Part, Schedule, band_name, halves, schedule
from tinysearch.core.network import INPUT
from tinysearch.core.program import Program, Step
from tinysearch.core.turns import Shift
from tinysearch.firmware.constants import layer_constants
from tinysearch.firmware.identifiers import c_identifier
from tinysearch.firmware.packing import PackedStep, pack

if TYPE_CHECKING:
    from tinysearch.firmware.branch_source import BranchSource


def executed_steps(source: BranchSource) -> Iterator[dict[str, Any]]:
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
        "calls": [_call(source, step, packed)],
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


def _pointer(program: Program, memory: MemoryPlan, name: str, *, output: bool) -> str:
    """A tensor as an argument: the input and the embedding come from the caller, the rest lies in the arena."""
    if name == INPUT and not output:
        return "input"
    if name == program.output.name and output:
        return "embedding"
    return f"({'void' if output else 'const void'} *)(arena + {memory.offsets[name]})"


def _call(source: BranchSource, step: Step, packed: PackedStep) -> str:
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
