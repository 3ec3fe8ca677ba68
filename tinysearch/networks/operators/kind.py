"""What is known of one kind of operator, in one place, and the rules that several of them share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tinysearch.networks.call import Call, Lowered, RowParts
from tinysearch.networks.graph import ABSENT, Array, Element, Graph, Node, Tensor
from tinysearch.networks.options import Activation

INSTEAD_INT8 = "quantize the network to full int8"


class Unfit(Exception):  # noqa: N818 - not an error: collected with all others and then told
    """Why a node cannot be computed.

    Args:
        reason: continues "CONV_2D ...".
        instead: what could replace it.
    """

    def __init__(self, reason: str, instead: str) -> None:
        super().__init__(reason)
        self.reason, self.instead = reason, instead


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorKind:
    """One kind of operator.

    Attributes:
        check: raises :class:`Unfit` unless the node is one that ``run`` and ``lower`` know; shapes are compared here.
        run: outputs from inputs for a batch: arrays [N, *shape]; constants come as [1, *shape], absent ones as None.
        lower: the calls that compute the node.
        states: positions of inputs that the node writes where they are states of the graph; ``run`` gives their new
            values behind its outputs.
        by_rows: how the one call that a node became is computed some rows at a time; None, or giving None, where it
            is not.
    """

    operator: str
    check: Callable[[Graph, Node], None]
    run: Callable[[Graph, Node, Sequence[Array | None]], list[Array]]
    lower: Callable[[Graph, Node], Lowered]
    states: tuple[int, ...] = ()
    by_rows: Callable[[Graph, Node, Call], RowParts | None] | None = None

    def written(self, node: Node) -> tuple[int, ...]:
        """Tensors that a node writes: its outputs, and its states as far as it has them."""
        states = (node.inputs[position] for position in self.states if position < len(node.inputs))
        return (*node.outputs, *(index for index in states if index != ABSENT))


def require(condition: bool, reason: str, instead: str) -> None:  # noqa: FBT001 - reads as an assertion
    """Raise :class:`Unfit` unless a condition holds."""
    if not condition:
        raise Unfit(reason, instead)


def int8_tensor(tensor: Tensor | None, what: str) -> Tensor:
    """An int8 tensor with one scale.

    Raises:
        Unfit: it is another one.
    """
    if tensor is None or tensor.element is not Element.INT8:
        raise Unfit(f"has {'no' if tensor is None else tensor.element} {what}", INSTEAD_INT8)
    quantization = tensor.quantization
    if quantization is None or len(quantization.scales) != 1 or not -128 <= quantization.zero_point <= 127:
        raise Unfit(f"has {what} without one scale and an int8 zero point", INSTEAD_INT8)
    return tensor


def activations(graph: Graph, node: Node, *, inputs: int) -> tuple[Tensor, ...]:
    """The first ``inputs`` inputs and the one output, all int8; inputs may be constants.

    Raises:
        Unfit: one is not, or there are others.
    """
    require(len(node.outputs) == 1, f"has {len(node.outputs)} outputs", "convert the network again")
    found = tuple(int8_tensor(graph.source(node, position), "input") for position in range(inputs))
    return (*found, int8_tensor(graph.result(node), "output"))


def given(values: Sequence[Array | None], position: int = 0) -> Array:
    """An input that a node must have, as its check has seen.

    Raises:
        TypeError: it is absent.
    """
    value = values[position]
    if value is None:
        raise TypeError(f"input {position} is absent")
    return value


def constant(tensor: Tensor | None, element: Element, what: str) -> Array:
    """Values of a constant input.

    Raises:
        Unfit: it is computed, absent or of another type.
    """
    if tensor is None or tensor.data is None or tensor.element is not element:
        raise Unfit(f"has {what} that are not constant {element}", INSTEAD_INT8)
    return tensor.data


def known_activation(activation: Activation) -> None:
    """Raises :class:`Unfit` for a fused activation without a clamp."""
    require(
        activation is not Activation.OTHER, "has a fused activation that is no clamp", "use RELU, RELU6 or RELU_N1_TO_1"
    )


def shape_is(tensor: Tensor, shape: Sequence[int]) -> None:
    """Raises :class:`Unfit` where a tensor has not the shape that its operator gives."""
    require(
        tensor.shape == tuple(shape),
        f"has output {list(tensor.shape)} where its inputs give {list(shape)}",
        "convert the network again",
    )


def same_quantization(left: Tensor, right: Tensor, what: str) -> None:
    """Raises :class:`Unfit` where two tensors have different scales or zero points."""
    a, b = left.quantized, right.quantized
    require(
        a.zero_point == b.zero_point and abs(a.scale - b.scale) <= 1e-6,
        f"has {what} of different scales",
        "insert a QUANTIZE operator",
    )


def repeats(long: tuple[int, ...], short: tuple[int, ...]) -> None:
    """Raises :class:`Unfit` unless a shape is the last axes of another, so that its values repeat in memory."""
    start = next((axis for axis, side in enumerate(short) if side != 1), len(short))
    inner = short[start:]
    require(
        long[len(long) - len(inner) :] == inner,
        f"repeats {list(short)} over {list(long)}",
        "repeat a scalar or the last axes only",
    )


def values_by_rows(graph: Graph, node: Node, whole: Call) -> RowParts | None:
    """Of a kernel that computes ``count`` values one by one; the second of two inputs may repeat within a row."""
    count, period = whole.fields["count"], whole.fields.get("period", whole.fields["count"])
    shape = graph.result(node).shape
    if len(shape) != 4 or not isinstance(count, int) or not isinstance(period, int):
        return None
    row = shape[2] * shape[3]
    repeats = period != count
    if repeats and row % period != 0:
        return None

    def part(first: int, end: int) -> Call:
        values = (end - first) * row
        periods = {"period": period if repeats else values} if "period" in whole.fields else {}
        return replace(
            whole,
            fields={**whole.fields, "count": values, **periods},
            features={name: value if name == "steps" else values for name, value in whole.features.items()},
        )

    wide = (True, *(not repeats for _ in whole.inputs[1:]))
    return RowParts(span=lambda first, end: (first, end), part=part, wide=wide)


def offset(tensor: Tensor) -> int:
    """Zero point of an int8 tensor."""
    return tensor.quantized.zero_point


def int8(values: Array, low: int, high: int) -> Array:
    """Clamped int8."""
    return np.clip(values, low, high).astype(np.int8)
