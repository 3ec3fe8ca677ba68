"""A quantized network as its file states it: tensors of any rank, nodes in execution order."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from tinysearch.networks.options import NoOptions, Options

Array = npt.NDArray[np.generic]

ABSENT = -1
"""Index of an optional input that a node does not have."""


class Element(StrEnum):
    """Element type of a tensor, by TensorFlow Lite's name in lower case; kernels know the first three."""

    INT8 = "int8"
    INT32 = "int32"
    FLOAT32 = "float32"
    FLOAT16 = "float16"
    INT64 = "int64"
    INT16 = "int16"
    UINT8 = "uint8"
    BOOL = "bool"
    OTHER = "other"

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """As NumPy calls it.

        Raises:
            KeyError: ``other``.
        """
        return _DTYPES[self]


_DTYPES: dict[Element, np.dtype[np.generic]] = {
    element: np.dtype(element.value) for element in Element if element is not Element.OTHER
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Quantization:
    """real = scale * (stored - zero point).

    Attributes:
        scales: float32 [1], or one an index of ``axis``.
        zero_points: int64, as many as scales.
    """

    scales: npt.NDArray[np.float32]
    zero_points: npt.NDArray[np.int64]
    axis: int = 0

    @property
    def scale(self) -> float:
        """The first scale, exactly."""
        return float(self.scales[0])

    @property
    def zero_point(self) -> int:
        """The first zero point."""
        return int(self.zero_points[0])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tensor:
    """One tensor.

    Attributes:
        name: as in the file: neither unique nor safe to be shown as it is.
        data: of a constant, else None.
    """

    name: str
    shape: tuple[int, ...]
    element: Element
    quantization: Quantization | None = None
    data: Array | None = None

    @property
    def elements(self) -> int:
        """Number of values."""
        return math.prod(self.shape)

    @property
    def size_bytes(self) -> int:
        """Bytes of all values."""
        return self.elements * self.element.dtype.itemsize

    @property
    def quantized(self) -> Quantization:
        """Its quantization, which the check of its operator has seen.

        Raises:
            ValueError: it has none.
        """
        if self.quantization is None:
            raise ValueError(f"{self.name} has no quantization")
        return self.quantization


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One operator.

    Attributes:
        name: that of its first output, as TensorFlow Lite's tools show it.
        operator: TensorFlow Lite's name, for example ``CONV_2D``.
        inputs, outputs: indices of tensors; an input may be :data:`ABSENT`.
    """

    name: str
    operator: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Options = field(default_factory=NoOptions)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A tensor that outlives a run.

    Attributes:
        tensor: its index.
        first: of the constant that it holds before the first run.
    """

    tensor: int
    first: int


class Rounding(StrEnum):
    """How a sum of products or a mean becomes an output.

    TensorFlow Lite's reference rounds twice: a product with a multiplier, then what a shift leaves of it. ONNX and
    PyTorch define real numbers that are rounded once, halves to even; PyTorch's means that are halves fall as its
    float32 sums do. ``FIXED`` is TensorFlow Lite's fixed point for real biases, which become whole steps, and factors
    below one half, which are rounded once with fewer bits: vector units have it.
    """

    TWICE = "twice"
    FIXED = "fixed"
    ONCE = "once"
    TORCH = "torch"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Graph:
    """A network: every node reads constants, inputs, states and what earlier nodes wrote; others are written once.

    Attributes:
        rounding: of the framework whose integers the network has; biases are real numbers unless it is ``TWICE``.
    """

    name: str
    tensors: tuple[Tensor, ...]
    nodes: tuple[Node, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    states: tuple[State, ...] = ()
    rounding: Rounding = Rounding.TWICE

    @property
    def rounds_once(self) -> bool:
        """Whether outputs are real numbers that are rounded once, exactly."""
        return self.rounding in (Rounding.ONCE, Rounding.TORCH)

    def source(self, node: Node, position: int) -> Tensor | None:
        """One input of a node, None where it is absent."""
        if position >= len(node.inputs) or node.inputs[position] == ABSENT:
            return None
        return self.tensors[node.inputs[position]]

    def result(self, node: Node, position: int = 0) -> Tensor:
        """One output of a node."""
        return self.tensors[node.outputs[position]]
