"""Small ``.tflite`` files, written with the same packages that read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import flatbuffers
import numpy as np
import tflite

TYPES = {"int8": 9, "int32": 2, "float32": 0, "int16": 7, "uint8": 3, "float16": 1, "resource": 13}


@dataclass(kw_only=True)
class T:
    """A tensor; ``scale`` may be one a channel, then ``axis`` says of which."""

    shape: tuple[int, ...]
    kind: str = "int8"
    scale: float | Sequence[float] | None = 0.1
    zero: int = 0
    axis: int = 0
    data: np.ndarray | None = None
    name: str = "t"
    signature: tuple[int, ...] | None = None
    variable: bool = False


@dataclass(kw_only=True)
class Op:
    """An operator; ``options`` are fields of its options table by name."""

    code: str
    inputs: Sequence[int]
    outputs: Sequence[int]
    options: dict[str, Any] = field(default_factory=dict)


OPTIONS = {
    "CONV_2D": "Conv2DOptions",
    "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions",
    "AVERAGE_POOL_2D": "Pool2DOptions",
    "MAX_POOL_2D": "Pool2DOptions",
    "FULLY_CONNECTED": "FullyConnectedOptions",
    "ADD": "AddOptions",
    "MUL": "MulOptions",
    "SUB": "SubOptions",
    "DIV": "DivOptions",
    "SPLIT": "SplitOptions",
    "SPLIT_V": "SplitVOptions",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "UnidirectionalSequenceLSTMOptions",
    "VAR_HANDLE": "VarHandleOptions",
    "READ_VARIABLE": "ReadVariableOptions",
    "ASSIGN_VARIABLE": "AssignVariableOptions",
    "CALL_ONCE": "CallOnceOptions",
    "TRANSPOSE_CONV": "TransposeConvOptions",
    "RESIZE_NEAREST_NEIGHBOR": "ResizeNearestNeighborOptions",
    "RESIZE_BILINEAR": "ResizeBilinearOptions",
    "SOFTMAX": "SoftmaxOptions",
    "CONCATENATION": "ConcatenationOptions",
    "LEAKY_RELU": "LeakyReluOptions",
    "MEAN": "ReducerOptions",
    "STRIDED_SLICE": "StridedSliceOptions",
}


def model(
    tensors: Sequence[T],
    operators: Sequence[Op],
    inputs: Sequence[int],
    outputs: Sequence[int],
    *,
    version: int = 3,
    once: tuple[Sequence[T], Sequence[Op]] = ((), ()),
) -> bytes:
    """The file; ``once`` is a second subgraph, which CALL_ONCE may name."""
    builder = flatbuffers.Builder(1024)
    buffers = [_buffer(builder, None)]
    codes = sorted({operator.code for operator in (*operators, *once[1])})
    graphs = [_subgraph(builder, buffers, codes, tensors, operators, (inputs, outputs))]
    if once[1]:
        graphs.append(_subgraph(builder, buffers, codes, *once, ([], [])))
    known = [
        _table(
            builder,
            "OperatorCode",
            {"DeprecatedBuiltinCode": min(getattr(tflite.BuiltinOperator, code), 127), "Version": 1}
            | {"BuiltinCode": getattr(tflite.BuiltinOperator, code)},
        )
        for code in codes
    ]
    whole = {
        "Version": version,
        "OperatorCodes": _offsets(builder, known),
        "Subgraphs": _offsets(builder, graphs),
        "Buffers": _offsets(builder, buffers),
    }
    builder.Finish(_table(builder, "Model", whole), b"TFL3")
    return bytes(builder.Output())


def _subgraph(  # noqa: PLR0917 - once here, twice called
    builder: Any,
    buffers: list[int],
    codes: Sequence[str],
    tensors: Sequence[T],
    operators: Sequence[Op],
    edges: tuple[Sequence[int], Sequence[int]],
) -> int:
    offsets = []
    for tensor in tensors:
        number = 0
        if tensor.data is not None:
            number = len(buffers)
            buffers.append(_buffer(builder, tensor.data))
        offsets.append(_tensor(builder, tensor, number))
    nodes = [_operator(builder, operator, codes.index(operator.code)) for operator in operators]
    parts = {
        "Tensors": _offsets(builder, offsets),
        "Inputs": _ints(builder, edges[0]),
        "Outputs": _ints(builder, edges[1]),
        "Operators": _offsets(builder, nodes),
    }
    return _table(builder, "SubGraph", parts)


def _table(builder: Any, name: str, values: dict[str, Any]) -> int:
    getattr(tflite, f"{name}Start")(builder)
    for key, value in values.items():
        if value is not None:
            getattr(tflite, f"{name}Add{key}")(builder, value)
    return int(getattr(tflite, f"{name}End")(builder))


def _offsets(builder: Any, values: Sequence[int]) -> int:
    builder.StartVector(4, len(values), 4)
    for value in reversed(values):
        builder.PrependUOffsetTRelative(value)
    return int(builder.EndVector())


def _ints(builder: Any, values: Sequence[int]) -> int:
    return int(builder.CreateNumpyVector(np.asarray(values, np.int32)))


def _buffer(builder: Any, data: np.ndarray | None) -> int:
    raw = None if data is None else np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)
    vector = None
    if raw is not None:
        builder.StartVector(1, len(raw), 16)
        builder.head -= len(raw)
        builder.Bytes[builder.head : builder.head + len(raw)] = raw.tobytes()
        vector = builder.EndVector()
    return _table(builder, "Buffer", {"Data": vector})


def _tensor(builder: Any, tensor: T, buffer: int) -> int:
    quantization = None
    if tensor.scale is not None:
        scales = np.atleast_1d(np.asarray(tensor.scale, np.float32))
        values = {
            "Scale": builder.CreateNumpyVector(scales),
            "ZeroPoint": builder.CreateNumpyVector(np.full(len(scales), tensor.zero, np.int64)),
            "QuantizedDimension": tensor.axis,
        }
        quantization = _table(builder, "QuantizationParameters", values)
    values = {
        "Shape": _ints(builder, tensor.shape),
        "ShapeSignature": None if tensor.signature is None else _ints(builder, tensor.signature),
        "Type": TYPES[tensor.kind],
        "Buffer": buffer,
        "Name": builder.CreateString(tensor.name),
        "Quantization": quantization,
        "IsVariable": tensor.variable,
    }
    return _table(builder, "Tensor", values)


def _operator(builder: Any, operator: Op, code: int) -> int:
    vectors = {"Inputs": _ints(builder, operator.inputs), "Outputs": _ints(builder, operator.outputs)}
    name = OPTIONS.get(operator.code)
    extra: dict[str, Any] = {}
    if name is not None:
        texts = {key: builder.CreateString(value) for key, value in operator.options.items() if isinstance(value, str)}
        extra["BuiltinOptions"] = _table(builder, name, operator.options | texts)
        extra["BuiltinOptionsType"] = getattr(tflite.BuiltinOptions, name)
    return _table(builder, "Operator", {"OpcodeIndex": code, **vectors, **extra})
