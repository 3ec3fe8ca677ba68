"""What an operator is told besides its tensors, as typed records; sides are (height, width)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

Sides = tuple[int, int]

RealFunction = Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]
"""Of one real value, on arrays of any shape."""


class Activation(StrEnum):
    """A clamp that is fused into an operator."""

    NONE = "NONE"
    RELU = "RELU"
    RELU_N1_TO_1 = "RELU_N1_TO_1"
    RELU6 = "RELU6"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True)
class NoOptions:
    """Nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowOptions:
    """Of convolutions and pools.

    Attributes:
        same: padding as TensorFlow's SAME: outputs = ceil(inputs / stride); else VALID, no padding.
        padding: rows and columns before and after the input, in place of both; no ``.tflite`` file states it.
        filter: of a pool; a convolution's is the shape of its weights, here (0, 0).
    """

    same: bool
    stride: Sides
    padding: tuple[Sides, Sides] | None = None
    dilation: Sides = (1, 1)
    filter: Sides = (0, 0)
    activation: Activation = Activation.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class SpreadOptions:
    """How far pixels are set apart."""

    stride: Sides


@dataclass(frozen=True, slots=True, kw_only=True)
class ResizeOptions:
    """Where the pixels of a resized image lie on the input."""

    align_corners: bool
    half_pixel_centers: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivationOptions:
    """Of additions, products and fully connected layers."""

    activation: Activation


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftmaxOptions:
    """exp(beta * x) / sum."""

    beta: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ConcatenationOptions:
    """Of a concatenation."""

    axis: int
    activation: Activation


@dataclass(frozen=True, slots=True, kw_only=True)
class LeakyReluOptions:
    """Slope below zero."""

    alpha: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LstmOptions:
    """Of a long short-term memory.

    Attributes:
        tanh: whether cell gate and output are hyperbolic tangents.
        cell_clip: largest magnitude of the cell, 0 for none.
        cell_scale: of one that keeps no state from run to run; a state has its own.
    """

    tanh: bool
    cell_clip: float
    cell_scale: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class VariableOptions:
    """Which variable a handle is of."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOnceOptions:
    """Which subgraph runs before the first inference."""

    subgraph: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StridedSliceOptions:
    """Bit i of a mask speaks of axis i, as NumPy's slices do."""

    begin_mask: int = 0
    end_mask: int = 0
    ellipsis_mask: int = 0
    new_axis_mask: int = 0
    shrink_axis_mask: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PointwiseOptions:
    """A function of one value, which becomes a table.

    Attributes:
        text: how a report calls it, for example ``Sigmoid * x``.
        parts: simple functions that are evaluated for it.
    """

    text: str
    function: RealFunction
    parts: int = 1


Options = (
    NoOptions
    | PointwiseOptions
    | WindowOptions
    | SpreadOptions
    | ResizeOptions
    | ActivationOptions
    | SoftmaxOptions
    | ConcatenationOptions
    | LeakyReluOptions
    | LstmOptions
    | StridedSliceOptions
    | VariableOptions
    | CallOnceOptions
)
