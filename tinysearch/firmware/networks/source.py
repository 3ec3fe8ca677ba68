"""A lowered network as C: constants of every call, the calls in their arena, what the application must know."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from tinysearch.core.safe_text import plain_line
from tinysearch.firmware.identifiers import c_string
from tinysearch.firmware.model_source import layer_constants
from tinysearch.firmware.packing import PackedStep
from tinysearch.firmware.packing.block import LINE
from tinysearch.firmware.rendering import C_TYPES, c_array, c_number, crc_of_constants
from tinysearch.networks.accelerated import Accelerated
from tinysearch.networks.arena import ArenaPlan, plan
from tinysearch.networks.call import Call
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
    def headers(self) -> tuple[str, ...]:
        """Headers of the portable kernels, each once, sorted."""
        return tuple(sorted({packed.header for packed in self.packed}))

    def accelerate(self, accelerated: Accelerated) -> NetworkSource:
        """The same with a vector unit, in an arena that serves its kernels and the portable ones."""
        return replace(self, accelerated=accelerated, memory=accelerated.memory, packed=self._moved(accelerated))

    def _moved(self, accelerated: Accelerated) -> tuple[PackedStep, ...]:
        """Portable kernels as the other arena has them run."""
        backward = accelerated.memory.backward
        calls = enumerate(self.network.calls)
        return tuple(_packed(call, backward=number in backward) for number, call in calls)


def network_source(
    network: LoweredNetwork, *, memory: ArenaPlan | None = None, labels: tuple[str, ...] = (), prefix: str = PREFIX
) -> NetworkSource:
    """Pack a network, and plan it where no plan is given."""
    memory = memory or plan(network)
    packed = tuple(_packed(call, backward=number in memory.backward) for number, call in enumerate(network.calls))
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


def _call(source: NetworkSource, number: int, call: Call) -> str:
    """C expression that executes one step."""
    memory = source.memory
    scratch = f"arena + {memory.scratch[number]}" if number in memory.scratch else "NULL"
    arguments = (f"&{_symbol(source, number)}", *_inputs(source, call), _output(source, call), scratch)
    return f"{call.function}({', '.join(arguments)})"


def _inputs(source: NetworkSource, call: Call) -> list[str]:
    network, memory, found = source.network, source.memory, []
    states = {state.tensor for state in network.graph.states}
    for index in call.inputs:
        if index == ABSENT:
            found.append("NULL")
        elif index in network.owners:
            kept = "" if index in states else "const "
            found.append(f"({kept}void *)(arena + {memory.offsets[network.owners[index]]})")
        else:
            found.append(_constant_symbol(source, index))
    return found


def _output(source: NetworkSource, call: Call) -> str:
    return f"(void *)(arena + {source.memory.offsets[source.network.owners[call.output]]})"


def _backend_values(source: NetworkSource, number: int, call: Call) -> dict[str, str]:
    """Call, symbol and constants of a step for the backend; empty where the portable kernel is alone."""
    packed = None if source.accelerated is None else source.accelerated.packed.get(number)
    if packed is None:
        return {"backend_call": "", "backend_symbol": "", "backend_layer_type": "", "backend_constants": ""}
    symbol = f"{_symbol(source, number)}_vector"
    inputs = _inputs(source, call)
    right = inputs[1] if len(inputs) > 1 else "NULL"
    scratch = f"arena + {-(-source.memory.scratch[number] // LINE) * LINE}"
    arguments = (f"&{symbol}", inputs[0], right, _output(source, call), scratch)
    return {
        "backend_call": f"{packed.function}({', '.join(arguments)})",
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
                "symbol": _symbol(source, number),
                "layer_type": packed.layer_type,
                "constants": layer_constants(packed, _symbol(source, number)),
                "call": _call(source, number, call),
                **_backend_values(source, number, call),
            }
            for number, (call, packed) in enumerate(zip(network.calls, source.packed, strict=True))
        ],
    }


def _tensor(source: NetworkSource, index: int) -> str:
    """Initializer of a ``network_tensor``."""
    tensor = source.network.graph.tensors[index]
    offset = source.memory.offsets[source.network.owners[index]]
    quantization = tensor.quantization
    scale = c_number(0.0 if quantization is None else quantization.scale)
    zero = 0 if quantization is None else quantization.zero_point
    shape = "x".join(str(side) for side in tensor.shape)
    texts = ", ".join(c_string(text) for text in (shown(tensor.name), str(tensor.element), shape))
    return f"{{{texts}, {offset}, {tensor.size_bytes}, {scale}, {zero}}}"


def _state(source: NetworkSource, state: State) -> dict[str, Any]:
    """Where a state lies, and the constant that it starts from."""
    offset = source.memory.offsets[source.network.owners[state.tensor]]
    size = source.network.graph.tensors[state.tensor].size_bytes
    return {"offset": offset, "bytes": size, "first": _constant_symbol(source, state.first)}


def _constant(source: NetworkSource, index: int) -> dict[str, Any]:
    data = source.network.graph.tensors[index].data
    if data is None:
        raise ValueError(f"tensor {index} is no constant")
    symbol, kind = _constant_symbol(source, index), C_TYPES[data.dtype.name]
    text = c_array(symbol, data.reshape(-1)).removeprefix("static ")
    return {"symbol": symbol, "type": kind, "count": data.size, "text": text}


def _buffers(source: NetworkSource) -> Iterator[str]:
    """A line a buffer: offset, bytes, first and last step, name."""
    memory, graph = source.memory, source.network.graph
    rows = []
    for buffer in memory.buffers:
        scratch = buffer.key < 0
        offset = memory.scratch[-1 - buffer.key] if scratch else memory.offsets[buffer.key]
        name = f"scratch of {-1 - buffer.key}" if scratch else shown(graph.tensors[buffer.key].name)
        rows.append(
            (offset, buffer.first, f"{offset:>8} {buffer.size_bytes:>7} {buffer.first:>3}-{buffer.last:<3} {name}")
        )
    return (text.replace("*/", "* /") for _, _, text in sorted(rows))
