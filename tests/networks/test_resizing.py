"""RESIZE_*, TRANSPOSE_CONV and PRELU: tflite-micro's bytes, in the oracle and in C; what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from random_tflite import SAME, VALID, Builder
from test_kernels import emitted

from tinysearch.core.errors import UnsupportedLayerError
from tinysearch.firmware.networks.golden import random_inputs
from tinysearch.firmware.verify import host
from tinysearch.networks.lowering import lower
from tinysearch.networks.oracle import run
from tinysearch.networks.tflite_file import read_tflite

BILINEAR = "RESIZE_BILINEAR"


def resized(net: Builder, size: tuple[int, int], code: str = "RESIZE_NEAREST_NEIGHBOR", **options: bool) -> None:
    start, shape = net.last, net.tensors[net.last].shape
    names = {"AlignCorners": options.get("corners", False), "HalfPixelCenters": options.get("half", False)}
    net.then(code, [start, net.ints(size)], (1, *size, shape[3]), names, like=start)


def transposed(net: Builder, channels: int, kernel: tuple[int, int], stride: tuple[int, int], padding: int) -> None:
    start, shape = net.last, net.tensors[net.last].shape
    more = (0, 0) if padding == SAME else tuple(max(k - s, 0) for k, s in zip(kernel, stride, strict=True))
    sides = tuple(side * step + extra for side, step, extra in zip(shape[1:3], stride, more, strict=True))
    weights, bias = net.constant((channels, *kernel, shape[3]), channels, 0)
    result = (1, *sides, channels)
    options = {"Padding": padding, "StrideH": stride[0], "StrideW": stride[1]}
    net.then("TRANSPOSE_CONV", [net.ints(result), weights, start, bias], result, options)


def everything() -> bytes:
    net = Builder.start(3, (1, 4, 6, 3))
    transposed(net, 5, (3, 3), (2, 2), SAME)
    resized(net, (16, 12), half=True)
    transposed(net, 4, (2, 4), (1, 3), VALID)
    resized(net, (8, 37), half=True)
    resized(net, (16, 37))
    transposed(net, 2, (1, 1), (2, 1), SAME)
    resized(net, (7, 20), BILINEAR)
    net.prelu((1, 1, 2))
    resized(net, (13, 5), BILINEAR, half=True)
    net.prelu((13, 5, 2))
    resized(net, (1, 9), BILINEAR, corners=True)
    resized(net, (4, 9), BILINEAR, corners=True)
    return net.file()


def test_every_byte_is_that_of_tflite_micro(tmp_path):
    runtime = pytest.importorskip("tflite_micro.python.tflite_micro.runtime")
    path = tmp_path / "network.tflite"
    path.write_bytes(everything())
    graph = read_tflite(path)
    (values,) = random_inputs(graph, 5, 0)
    (outputs,) = run(graph, [values])
    interpreter = runtime.Interpreter.from_file(str(path))
    for sample, expected in zip(values, outputs, strict=True):
        interpreter.set_input(sample, 0)
        interpreter.invoke()
        np.testing.assert_array_equal(interpreter.get_output(0), expected)


def test_c_gives_the_same(tmp_path):
    rung = host.golden_vectors(emitted(tmp_path, everything()))
    assert rung.status == "passed", rung.detail


@pytest.mark.parametrize(("size", "said"), [((5, 6), "makes 5 rows or columns of 4"), ((400, 6), "resize in two")])
def test_other_factors_are_refused(tmp_path, size, said):
    net = Builder.start(3, (1, 4, 6, 3))
    resized(net, size)
    (tmp_path / "network.tflite").write_bytes(net.file())
    with pytest.raises(UnsupportedLayerError, match=said):
        lower(read_tflite(tmp_path / "network.tflite"))
