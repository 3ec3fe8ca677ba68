"""Networks of single layers, each with an input and an output of its own, of random shapes as networks have them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from random_tflite import NONE, RELU, SAME, VALID, Builder
from small_tflite import model

_CHANNELS = (1, 3, 8, 16, 24, 32, 64, 96)


def _choose(net: Builder, values):
    return values[int(net.random.integers(len(values)))]


def _map(net: Builder, channels: int, *, most: int = 12_000) -> None:
    """A map of so many channels and at most so many values as the next layer's input."""
    side = int(min(32, max(3, (most / channels) ** 0.5)))
    height, width = (int(value) for value in net.random.integers(3, side + 1, 2))
    net.last = net.activation((1, height, width, channels))


def _conv(net: Builder) -> None:
    _map(net, _choose(net, _CHANNELS), most=6_000)
    kernel = _choose(net, ((3, 3), (3, 3), (1, 3), (5, 5), (2, 2), (10, 4)))
    stride = _choose(net, ((1, 1), (1, 1), (2, 2), (2, 1)))
    net.conv(_choose(net, (4, 8, 10, 16, 32, 64)), kernel, stride=stride, fused=_choose(net, (NONE, RELU)))


def _pointwise(net: Builder) -> None:
    _map(net, _choose(net, _CHANNELS[2:]))
    net.conv(_choose(net, (8, 16, 32, 64, 128)), (1, 1), fused=_choose(net, (NONE, RELU)))


def _depthwise(net: Builder) -> None:
    _map(net, _choose(net, _CHANNELS[2:]))
    stride = _choose(net, ((1, 1), (2, 2)))
    net.depthwise((3, 3), stride=stride, fused=_choose(net, (NONE, RELU)))


def _recent(net: Builder, channels: int) -> int:
    """The last few frames of a stream, one pixel wide, as the next layer's input; how many."""
    frames = int(net.random.integers(2, 24))
    net.last = net.activation((1, frames, 1, channels))
    return frames


def _depthwise_general(net: Builder) -> None:
    if net.random.random() < 0.4:
        frames = _recent(net, _choose(net, _CHANNELS[2:]))
        net.depthwise((frames, 1), padding=VALID, fused=RELU)
        return
    _map(net, _choose(net, _CHANNELS[2:6]), most=5_000)
    kernel = _choose(net, ((5, 5), (1, 5), (7, 1), (2, 3)))
    net.depthwise(kernel, multiplier=_choose(net, (1, 1, 2)), fused=RELU)


def _dense(net: Builder) -> None:
    net.last = net.activation((1, int(_choose(net, (16, 64, 100, 256, 640)))))
    net.dense(int(_choose(net, (2, 10, 12, 64, 128))), fused=_choose(net, (NONE, RELU)))


def _join(net: Builder) -> None:
    _map(net, _choose(net, _CHANNELS))
    code = _choose(net, ("ADD", "MUL"))
    net.join(code, net.last, net.last, fused=_choose(net, (NONE, RELU)))


def _pool(net: Builder) -> None:
    _map(net, _choose(net, _CHANNELS))
    code = _choose(net, ("AVERAGE_POOL_2D", "MAX_POOL_2D"))
    shape = net.tensors[net.last].shape
    if code == "AVERAGE_POOL_2D" and net.random.random() < 0.5:
        net.pool(code, shape[1:3], padding=VALID)
    else:
        net.pool(code, (2, 2), stride=(2, 2), padding=_choose(net, (SAME, VALID)))


def _softmax(net: Builder) -> None:
    net.last = net.activation((int(_choose(net, (1, 4))), int(_choose(net, (2, 10, 30)))))
    net.softmax()


def _table(net: Builder) -> None:
    _map(net, _choose(net, _CHANNELS))
    net.then("RELU", [net.last], net.tensors[net.last].shape, {})


def _concatenation(net: Builder) -> None:
    recent = net.random.random() < 0.4
    if recent:
        _recent(net, _choose(net, _CHANNELS[2:]))
    else:
        _map(net, _choose(net, _CHANNELS), most=6_000)
    start, shape = net.last, net.tensors[net.last].shape
    options = {"Axis": 1 if recent else int(net.random.integers(1, 4)), "FusedActivationFunction": NONE}
    joined = tuple(2 * side if axis == options["Axis"] else side for axis, side in enumerate(shape))
    net.then("CONCATENATION", [start, start], joined, options, like=start)


def _pad(net: Builder) -> None:
    _map(net, _choose(net, _CHANNELS), most=6_000)
    start, shape = net.last, net.tensors[net.last].shape
    paddings = net.ints([[0, 0], [1, 1], [1, 1], [0, 0]])
    net.then("PAD", [start, paddings], (1, shape[1] + 2, shape[2] + 2, shape[3]), {}, like=start)


def _mean(net: Builder) -> None:
    _map(net, _choose(net, _CHANNELS))
    net.then("MEAN", [net.last, net.ints([1, 2])], (1, net.tensors[net.last].shape[3]), {"KeepDims": False})


def _prelu(net: Builder) -> None:
    _map(net, _choose(net, _CHANNELS))
    net.prelu((1, 1, net.tensors[net.last].shape[3]))


def _bilinear(net: Builder) -> None:
    _map(net, _choose(net, _CHANNELS), most=3_000)
    start, shape = net.last, net.tensors[net.last].shape
    sides = tuple(int(side * net.random.uniform(0.5, 2.2)) for side in shape[1:3])
    options = {"AlignCorners": False, "HalfPixelCenters": bool(net.random.integers(2))}
    net.then("RESIZE_BILINEAR", [start, net.ints(sides)], (1, *sides, shape[3]), options, like=start)


def _lstm(net: Builder) -> None:
    net.last = net.activation((1, _choose(net, (1, 5, 12)), _choose(net, (10, 40, 128))))
    net.lstm(_choose(net, (8, 20, 32, 50)))


def _quantize(net: Builder) -> None:
    shape = (1, int(_choose(net, (64, 490, 2000))))
    net.last = net.reals(shape)
    net.then("QUANTIZE", [net.last], shape, {})


FAMILIES: tuple[Callable[[Builder], None], ...] = (
    *(_conv, _pointwise, _depthwise, _depthwise_general, _dense, _join, _pool, _softmax),
    *(_table, _concatenation, _pad, _mean, _quantize, _prelu, _bilinear, _lstm),
)


def network_of(seed: int, layers: int) -> bytes:
    """So many layers of one family: its number is the seed's remainder."""
    net = Builder(np.random.default_rng(seed))
    inputs, outputs = [], []
    for _ in range(layers):
        before = len(net.tensors)
        FAMILIES[seed % len(FAMILIES)](net)
        inputs.append(before)
        outputs.append(net.last)
    return model(net.tensors, net.operators, inputs, outputs)
