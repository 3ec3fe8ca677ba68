"""Pseudo-random inputs of a network, and what the oracle makes of them."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from tinysearch.firmware.golden import pattern
from tinysearch.networks.graph import Array, Element, Graph
from tinysearch.networks.oracle import run

_FLOAT_STEP = 32
"""A float of the self-test's pattern is a byte less 128, divided by this."""


def random_inputs(graph: Graph, count: int, seed: int) -> list[Array]:
    """``count`` samples of every input: all int8 values, floats over what their quantization covers."""
    random = np.random.default_rng(seed)
    return [_random(graph, index, count, random) for index in graph.inputs]


def _random(graph: Graph, index: int, count: int, random: np.random.Generator) -> Array:
    tensor = graph.tensors[index]
    if tensor.element is Element.FLOAT32:
        return (4 * random.normal(size=(count, *tensor.shape))).astype(np.float32)
    limits = np.iinfo(tensor.element.dtype.name)
    return random.integers(limits.min, limits.max + 1, (count, *tensor.shape)).astype(tensor.element.dtype)


def selftest_inputs(graph: Graph) -> list[Array]:
    """The input of the device's self-test, as ``selftest_fill`` makes it."""
    tensors = [graph.tensors[index] for index in graph.inputs]
    values = pattern((sum(tensor.elements for tensor in tensors),), 1)
    found: list[Array] = []
    for tensor in tensors:
        part, values = values[: tensor.elements].reshape(1, *tensor.shape), values[tensor.elements :]
        real = tensor.element is Element.FLOAT32
        found.append(part.astype(np.float32) / np.float32(_FLOAT_STEP) if real else part.view(tensor.element.dtype))
    return found


def selftest_crc(graph: Graph) -> int:
    """CRC-32 of the outputs of the self-test."""
    return zlib.crc32(rows(run(graph, selftest_inputs(graph)))[0].tobytes())


def rows(arrays: Sequence[Array]) -> Array:
    """Bytes of all tensors of a sample side by side: uint8 [N, bytes]."""
    flat = [np.ascontiguousarray(array).reshape(len(array), -1).view(np.uint8) for array in arrays]
    return np.concatenate(flat, axis=1)
