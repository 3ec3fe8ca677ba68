"""A lowered network as C: constants of every call, the calls in their arena, what the application must know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tinysearch.core.safe_text import plain_line
from tinysearch.firmware.constants import layer_constants
from tinysearch.firmware.identifiers import c_string
from tinysearch.firmware.packing import PackedStep
from tinysearch.firmware.packing.block import LINE
from tinysearch.firmware.rendering import C_TYPES, c_array, c_number, crc_of_constants
from tinysearch.networks.accelerated import Accelerated
from tinysearch.networks.arena import ArenaPlan, plan
from tinysearch.networks.call import MOVE_FUNCTION, Band, Call, Move, Part, Place
from tinysearch.networks.graph import ABSENT, Element, State
from tinysearch.networks.lowering import LoweredNetwork

PREFIX = "network"
"""Of what the C of a project defines."""

_LONGEST_NAME = 60
_C_ELEMENTS = {Element.INT8: "int8_t", Element.UINT8: "uint8_t", Element.FLOAT32: "float"}
"""Types that an output may have, in C."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NetworkSource:
    """What the templates need of one network.

    Attributes:
        packed: its constant structures in order: one a call, or several of a band.
        labels: names of the classes that the first output holds.
        model_id: CRC-32 of all constants.
        prefix: of everything that its C defines: the name of a library, or :data:`PREFIX`.
        accelerated: what the vector unit of the board's chip computes, None for portable kernels alone.
    """

    name: str
    network: LoweredNetwork
    memory: ArenaPlan
    packed: tuple[PackedStep, ...]
    labels: tuple[str, ...]
    model_id: int
    prefix: str = PREFIX
    accelerated: Accelerated | None = None

    @property
    def slow_bytes(self) -> int:
        """Bytes of the second arena, 0 for none."""
        return 0 if self.memory.slow is None else self.memory.slow.peak_bytes

    @property
    def headers(self) -> tuple[str, ...]:
        """Headers of the portable kernels, each once, sorted."""
        return tuple(f"{function}.h" for function in self.functions)

    @property
    def functions(self) -> tuple[str, ...]:
        """Functions of the runtime that the network calls, each once, sorted."""
        return tuple(sorted({function for call in self.network.calls for function in call.functions}))

    def accelerate(self, accelerated: Accelerated) -> NetworkSource:
        """The same with a vector unit, in an arena that serves its kernels and the portable ones."""
        return replace(self, accelerated=accelerated, memory=accelerated.memory, packed=self._moved(accelerated))

    def _moved(self, accelerated: Accelerated) -> tuple[PackedStep, ...]:
        """Portable kernels as the other arena has them run."""
        return packed_layers(self.network, accelerated.memory)

    def layers(self, number: int) -> tuple[PackedStep, ...]:
        """Constant structures of one call."""
        before = sum(len(call.layers) for call in self.network.calls[:number])
        return self.packed[before : before + len(self.network.calls[number].layers)]


def network_source(
    network: LoweredNetwork, *, memory: ArenaPlan | None = None, labels: tuple[str, ...] = (), prefix: str = PREFIX
) -> NetworkSource:
    """Pack a network, and plan it where no plan is given."""
    memory = memory or plan(network)
    packed = packed_layers(network, memory)
    return NetworkSource(
        name=shown(network.graph.name),
        network=network,
        memory=memory,
        packed=packed,
        labels=labels,
        model_id=crc_of_constants(_constants(network, packed)),
        prefix=prefix,
    )


def shown(name: str) -> str:
    """A name of the file on one line."""
    return plain_line(name)[:_LONGEST_NAME] or "unnamed"


def packed_layers(network: LoweredNetwork, memory: ArenaPlan) -> tuple[PackedStep, ...]:
    """All constant structures of a network, as its arena has the kernels run."""
    calls = enumerate(network.calls)
    return tuple(_packed(layer, backward=number in memory.backward) for number, call in calls for layer in call.layers)


def _packed(call: Call, *, backward: bool) -> PackedStep:
    return PackedStep(
        function=call.function,
        layer_type=f"{call.function}_layer",
        header=f"{call.function}.h",
        fields={**call.fields, "backward": 1} if backward else call.fields,
        arrays=call.arrays,
    )


def _constants(network: LoweredNetwork, packed: tuple[PackedStep, ...]) -> Iterator[tuple[str, Any]]:
    for number, part in enumerate(packed):
        yield from ((f"{number}.{part.function}.{key}", value) for key, value in part.fields.items())
        yield from ((f"{number}.{part.function}.{key}", value) for key, value in part.arrays.items())
    for index in network.constant_inputs:
        data = network.graph.tensors[index].data
        if data is not None:
            yield f"tensor.{index}", data


def _symbol(source: NetworkSource, number: int) -> str:
    return f"{source.prefix}_step_{number}"


def _constant_symbol(source: NetworkSource, index: int) -> str:
    return f"{source.prefix}_tensor_{index}"


def _plain_step(source: NetworkSource, number: int) -> dict[str, Any]:
    """Layer, constants and the one call of a step on whole maps."""
    call, (packed,), symbol = source.network.calls[number], source.layers(number), _symbol(source, number)
    memory = source.memory
    scratch = f"arena + {memory.scratch[number]}" if number in memory.scratch else "NULL"
    return {
        "layers": [(packed.layer_type, symbol)],
        "constants": layer_constants(packed, symbol),
        "calls": [_call(packed.function, symbol, _inputs(source, call), _output(source, call.output), scratch)],
    }


def _call(function: str, symbol: str, inputs: Sequence[str], output: str, scratch: str) -> str:
    """C expression that calls a kernel."""
    return f"{function}({', '.join((f'&{symbol}', *inputs, output, scratch))})"


def _band_step(source: NetworkSource, number: int, band: Band) -> dict[str, Any]:
    """Layers, constants and all calls of a band, in order; parts of one step share its arrays."""
    names, layers, constants = dict[int, str](), list[tuple[str, str]](), list[str]()
    owners = set[str]()
    layered = zip(source.network.calls[number].layers, source.layers(number), strict=True)
    steps = {id(part.call): part.step for part in band.parts}
    for count, (layer, packed) in enumerate(layered):
        owner = f"{_symbol(source, number)}_{steps[id(layer)]}"
        names[id(layer)] = own = f"{_symbol(source, number)}_rows_{count}"
        constants.append(layer_constants(packed, own, arrays_of=owner, again=owner in owners))
        layers.append((packed.layer_type, own))
        owners.add(owner)
    calls = [
        _move(source, number, action) if isinstance(action, Move) else _part(source, number, action, names)
        for action in band.actions
    ]
    return {"layers": layers, "constants": "\n\n".join(constants), "calls": calls}


def _move(source: NetworkSource, number: int, move: Move) -> str:
    """C expression that moves bytes within the scratch of a band."""
    scratch = source.memory.scratch[number]
    return f"{MOVE_FUNCTION}(arena + {scratch + move.result}, arena + {scratch + move.source}, {move.size_bytes})"


def _part(source: NetworkSource, number: int, part: Part, names: Mapping[int, str]) -> str:
    """C expression that computes some rows of a step in a band."""
    scratch = source.memory.scratch.get(number, 0)
    inputs = [
        _constant_symbol(source, index) if place is None else f"(const void *)({_place(source, place, scratch)})"
        for index, place in zip(part.call.inputs, part.inputs, strict=True)
    ]
    working = "NULL" if part.scratch is None else f"arena + {scratch + part.scratch}"
    output = f"(void *)({_place(source, part.output, scratch)})"
    return _call(part.call.function, names[id(part.call)], inputs, output, working)


def _place(source: NetworkSource, place: Place, scratch: int) -> str:
    """C expression of where rows begin."""
    if place.tensor is None:
        return f"arena + {scratch + place.offset}"
    return _at(source, place.tensor, place.offset)


def _at(source: NetworkSource, index: int, offset: int = 0) -> str:
    """C expression of so many bytes behind the start of a tensor, in either arena."""
    owner, memory = source.network.owners[index], source.memory
    if owner in memory.offsets:
        return f"arena + {memory.offsets[owner] + offset}"
    return f"slow + {_slow_offsets(memory)[owner] + offset}"


def _slow_offsets(memory: ArenaPlan) -> Mapping[int, int]:
    return {} if memory.slow is None else memory.slow.offsets


def _inputs(source: NetworkSource, call: Call) -> list[str]:
    network, found = source.network, list[str]()
    states = {state.tensor for state in network.graph.states}
    for index in call.inputs:
        if index == ABSENT:
            found.append("NULL")
        elif index in network.owners:
            kept = "" if index in states else "const "
            found.append(f"({kept}void *)({_at(source, index)})")
        else:
            found.append(_constant_symbol(source, index))
    return found


def _output(source: NetworkSource, index: int) -> str:
    return f"(void *)({_at(source, index)})"


def _backend_values(source: NetworkSource, number: int, call: Call) -> dict[str, str]:
    """Call, symbol and constants of a step for the backend; empty where the portable kernel is alone."""
    packed = None if source.accelerated is None else source.accelerated.packed.get(number)
    if packed is None:
        return {"backend_call": "", "backend_symbol": "", "backend_layer_type": "", "backend_constants": ""}
    symbol = f"{_symbol(source, number)}_vector"
    inputs = _inputs(source, call)
    right = inputs[1] if len(inputs) > 1 else "NULL"
    scratch = f"arena + {-(-source.memory.scratch[number] // LINE) * LINE}"
    return {
        "backend_call": _call(packed.function, symbol, (inputs[0], right), _output(source, call.output), scratch),
        "backend_symbol": symbol,
        "backend_layer_type": packed.layer_type,
        "backend_constants": layer_constants(packed, symbol),
    }


def network_values(source: NetworkSource) -> dict[str, Any]:
    """Values for the templates."""
    network, memory = source.network, source.memory
    graph = network.graph
    return {
        "name": source.name,
        "id": source.model_id,
        "labels": source.labels,
        "label_type": _C_ELEMENTS[graph.tensors[graph.outputs[0]].element],
        "arena_bytes": memory.peak_bytes,
        "arena_bound_bytes": memory.bound_bytes,
        "slow_bytes": source.slow_bytes,
        "weight_bytes": network.parameter_bytes,
        "inputs": [_tensor(source, index) for index in graph.inputs],
        "input_bytes": sum(graph.tensors[index].size_bytes for index in graph.inputs),
        "outputs": [_tensor(source, index) for index in graph.outputs],
        "output_bytes": sum(graph.tensors[index].size_bytes for index in graph.outputs),
        "states": [_state(source, state) for state in graph.states],
        "headers": source.headers,
        "backend": "" if source.accelerated is None else source.accelerated.backend,
        "buffers": list(_buffers(source)),
        "constants": [_constant(source, index) for index in network.constant_inputs],
        "steps": [
            {
                "name": f"{number} {shown(call.name)}",
                **(_plain_step(source, number) if call.band is None else _band_step(source, number, call.band)),
                **_backend_values(source, number, call),
            }
            for number, call in enumerate(network.calls)
        ],
    }


def _tensor(source: NetworkSource, index: int) -> str:
    """Initializer of a ``network_tensor``."""
    tensor = source.network.graph.tensors[index]
    owner, memory = source.network.owners[index], source.memory
    offset = memory.offsets[owner] if owner in memory.offsets else memory.peak_bytes + _slow_offsets(memory)[owner]
    quantization = tensor.quantization
    scale = c_number(0.0 if quantization is None else quantization.scale)
    zero = 0 if quantization is None else quantization.zero_point
    shape = "x".join(str(side) for side in tensor.shape)
    texts = ", ".join(c_string(text) for text in (shown(tensor.name), str(tensor.element), shape))
    return f"{{{texts}, {offset}, {tensor.size_bytes}, {scale}, {zero}}}"


def _state(source: NetworkSource, state: State) -> dict[str, Any]:
    """Where a state lies, and the constant that it starts from."""
    size = source.network.graph.tensors[state.tensor].size_bytes
    return {"place": _at(source, state.tensor), "bytes": size, "first": _constant_symbol(source, state.first)}


def _constant(source: NetworkSource, index: int) -> dict[str, Any]:
    data = source.network.graph.tensors[index].data
    if data is None:
        raise ValueError(f"tensor {index} is no constant")
    symbol, kind = _constant_symbol(source, index), C_TYPES[data.dtype.name]
    text = c_array(symbol, data.reshape(-1)).removeprefix("static ")
    return {"symbol": symbol, "type": kind, "count": data.size, "text": text}


def _buffers(source: NetworkSource) -> Iterator[str]:
    """A line a buffer: offset, bytes, first and last step, name; then those of the second arena."""
    yield from _lines(source, source.memory, "")
    if source.memory.slow is not None:
        yield from _lines(source, source.memory.slow, " (second arena)")


def _lines(source: NetworkSource, memory: ArenaPlan, where: str) -> Iterator[str]:
    rows = []
    for buffer in memory.buffers:
        scratch = buffer.key < 0
        offset = memory.scratch[-1 - buffer.key] if scratch else memory.offsets[buffer.key]
        name = f"scratch of {-1 - buffer.key}" if scratch else shown(source.network.graph.tensors[buffer.key].name)
        lives = f"{buffer.first:>3}-{buffer.last:<3}"
        rows.append((offset, buffer.first, f"{offset:>8} {buffer.size_bytes:>7} {lives} {name}{where}"))
    return (text.replace("*/", "* /") for _, _, text in sorted(rows))
