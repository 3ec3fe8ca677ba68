"""Vector units for networks of one's own: every kernel that is chosen computes the oracle's bytes, in the model."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from layers_tflite import FAMILIES, _softmax, network_of
from random_tflite import NONE, VALID, Builder, everything

import tinysearch as ts
from tinysearch.app.config.resources import data_dir
from tinysearch.catalog.loading import load_catalog
from tinysearch.core.errors import UserError
from tinysearch.firmware.backends import vector_backends
from tinysearch.firmware.networks.golden import random_inputs
from tinysearch.firmware.networks.vectors import accelerated
from tinysearch.firmware.verify.simd.machine import Machine
from tinysearch.firmware.verify.simd.riscv import RISCV
from tinysearch.firmware.verify.simd.xtensa import XTENSA
from tinysearch.networks.lowering import lower
from tinysearch.networks.operators import KINDS
from tinysearch.networks.tflite_file import tflite_graph

CORES = {"esp32s3": XTENSA, "esp32p4": RISCV}
CHIPS = load_catalog("espressif", root=data_dir("hardware_catalog")).chips.values()
UNITS = {backend.processors[0]: backend for backend in vector_backends("auto", CHIPS)}

needs_gcc = pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")


@cache
def machine(processor: str) -> Machine:
    """All kernels of a chip, compiled once."""
    folder = data_dir("firmware_templates") / f"esp_idf/components/backend_{UNITS[processor].name}"
    return Machine(sorted(folder.glob("*.S")), folders=(folder / "include",), core=CORES[processor])


def vectorized(content: bytes, processor: str):
    graph = tflite_graph(content, Path("network.tflite"))
    return lower(graph), accelerated(lower(graph), vector_backends("auto", CHIPS)).get(processor)


def _value(graph, values, index):
    data = graph.tensors[index].data
    return values[index] if data is None else data[None]


def check(content: bytes, processor: str) -> int:
    """Run all that the unit computes on random inputs; how many calls these were."""
    network, found = vectorized(content, processor)
    if found is None:
        return 0
    graph, unit = network.graph, UNITS[processor].unit
    values = {index: value[:1] for index, value in zip(graph.inputs, random_inputs(graph, 1, 0), strict=True)}
    numbers = {network.calls[number].output: number for number in found.packed}
    for node in graph.nodes:
        sources = [None if index < 0 else _value(graph, values, index) for index in node.inputs]
        outputs = KINDS[node.operator].run(graph, node, sources)
        values.update(zip(node.outputs, outputs, strict=True))
        if node.outputs[0] not in numbers:
            continue
        number = numbers[node.outputs[0]]
        call, packed = network.calls[number], found.packed[number]
        inputs = [values[index].reshape(-1) for index in call.inputs]
        name = f"ts_{unit.name}_{unit.names[packed.fields['op']]}"
        ran = machine(processor).run(name, packed.arrays["block"], *inputs, offsets=(number % 5, number % 3))
        assert np.array_equal(ran.output, outputs[0].reshape(-1)), (node.operator, number)
    return len(found.packed)


@pytest.mark.slow
@needs_gcc
@pytest.mark.parametrize("processor", sorted(CORES))
def test_layers_of_any_shape_equal_the_oracle(processor):
    """Families with kernels are the first ones; a seed's remainder tells which it is."""
    seeds = [seed for seed in range(len(FAMILIES) * 20) if seed % len(FAMILIES) < FAMILIES.index(_softmax)]
    assert sum(check(network_of(seed, 6), processor) for seed in seeds) > 400


def steep(fused: int = NONE) -> bytes:
    """Multipliers around one half, dilation, and a depthwise kernel that is no square."""
    net = Builder.start(3, (1, 9, 7, 5))
    net.conv(6, (3, 2), dilation=(2, 2), padding=VALID, fused=fused)
    net.depthwise((3, 1), fused=fused)
    first, second = (net.tensors[operator.outputs[0]] for operator in net.operators)
    net.tensors[0].scale, first.scale, second.scale = 0.1, 0.001, 0.00001
    return net.file()


def test_multipliers_of_one_half_and_more_are_computed_by_the_s3():
    network, found = vectorized(steep(), "esp32s3")
    shifts = np.concatenate([call.arrays["shift"] for call in network.calls])
    assert shifts.min() == 0 < shifts.max()
    assert found is not None
    assert len(found.packed) == len(network.calls) == 2


def test_what_a_unit_does_not_compute_is_left_to_the_portable_kernels():
    assert vectorized(steep(), "esp32p4")[1] is None  # its requantization shifts by one at least
    assert vectorized(steep(), "esp32c3")[1] is None


def dead() -> bytes:
    """Channels as converters write them: weights of zero, biases of 2^30, and a scale that makes much of nothing."""
    net = Builder.start(5, (1, 4, 4, 8))
    net.conv(6, (1, 1), fused=NONE)
    weights, bias = (net.tensors[index] for index in net.operators[0].inputs[1:])
    weights.data[[1, 4]] = 0
    bias.data[[1, 4]] = [-(1 << 30), 1 << 30]
    weights.scale[[1, 4]] = 0.3
    return net.file()


@pytest.mark.parametrize("processor", sorted(CORES))
def test_dead_channels_keep_no_layer_from_a_unit(processor):
    _, found = vectorized(dead(), processor)
    assert found is not None
    assert set(found.packed) == {0}


@pytest.mark.slow
@needs_gcc
def test_steep_and_dead_channels_equal_the_oracle():
    assert check(steep(), "esp32s3") == 2
    assert [check(dead(), processor) for processor in CORES] == [1, 1]


def test_a_backend_must_be_a_vector_unit():
    with pytest.raises(UserError, match="must be portable, pie, xespv or auto"):
        vector_backends("esp_nn", CHIPS)


def test_the_arena_serves_both_kernels():
    network, found = vectorized(everything(), "esp32s3")
    assert found is not None
    for number in found.packed:
        offset, size = found.memory.scratch[number], found.lowered.calls[number].scratch_bytes
        used = -(-offset // 16) * 16
        assert size >= network.calls[number].scratch_bytes
        assert used + found.packed[number].arrays["block"][16:20].view(np.int32)[0] <= offset + size


def test_a_chip_has_the_unit_of_its_target(tmp_path):
    path = tmp_path / "dead.tflite"
    path.write_bytes(dead())
    words = {"platform": {"processor": "esp32p4-v1"}, "firmware": {"backend": "auto"}}
    assert ts.evaluate(network=path, **words).to_dict()["backend"] == "xespv"
