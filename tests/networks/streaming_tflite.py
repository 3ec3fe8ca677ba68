"""A wake word's kind of network: a frame in, what convolutions saw before kept in variables."""

from __future__ import annotations

import numpy as np
from random_tflite import NONE, RELU, VALID, Builder
from small_tflite import Op, T, model

FRAMES, FEATURES = 4, 5


def _variable(net: Builder, name: str, shape: tuple[int, ...], like: int) -> tuple[int, int]:
    """Its handle, and what was read of it."""
    handle = len(net.tensors)
    net.tensors.append(T(shape=(), kind="resource", scale=None, name=f"handle {name}"))
    net.operators.append(
        Op(code="VAR_HANDLE", inputs=[], outputs=[handle], options={"Container": "", "SharedName": name})
    )
    read = net.activation(shape, like=like)
    net.operators.append(Op(code="READ_VARIABLE", inputs=[handle], outputs=[read]))
    return handle, read


def _ring(net: Builder, name: str, kept: int) -> None:
    """The last frames before the new one, of which the newest are kept."""
    like = net.last
    shape = net.tensors[like].shape
    handle, read = _variable(net, name, (1, kept, *shape[2:]), like)
    options = {"Axis": 1, "FusedActivationFunction": NONE}
    whole = net.then("CONCATENATION", [read, like], (1, kept + shape[1], *shape[2:]), options, like=like)
    bounds = [net.ints(row) for row in ((0, shape[1], 0, 0), (0, 0, 0, 0), (1, 1, 1, 1))]
    newest = net.then(
        "STRIDED_SLICE", [whole, *bounds], (1, kept, *shape[2:]), {"BeginMask": 13, "EndMask": 15}, like=like
    )
    net.operators.append(Op(code="ASSIGN_VARIABLE", inputs=[handle, newest], outputs=[]))
    net.last = whole


def streaming(seed: int = 0) -> bytes:
    """Two ring buffers, a variable that is counted up after it was read, and a dense layer at the end."""
    net = Builder(np.random.default_rng(seed))
    net.operators.append(Op(code="CALL_ONCE", inputs=[], outputs=[], options={"InitSubgraphIndex": 1}))
    net.last = net.activation((1, 1, 1, FEATURES))
    start = net.last
    _ring(net, "first", FRAMES)
    net.conv(6, (3, 1), padding=VALID, dilation=(2, 1), fused=RELU)
    _ring(net, "second", 2)
    net.depthwise((3, 1), padding=VALID, fused=RELU)
    seen = net.last
    handle, read = _variable(net, "sum", net.tensors[seen].shape, seen)
    total = net.join("ADD", read, seen)
    net.tensors[total].scale, net.tensors[total].zero = net.tensors[seen].scale, net.tensors[seen].zero
    net.operators.append(Op(code="ASSIGN_VARIABLE", inputs=[handle, total], outputs=[]))
    net.last = net.join("ADD", read, total)
    net.flatten()
    net.dense(3)
    return model(net.tensors, net.operators, [start], [net.last], once=_once(net))


def sequence(seed: int = 1) -> bytes:
    """Two long short-term memories, the second with few cell bits and a clip."""
    net = Builder.start(seed, (1, 4, 7))
    net.lstm(6)
    net.lstm(5, cell_bits=13, clip=2.0)
    net.lstm(9, cell_bits=11)
    return net.file()


def _once(net: Builder) -> tuple[list[T], list[Op]]:
    """First values: some numbers for the first variable, zeros for the others."""
    tensors: list[T] = []
    operators: list[Op] = []
    reads = [operator for operator in net.operators if operator.code == "READ_VARIABLE"]
    for name, read in zip(("first", "second", "sum"), reads, strict=True):
        like = net.tensors[read.outputs[0]]
        data = np.full(like.shape, like.zero, np.int8)
        if name == "first":
            data = net.random.integers(-128, 128, like.shape).astype(np.int8)
        handle = len(tensors)
        tensors.append(T(shape=(), kind="resource", scale=None, name=f"once {name}"))
        tensors.append(T(shape=like.shape, scale=like.scale, zero=like.zero, data=data, name=f"first {name}"))
        options = {"Container": "", "SharedName": name}
        operators.append(Op(code="VAR_HANDLE", inputs=[], outputs=[handle], options=options))
        operators.append(Op(code="ASSIGN_VARIABLE", inputs=[handle, handle + 1], outputs=[]))
    return tensors, operators
