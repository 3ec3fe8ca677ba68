"""A float graph as it grows: channels last, with every value's axes followed so that nothing is moved in vain."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from tinysearch.networks.graph import Element, Graph, Node, Quantization, Tensor
from tinysearch.networks.operators.kind import Unfit
from tinysearch.networks.options import NoOptions, Options, PointwiseOptions, RealFunction
from tinysearch.networks.real.nodes import Array

_MOST_PARTS = 64
"""Of a function of one value that another is made of: products of it with itself would double it without end."""

SMALLER = "give a network for a microcontroller"


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What a flat value was before: sides as they lie in memory, and the author's axis of each."""

    shape: tuple[int, ...]
    order: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A computed tensor.

    Attributes:
        tensor: index in the graph, whose shape is that of the memory.
        order: the author's axis at every place of that shape.
        view: of a flattened tensor: its values stand in the order of that memory, not in the author's.
    """

    tensor: int
    order: tuple[int, ...]
    view: View | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Known:
    """A constant, with its scales where the author quantized it."""

    values: Array
    quantization: Quantization | None = None


def channels_last(rank: int) -> tuple[int, ...]:
    """Author's axes (batch, channels, sides) in the order of the memory."""
    return (0, *range(2, rank), 1) if rank > 2 else tuple(range(rank))


@dataclass(slots=True)
class Builder:
    """Tensors and nodes so far.

    Attributes:
        producers: node that wrote a tensor.
        shared: tensors that have more readers than a name tells.
    """

    tensors: list[Tensor] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    producers: dict[int, int] = field(default_factory=dict)
    shared: set[int] = field(default_factory=set)

    def add(self, tensor: Tensor) -> int:
        """A new tensor."""
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def constant(self, values: Array, name: str, *, quantization: Quantization | None = None) -> int:
        """A new constant, float32 or int32."""
        whole = np.issubdtype(values.dtype, np.integer)
        data = np.ascontiguousarray(values, np.int32 if whole else np.float32)
        element = Element.INT32 if whole else Element.FLOAT32
        return self.add(Tensor(name=name, shape=data.shape, element=element, data=data, quantization=quantization))

    def emit(
        self, operator: str, inputs: Sequence[int], shape: Sequence[int], name: str, options: Options | None = None
    ) -> int:
        """A new node; the index of its output."""
        sides = tuple(int(side) for side in shape)
        out = self.add(Tensor(name=name, shape=sides, element=Element.FLOAT32))
        node = Node(name=name, operator=operator, inputs=tuple(inputs), outputs=(out,), options=options or NoOptions())
        self.producers[out] = len(self.nodes)
        self.nodes.append(node)
        return out

    def emit_pair(self, operator: str, inputs: Sequence[int], shape: Sequence[int], name: str, options: Options) -> int:
        """A new node whose second output, of the same shape, is only looked at; the index of the first."""
        out = self.emit(operator, inputs, shape, name, options)
        inside = self.add(dataclasses.replace(self.tensors[out], name=f"{name} inside"))
        self.change(self.nodes[self.producers[out]], outputs=(out, inside))
        return out

    def producer(self, tensor: int) -> Node | None:
        """The node that wrote a tensor, None for an input."""
        position = self.producers.get(tensor)
        return None if position is None else self.nodes[position]

    def change(self, node: Node, **changes: object) -> None:
        """Replace a node that was emitted."""
        position = self.producers[node.outputs[0]]
        self.nodes[position] = dataclasses.replace(self.nodes[position], **changes)  # type: ignore[arg-type]

    def quantized(self, tensor: int, quantization: Quantization) -> None:
        """Note the scale that the author gave to a tensor."""
        self.tensors[tensor] = dataclasses.replace(self.tensors[tensor], quantization=quantization)

    # values

    def shape(self, value: Value) -> tuple[int, ...]:
        """Sides as the author has them."""
        found = [0] * len(value.order)
        for axis, side in zip(value.order, self.tensors[value.tensor].shape, strict=True):
            found[axis] = side
        return tuple(found)

    def ordered(self, value: Value, order: Sequence[int], name: str) -> int:
        """The tensor with the author's axes in this order in memory, moved where it has another one."""
        if value.view is not None:
            value = self._unflattened(value, name)
        tensor, wished = value.tensor, tuple(order)
        if value.order == wished:
            return tensor
        shape = self.tensors[tensor].shape
        axes = [value.order.index(axis) for axis in wished]
        sides = [shape[axis] for axis in axes]
        moved = [axis for axis in axes if shape[axis] > 1]
        if moved == sorted(moved):
            return self.reshaped(tensor, sides, name)
        permutation = self.constant(np.array(axes, np.int32), f"{name} axes")
        return self.emit("TRANSPOSE", (tensor, permutation), sides, f"{name} transposed")

    def plain(self, value: Value, name: str) -> int:
        """The tensor in the author's order."""
        return self.ordered(value, range(len(value.order)), name)

    def last(self, value: Value, name: str) -> int:
        """The tensor with channels last."""
        return self.ordered(value, channels_last(len(value.order)), name)

    def channels_order(self, value: Value) -> tuple[int, ...]:
        """Channels last for an image or a sequence of channels, else the author's order."""
        return channels_last(len(value.order))

    def reshaped(self, tensor: int, shape: Sequence[int], name: str) -> int:
        """The same bytes under another shape."""
        if self.tensors[tensor].shape == tuple(shape):
            return tensor
        return self.emit("RESHAPE", (tensor,), shape, f"{name} reshaped")

    def _unflattened(self, value: Value, name: str) -> Value:
        """A flat value with its values in the author's order."""
        view = value.view
        if view is None:
            return value
        inner = Value(tensor=self.reshaped(value.tensor, view.shape, name), order=view.order)
        moved = self.plain(inner, name)
        return Value(tensor=self.reshaped(moved, self.tensors[value.tensor].shape, name), order=value.order)

    def columns(self, value: Value) -> Array | None:
        """For a flat value whose memory has another order: the author's place of every value."""
        view = value.view
        if view is None:
            return None
        sides = {axis: side for axis, side in zip(view.order, view.shape, strict=True)}
        places = np.arange(math.prod(view.shape)).reshape([sides[axis] for axis in range(len(view.order))])
        return places.transpose(view.order).reshape(-1)

    def plain_value(self, tensor: int) -> Value:
        """A tensor whose memory is in the author's order."""
        return Value(tensor=tensor, order=tuple(range(len(self.tensors[tensor].shape))))

    # functions of one value

    def root(self, tensor: int) -> tuple[int, PointwiseOptions | None]:
        """What a chain of functions of one value starts from, and the chain as one function, if it is not too long."""
        node = self.producer(tensor)
        if node is None or not isinstance(node.options, PointwiseOptions) or self.tensors[tensor].quantization:
            return tensor, None
        if node.options.parts > _MOST_PARTS:
            return tensor, None
        return node.inputs[0], node.options

    def pointwise(self, value: Value, text: str, function: RealFunction, name: str, *, parts: int = 1) -> Value:
        """A function of every value, of so many parts; functions of functions become one."""
        start, inner = self.root(value.tensor)
        composed = function if inner is None else _chain(inner.function, function)
        label = text if inner is None else f"{text}({inner.text})"
        whole = parts + (0 if inner is None else inner.parts)
        options = PointwiseOptions(text=label[:60], function=composed, parts=whole)
        shape = self.tensors[value.tensor].shape
        return dataclasses.replace(value, tensor=self.emit("POINTWISE", (start,), shape, name, options))

    def graph(self, name: str, inputs: Sequence[int], outputs: Sequence[int]) -> Graph:
        """What leads to the outputs."""
        needed, kept = set(outputs), list[Node]()
        for node in reversed(self.nodes):
            if needed.intersection(node.outputs):
                needed.update(node.inputs)
                kept.append(node)
        return Graph(
            name=name,
            tensors=tuple(self.tensors),
            nodes=tuple(reversed(kept)),
            inputs=tuple(inputs),
            outputs=tuple(outputs),
        )


def _chain(first: RealFunction, second: RealFunction) -> RealFunction:
    return lambda values: second(first(values))


def require_size(shape: Sequence[int], most: int) -> None:
    """Raises :class:`Unfit` for a tensor that no board holds."""
    if math.prod(shape) > most or any(side < 1 for side in shape):
        raise Unfit(f"gives {list(shape)}", SMALLER)
