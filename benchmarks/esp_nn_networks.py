"""The layers of a network through ESP-NN's generic C on RV32IMC: what a build for an ESP32-C3 links.

Convolutions, depthwise convolutions, fully connected layers, additions and average pools are called with the constants
of the file, each on random inputs; outputs are compared with the oracle's. Layers that ESP-NN has no function for
(softmax aside) make the whole unknown. Its source stays where it is.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinysearch.firmware.rendering import c_array, c_values
from tinysearch.firmware.verify import emulator
from tinysearch.firmware.verify.rung import run_tool
from tinysearch.networks.arithmetic import activation_range, quantize_multiplier
from tinysearch.networks.graph import Array, Graph, Node
from tinysearch.networks.operators import KINDS, convolution, depthwise, fully_connected, pooling
from tinysearch.networks.operators.kind import offset
from tinysearch.networks.operators.weighted import Weighted
from tinysearch.networks.operators.window import Window

_SOURCES = (
    *("basic_math/*_ansi.c", "convolution/*_ansi.c", "convolution/*_opt.c", "fully_connected/*_ansi.c"),
    "pooling/*_ansi.c",
)
_FREE = {"RESHAPE", "SQUEEZE", "EXPAND_DIMS", "SOFTMAX"}
_TIMEOUT_S = 900.0
_COUNT = re.compile(r"^layer (\d+) (\d+) (equal|DIFFERS)\s*$", re.MULTILINE)
_HEAD = """
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include "esp_nn.h"

static unsigned instructions(void)
{
    unsigned value;
    __asm__ volatile("csrr %0, minstret" : "=r"(value));
    return value;
}

static int8_t scratch[1 << 20] __attribute__((aligned(16)));
static int8_t output[1 << 17] __attribute__((aligned(16)));
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layer:
    """C text of one layer: its constants, and the statement that computes it from ``input_N`` to ``output``."""

    constants: str
    call: str
    source: Array
    expected: Array


def esp_nn_instructions(path: Path, graph: Graph) -> int | None:
    """Instructions of all layers; None where ESP-NN lacks one.

    Raises:
        RuntimeError: it does not compile, or an output differs.
    """
    if any(node.operator not in _FREE and node.operator not in _CALLS for node in graph.nodes):
        return None
    layers = list(_layers(graph))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "main.c").write_text("\n".join(_program(layers)))
        sources = [source for pattern in _SOURCES for source in sorted((path / "src").glob(pattern))]
        flags = (
            "-std=gnu11",
            "-w",
            "-O2",
            "-DCONFIG_NN_OPTIMIZED=1",
            f"-I{path / 'include'}",
            f"-I{path / 'src/common'}",
        )
        program = folder / "program.elf"
        command = (emulator.COMPILER, *emulator.ISA_OPTIONS, *flags, *emulator.LINK_OPTIONS)
        built = run_tool(
            (*command, folder / "main.c", *sources, "-o", program, "-lm"), timeout_s=_TIMEOUT_S, folder=folder
        )
        if not built.passed:
            raise RuntimeError(built.text[-2000:])
        ran = run_tool(emulator.command(program), timeout_s=_TIMEOUT_S, folder=folder)
    found = _COUNT.findall(ran.text)
    if len(found) != len(layers) or any(word != "equal" for _, _, word in found):
        raise RuntimeError(f"ESP-NN: {ran.text[-500:]}")
    return sum(int(count) for _, count, _ in found)


def _layers(graph: Graph) -> Iterator[_Layer]:
    random = np.random.default_rng(0)
    for node in graph.nodes:
        if node.operator in _FREE:
            continue
        sources: list[Array | None] = []
        for index in node.inputs:
            tensor = graph.tensors[index]
            drawn = random.integers(-128, 128, (1, *tensor.shape)).astype(np.int8)
            sources.append(drawn if tensor.data is None else tensor.data[None])
        expected = KINDS[node.operator].run(graph, node, sources)[0]
        given = [value for value, index in zip(sources, node.inputs, strict=True) if graph.tensors[index].data is None]
        source = np.concatenate([np.asarray(value).reshape(-1) for value in given])
        constants, call = _CALLS[node.operator](graph, node)
        yield _Layer(constants=constants, call=call, source=source, expected=expected.reshape(-1))


def _program(layers: Sequence[_Layer]) -> Iterator[str]:
    yield _HEAD
    for number, layer in enumerate(layers):
        for name, values in (("input", layer.source), ("expected", layer.expected)):
            yield f"static const int8_t {name}_{number}[] __attribute__((aligned(16))) = {{\n{c_values(values)}\n}};"
        yield f"static void layer_{number}(const int8_t *input)\n{{\n{layer.constants}\n    {layer.call}\n}}"
    yield "int main(void)\n{\n    unsigned count;"
    yield "    esp_nn_set_conv_scratch_buf(scratch);\n    esp_nn_set_depthwise_conv_scratch_buf(scratch);"
    for number in range(len(layers)):
        yield f"    count = instructions(); layer_{number}(input_{number}); count = instructions() - count;"
        same = f'memcmp(output, expected_{number}, sizeof expected_{number}) == 0 ? "equal" : "DIFFERS"'
        yield f'    printf("layer {number} %u %s\\n", count, {same});'
    yield "    return 0;\n}\n"


def _weights(layer: Weighted, filters: Array) -> str:
    """Static constants of a layer: filter, bias, multiplier and shift of every channel."""
    return "\n".join(
        [
            f"    {c_array('filter', np.ascontiguousarray(filters).reshape(-1), aligned=16)}",
            f"    {c_array('bias', layer.bias.astype(np.int32))}",
            f"    {c_array('mult', layer.multiplier.astype(np.int32))}",
            f"    {c_array('shift', layer.shift.astype(np.int32))}",
            "    const quant_data_t quant = {(int32_t *)shift, (int32_t *)mult};",
        ]
    )


def _sides(name: str, height: int, width: int, channels: int) -> str:
    return f"    const data_dims_t {name} = {{{width}, {height}, {channels}, 1}};"


def _geometry(window: Window, layer: Weighted, kind: str, multiples: str = "") -> str:
    pairs = [f"{{{x}, {y}}}" for y, x in (window.stride, window.before, window.dilation)]
    members = [f"{-layer.in_zero}, {layer.out_zero}", *([multiples] if multiples else []), *pairs]
    return f"    const {kind} params = {{{', '.join(members)}, {{{layer.low}, {layer.high}}}}};"


def _convolution(graph: Graph, node: Node) -> tuple[str, str]:
    window, layer = convolution.layer_of(graph, node)
    parts = [
        _weights(layer, layer.weights),
        _sides("in", *window.inputs, window.channels),
        _sides("kernel", *window.kernel, window.channels),
        _sides("out", *window.outputs, len(layer.weights)),
        _geometry(window, layer, "conv_params_t"),
    ]
    return "\n".join(parts), "esp_nn_conv_s8(&in, input, &kernel, filter, bias, &out, output, &params, &quant);"


def _depthwise(graph: Graph, node: Node) -> tuple[str, str]:
    window, layer, multiples = depthwise.layer_of(graph, node)
    parts = [
        _weights(layer, np.moveaxis(layer.weights, 0, 3)),
        _sides("in", *window.inputs, window.channels),
        _sides("kernel", *window.kernel, len(layer.weights)),
        _sides("out", *window.outputs, len(layer.weights)),
        _geometry(window, layer, "dw_conv_params_t", str(multiples)),
    ]
    return "\n".join(
        parts
    ), "esp_nn_depthwise_conv_s8(&in, input, &kernel, filter, bias, &out, output, &params, &quant);"


def _dense(graph: Graph, node: Node) -> tuple[str, str]:
    layer, depth, _ = fully_connected.layer_of(graph, node)
    call = (
        f"esp_nn_fully_connected_per_ch_s8(input, {-layer.in_zero}, {depth}, filter, 0, bias, output, "
        f"{len(layer.weights)}, {layer.out_zero}, shift, mult, {layer.low}, {layer.high});"
    )
    return _weights(layer, layer.weights), call


def _addition(graph: Graph, node: Node) -> tuple[str, str]:
    left, right = (graph.tensors[index] for index in node.inputs)
    result = graph.result(node)
    twice = 2 * max(left.quantized.scale, right.quantized.scale)
    pairs = [quantize_multiplier(tensor.quantized.scale / twice) for tensor in (left, right)]
    out = quantize_multiplier(twice / ((1 << 20) * result.quantized.scale))
    low, high = activation_range(node.options.activation, result.quantized)  # type: ignore[union-attr]
    words = [-offset(left), -offset(right), pairs[0][0], pairs[1][0], pairs[0][1], pairs[1][1], 20]
    more = [offset(result), *out, low, high, result.elements]
    call = (
        f"esp_nn_add_elementwise_s8(input, input + {left.elements}, {', '.join(map(str, words))}, output, "
        f"{', '.join(map(str, more))});"
    )
    return "", call


def _average(graph: Graph, node: Node) -> tuple[str, str]:
    window, low, high = pooling.window_of_pool(graph, node)
    pairs = (window.outputs, window.stride, window.kernel, window.before)
    words = ", ".join(str(side) for height, width in pairs for side in (width, height))
    inputs = f"input, {window.inputs[1]}, {window.inputs[0]}, output"
    return "", f"esp_nn_avg_pool_s8({inputs}, {words}, {low}, {high}, {window.channels});"


_CALLS = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _dense,
    "ADD": _addition,
    "AVERAGE_POOL_2D": _average,
}
