"""Options of TensorFlow Lite's operators as records of :mod:`tinysearch.networks.options`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tinysearch.networks.options import (
    Activation,
    ActivationOptions,
    CallOnceOptions,
    ConcatenationOptions,
    LeakyReluOptions,
    LstmOptions,
    NoOptions,
    Options,
    ResizeOptions,
    SoftmaxOptions,
    StridedSliceOptions,
    VariableOptions,
    WindowOptions,
)

_ACTIVATIONS = {0: Activation.NONE, 1: Activation.RELU, 2: Activation.RELU_N1_TO_1, 3: Activation.RELU6}
_TANH = 4  # tflite.ActivationFunctionType.TANH
_SAME = 0  # tflite.Padding.SAME


@dataclass(frozen=True, slots=True)
class _Reader:
    """Table of the ``tflite`` package that holds the options of an operator, and how they become a record."""

    table: str
    read: Callable[[Any], Options]


def _activation(table: Any) -> Activation:
    return _ACTIVATIONS.get(table.FusedActivationFunction(), Activation.OTHER)


def _convolution(table: Any) -> WindowOptions:
    return WindowOptions(
        same=table.Padding() == _SAME,
        stride=(table.StrideH(), table.StrideW()),
        dilation=(table.DilationHFactor(), table.DilationWFactor()),
        activation=_activation(table),
    )


def _pool(table: Any) -> WindowOptions:
    return WindowOptions(
        same=table.Padding() == _SAME,
        stride=(table.StrideH(), table.StrideW()),
        filter=(table.FilterHeight(), table.FilterWidth()),
        activation=_activation(table),
    )


def _transposed(table: Any) -> WindowOptions:
    return WindowOptions(
        same=table.Padding() == _SAME, stride=(table.StrideH(), table.StrideW()), activation=_activation(table)
    )


def _resize(table: Any) -> ResizeOptions:
    return ResizeOptions(align_corners=table.AlignCorners(), half_pixel_centers=table.HalfPixelCenters())


def _strided_slice(table: Any) -> StridedSliceOptions:
    return StridedSliceOptions(
        begin_mask=table.BeginMask(),
        end_mask=table.EndMask(),
        ellipsis_mask=table.EllipsisMask(),
        new_axis_mask=table.NewAxisMask(),
        shrink_axis_mask=table.ShrinkAxisMask(),
    )


def _lstm(table: Any) -> LstmOptions:
    return LstmOptions(tanh=table.FusedActivationFunction() == _TANH, cell_clip=table.CellClip())


def _variable(table: Any) -> str:
    """A name that two containers do not share."""
    return " ".join((part or b"").decode("utf-8", "replace") for part in (table.Container(), table.SharedName()))


READERS: Mapping[str, _Reader] = {
    "CONV_2D": _Reader("Conv2DOptions", _convolution),
    "DEPTHWISE_CONV_2D": _Reader("DepthwiseConv2DOptions", _convolution),
    "TRANSPOSE_CONV": _Reader("TransposeConvOptions", _transposed),
    "RESIZE_NEAREST_NEIGHBOR": _Reader("ResizeNearestNeighborOptions", _resize),
    "RESIZE_BILINEAR": _Reader("ResizeBilinearOptions", _resize),
    "AVERAGE_POOL_2D": _Reader("Pool2DOptions", _pool),
    "MAX_POOL_2D": _Reader("Pool2DOptions", _pool),
    "FULLY_CONNECTED": _Reader("FullyConnectedOptions", lambda table: ActivationOptions(activation=_activation(table))),
    "ADD": _Reader("AddOptions", lambda table: ActivationOptions(activation=_activation(table))),
    "SUB": _Reader("SubOptions", lambda table: ActivationOptions(activation=_activation(table))),
    "DIV": _Reader("DivOptions", lambda table: ActivationOptions(activation=_activation(table))),
    "MUL": _Reader("MulOptions", lambda table: ActivationOptions(activation=_activation(table))),
    "SOFTMAX": _Reader("SoftmaxOptions", lambda table: SoftmaxOptions(beta=table.Beta())),
    "CONCATENATION": _Reader(
        "ConcatenationOptions",
        lambda table: ConcatenationOptions(axis=table.Axis(), activation=_activation(table)),
    ),
    "LEAKY_RELU": _Reader("LeakyReluOptions", lambda table: LeakyReluOptions(alpha=table.Alpha())),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _Reader("UnidirectionalSequenceLSTMOptions", _lstm),
    "VAR_HANDLE": _Reader("VarHandleOptions", lambda table: VariableOptions(name=_variable(table))),
    "CALL_ONCE": _Reader("CallOnceOptions", lambda table: CallOnceOptions(subgraph=table.InitSubgraphIndex())),
    "STRIDED_SLICE": _Reader("StridedSliceOptions", _strided_slice),
}
"""By operator; those without an entry have no options that matter here."""


def options_of(package: Any, operator: str, entry: Any) -> Options:
    """Options of one operator of a file; an operator that its writer gave none has the schema's defaults.

    Args:
        package: ``tflite``.
        entry: ``tflite.Operator``.

    Raises:
        ValueError: the options belong to another operator.
    """
    reader = READERS.get(operator)
    if reader is None:
        return NoOptions()
    table, raw = getattr(package, reader.table)(), entry.BuiltinOptions()
    if raw is None or entry.BuiltinOptionsType() != getattr(package.BuiltinOptions, reader.table):
        raise ValueError(f"{operator} has no {reader.table}")
    table.Init(raw.Bytes, raw.Pos)
    return reader.read(table)
