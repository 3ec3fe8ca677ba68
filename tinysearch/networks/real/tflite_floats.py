"""A ``.tflite`` network that computes with floats, as the float graph that samples are shown and that is quantized.

Its tensors are channels last already, and its shapes are known. Constants of 8 or 16 bits become floats that keep
their scales, scales of int8 tensors inside stand as their author's; functions of one value become
:class:`~tinysearch.networks.options.PointwiseOptions`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tinysearch.core.errors import UserError
from tinysearch.networks.checking import check, check_order, instead_of
from tinysearch.networks.graph import ABSENT, Element, Graph, Node, Quantization, Tensor
from tinysearch.networks.operators.kind import Unfit, require
from tinysearch.networks.operators.lstm import BIASES, CELL, HIDDEN, RECURRENT, WEIGHTS
from tinysearch.networks.operators.lstm import NAME as LSTM
from tinysearch.networks.operators.moving import bounds_of
from tinysearch.networks.operators.transposed import apart
from tinysearch.networks.options import (
    Activation,
    ActivationOptions,
    ConcatenationOptions,
    LeakyReluOptions,
    NoOptions,
    Options,
    PointwiseOptions,
    RealFunction,
    StridedSliceOptions,
    WindowOptions,
)
from tinysearch.networks.real.execute import RUNS
from tinysearch.networks.real.memory import INPUTS
from tinysearch.networks.real.nodes import RealInput
from tinysearch.networks.real.pointwise import Reals, sigmoid
from tinysearch.networks.real.quantize import Span, quantize
from tinysearch.networks.real.translating import Translated, fixed_shape
from tinysearch.networks.refusals import Refusal, refuse

_EDGES = ("QUANTIZE", "DEQUANTIZE")
_SAME_BYTES = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS")
_STATES = ("READ_VARIABLE", "ASSIGN_VARIABLE")
_AGAIN = "convert the network again"
_WEIGHTED: Mapping[str, int] = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 0}
_ANY_SPAN = Span(-1.0, 1.0)


def computes_floats(graph: Graph) -> bool:
    """Whether an operator between the edges of a network reads computed floats."""
    for node in graph.nodes:
        if node.operator in (*_EDGES, *_SAME_BYTES):
            continue
        sources = [graph.tensors[index] for index in node.inputs if index != ABSENT]
        if any(source.data is None and source.element is Element.FLOAT32 for source in sources):
            return True
    return False


def float_network(graph: Graph) -> Translated:
    """The float graph of a network that :func:`computes_floats`.

    Raises:
        UnsupportedLayerError: operators without a kernel; the message lists all of them.
        UserError: nodes read what nobody writes before.
    """
    for index in graph.inputs:
        fixed_shape(RealInput(name=graph.tensors[index].name, shape=graph.tensors[index].shape), None)
    found = _Translation(graph).translated()
    check_order(found)
    check(quantize(found, {index: _ANY_SPAN for index in range(len(found.tensors))}))
    axes = [tuple(range(len(found.tensors[index].shape))) for index in (*found.inputs, *found.outputs)]
    count = len(found.inputs)
    return Translated(graph=found, inputs=tuple(axes[:count]), outputs=tuple(axes[count:]))


FUNCTIONS: Mapping[str, RealFunction] = {
    "RELU": lambda x: np.maximum(x, 0),
    "RELU6": lambda x: np.clip(x, 0, 6),
    "RELU_N1_TO_1": lambda x: np.clip(x, -1, 1),
    "RELU_0_TO_1": lambda x: np.clip(x, 0, 1),
    "LOGISTIC": sigmoid,
    "TANH": np.tanh,
    "HARD_SWISH": lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
    "ELU": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "EXP": np.exp,
    "LOG": np.log,
    "SQRT": np.sqrt,
    "RSQRT": lambda x: 1 / np.sqrt(x),
    "SQUARE": np.square,
    "ABS": np.abs,
    "NEG": np.negative,
    "FLOOR": np.floor,
    "CEIL": np.ceil,
    "ROUND": np.round,
    "SIN": np.sin,
    "COS": np.cos,
}
"""Functions of one value, by TensorFlow Lite's name; each becomes one table."""

_OF_TWO: Mapping[str, Callable[[Reals, Reals], Reals]] = {
    "ADD": np.add,
    "SUB": np.subtract,
    "MUL": np.multiply,
    "DIV": np.divide,
    "POW": np.power,
    "MAXIMUM": np.maximum,
    "MINIMUM": np.minimum,
}
_CLAMPS: Mapping[Activation, RealFunction] = {
    Activation.NONE: lambda x: x,
    Activation.RELU: FUNCTIONS["RELU"],
    Activation.RELU6: FUNCTIONS["RELU6"],
    Activation.RELU_N1_TO_1: FUNCTIONS["RELU_N1_TO_1"],
}


@dataclass(slots=True)
class _Translation:
    """One pass over one graph; tensors keep their indices, new ones follow."""

    graph: Graph
    tensors: list[Tensor] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)

    def translated(self) -> Graph:
        self.tensors = [_as_floats(tensor) for tensor in self.graph.tensors]
        refusals = []
        for node in self.graph.nodes:
            try:
                with np.errstate(all="ignore"):  # what is not finite is told when samples show it
                    self._take(node)
            except Unfit as unfit:
                refusals.append(
                    Refusal(operator=node.operator, reason=unfit.reason, instead=unfit.instead, node=node.name)
                )
            except (ValueError, IndexError, TypeError) as error:
                reason = f"contradicts itself ({error})"
                refusals.append(Refusal(operator=node.operator, reason=reason, instead=_AGAIN, node=node.name))
        refuse(refusals)
        return dataclasses.replace(self.graph, tensors=tuple(self.tensors), nodes=tuple(self.nodes))

    def _take(self, node: Node) -> None:
        require(node.operator not in _STATES, "keeps floats between runs", "quantize the network to full int8")
        require(bool(node.inputs and node.outputs) and node.inputs[0] != ABSENT, "has no input or output", _AGAIN)
        _TAKES.get(node.operator, _Translation._as_it_is)(self, node)

    def _as_it_is(self, node: Node) -> None:
        options = node.options
        require(node.operator in RUNS and node.operator != "POINTWISE", "has no kernel", instead_of(node.operator))
        if isinstance(options, WindowOptions | ConcatenationOptions):
            require(options.activation is not Activation.OTHER, "has a fused activation that is no clamp", "use RELU")
        self._emit(node.operator, node.inputs, node.outputs[0], node.name, options)

    # constants

    def _constant(self, node: Node, position: int) -> Tensor | None:
        """An input that is known, else None."""
        if position >= len(node.inputs) or node.inputs[position] == ABSENT:
            return None
        found = self.tensors[node.inputs[position]]
        return found if found.data is not None else None

    def _reals(self, node: Node, position: int, what: str) -> Reals:
        found = self._constant(node, position)
        if found is None or found.data is None:
            raise Unfit(f"has computed {what}", "make them constant")
        return found.data.astype(np.float64)

    def _integers(self, node: Node, position: int, what: str) -> list[int]:
        found = self._constant(node, position)
        if found is None or found.data is None or not np.issubdtype(found.data.dtype, np.integer):
            raise Unfit(f"has {what} that are not constant integers", "make them constant")
        return [int(value) for value in found.data.reshape(-1)]

    def _add(self, values: Reals | npt.NDArray[np.int32], name: str) -> int:
        element = Element.INT32 if np.issubdtype(values.dtype, np.integer) else Element.FLOAT32
        data = np.ascontiguousarray(values, element.dtype)
        self.tensors.append(Tensor(name=name, shape=data.shape, element=element, data=data))
        return len(self.tensors) - 1

    # nodes

    def _emit(
        self, operator: str, inputs: Sequence[int], output: int, name: str, options: Options | None = None
    ) -> None:
        self.nodes.append(
            Node(name=name, operator=operator, inputs=tuple(inputs), outputs=(output,), options=options or NoOptions())
        )

    def _reshape(self, node: Node) -> None:
        self._emit("RESHAPE", node.inputs[:1], node.outputs[0], node.name)

    def _pad_with(self, node: Node) -> None:
        require(not self._reals(node, 2, "a padding value").any(), "pads with other than zeros", "pad with zeros")
        self._emit("PAD", node.inputs[:2], node.outputs[0], node.name)

    def _function(self, node: Node) -> None:
        self._pointwise(node, node.operator, FUNCTIONS[node.operator])

    def _pointwise(self, node: Node, text: str, function: RealFunction) -> None:
        options = PointwiseOptions(text=text, function=function)
        self._emit("POINTWISE", node.inputs[:1], node.outputs[0], node.name, options)

    def _leaky(self, node: Node) -> None:
        """Slopes below zero, one stated, or as a constant tensor."""
        if isinstance(node.options, LeakyReluOptions):
            slope = node.options.alpha
        else:
            slopes = self._reals(node, 1, "slopes")
            if slopes.size > 1:
                self._emit("PRELU", node.inputs[:2], node.outputs[0], node.name)
                return
            slope = float(slopes.reshape(-1)[0])
        self._pointwise(node, node.operator, lambda x: np.where(x < 0, slope * x, x))

    def _edge(self, node: Node) -> None:
        """The same values, or another scale for them; a constant stays one."""
        known, index = self._constant(node, 0), node.outputs[0]
        if known is not None:
            self.tensors[index] = dataclasses.replace(known, name=self.tensors[index].name)
            return
        source, result = (self.tensors[index].quantization for index in (node.inputs[0], node.outputs[0]))
        if source is None or result is None or _equal(source, result):
            self._emit("RESHAPE", node.inputs[:1], node.outputs[0], node.name)
        else:
            self._pointwise(node, node.operator, lambda x: x)

    def _of_two(self, node: Node) -> None:
        activation = node.options.activation if isinstance(node.options, ActivationOptions) else Activation.NONE
        require(activation in _CLAMPS, "has a fused activation that is no clamp", "use RELU")
        left, right = self._constant(node, 0), self._constant(node, 1)
        require(left is None or right is None, "has constant inputs only", "fold it")
        known, function, clamp = left or right, _OF_TWO[node.operator], _CLAMPS[activation]
        if known is not None and known.data is not None and known.data.size == 1:
            lone = known.data.reshape(-1).astype(np.float64)
            fixed: RealFunction = (
                (lambda x: clamp(function(x, lone))) if left is None else (lambda x: clamp(function(lone, x)))
            )
            moved = dataclasses.replace(node, inputs=(node.inputs[1 if left is not None else 0],))
            self._pointwise(moved, node.operator, fixed)
            return
        operator, inputs = node.operator, node.inputs
        if operator == "DIV" and right is not None and right.data is not None:
            operator, inputs = (
                "MUL",
                (node.inputs[0], self._add(1 / right.data.astype(np.float64), f"{node.name} reciprocal")),
            )
        require(operator in ("ADD", "SUB", "MUL"), "has two tensors", "use ADD, SUB, MUL, or a constant")
        self._emit(operator, inputs, node.outputs[0], node.name, ActivationOptions(activation=activation))

    def _weighted(self, node: Node) -> None:
        weights = self._constant(node, 1)
        if weights is None or weights.data is None:
            raise Unfit("has computed weights", "make them constant")
        require(self._constant(node, 0) is None, "has a constant input", "fold it")
        require(weights.data.ndim > _WEIGHTED[node.operator], f"has weights of {weights.data.ndim} axes", _AGAIN)
        bias = self._constant(node, 2)
        require(bias is not None or len(node.inputs) < 3 or node.inputs[2] == ABSENT, "has computed biases", _AGAIN)
        channels = weights.shape[_WEIGHTED[node.operator]]
        index = node.inputs[2] if bias is not None else self._add(np.zeros(channels), f"{node.name} bias")
        require(self.tensors[index].shape == (channels,), f"has biases of {self.tensors[index].shape}", _AGAIN)
        self._emit(node.operator, (*node.inputs[:2], index), node.outputs[0], node.name, node.options)

    def _transposed(self, node: Node) -> None:
        """As a convolution of pixels that are set apart."""
        wider, (first, second) = apart(dataclasses.replace(self.graph, tensors=tuple(self.tensors)), node)
        self.tensors = list(wider.tensors)
        self.nodes.append(first)
        self._weighted(second)

    def _memory(self, node: Node) -> None:
        """One sequence from zero at its start; what is kept inside is looked at when samples run."""
        shape = self.tensors[node.outputs[0]].shape
        require(len(shape) == 3 and shape[0] * shape[1] > 1, "keeps floats between runs", "quantize it to full int8")
        require(1 in shape[:2], f"has a batch of {shape[0]}", "convert it with a batch of 1")
        inputs = [*node.inputs, *[ABSENT] * (INPUTS - len(node.inputs))]
        inputs[HIDDEN] = inputs[CELL] = ABSENT
        for position in (*WEIGHTS, *RECURRENT, *BIASES):
            self._reals(node, position, "weights")
        self.tensors.append(dataclasses.replace(self.tensors[node.outputs[0]], name=f"{node.name} inside"))
        outputs = (node.outputs[0], len(self.tensors) - 1)
        self.nodes.append(dataclasses.replace(node, inputs=tuple(inputs), outputs=outputs))

    def _cut(self, source: int, bounds: Sequence[slice], output: int, name: str) -> None:
        """One slice, under the shape of its output."""
        counts, rows = bounds_of(self.tensors[source].shape, bounds)
        inputs = [self._add(row, f"{name} bounds") for row in rows]
        part = output
        if counts != self.tensors[output].shape:
            self.tensors.append(dataclasses.replace(self.tensors[output], name=f"{name} whole", shape=counts))
            part = len(self.tensors) - 1
        self._emit("STRIDED_SLICE", (source, *inputs), part, name, StridedSliceOptions())
        if part != output:
            self._emit("RESHAPE", (part,), output, name)

    def _slice(self, node: Node) -> None:
        begin, second = self._integers(node, 1, "bounds"), self._integers(node, 2, "bounds")
        options = node.options
        if not isinstance(options, StridedSliceOptions):
            ends = [None if count < 0 else first + count for first, count in zip(begin, second, strict=True)]
            self._cut(
                node.inputs[0], [slice(*row) for row in zip(begin, ends, strict=True)], node.outputs[0], node.name
            )
            return
        require(
            not options.ellipsis_mask and not options.new_axis_mask, "has an ellipsis or new axis", "spell all axes"
        )
        bounds = []
        for axis, (first, last, step) in enumerate(zip(begin, second, self._integers(node, 3, "steps"), strict=True)):
            start = None if options.begin_mask >> axis & 1 else first
            stop = None if options.end_mask >> axis & 1 else last
            drops = options.shrink_axis_mask >> axis & 1
            bounds.append(slice(first, first + 1 or None) if drops else slice(start, stop, step))
        rank = len(self.tensors[node.inputs[0]].shape)
        self._cut(node.inputs[0], [*bounds, *[slice(None)] * (rank - len(bounds))], node.outputs[0], node.name)

    def _split(self, node: Node) -> None:
        at, where = (1, 0) if node.operator == "SPLIT" else (0, 2)
        axes, source = self._integers(node, where, "an axis"), self.tensors[node.inputs[at]]
        require(len(axes) == 1 and bool(source.shape), f"has the axes {axes}", _AGAIN)
        axis, start = axes[0] % len(source.shape), 0
        for index in node.outputs:
            side = self.tensors[index].shape[axis]
            bounds = [slice(None)] * len(source.shape)
            bounds[axis] = slice(start, start + side)
            self._cut(node.inputs[at], bounds, index, self.tensors[index].name)
            start += side


_TAKES: Mapping[str, Callable[[_Translation, Node], None]] = {
    **dict.fromkeys(_EDGES, _Translation._edge),
    **dict.fromkeys(_SAME_BYTES, _Translation._reshape),
    **dict.fromkeys(FUNCTIONS, _Translation._function),
    **dict.fromkeys(("LEAKY_RELU", "PRELU"), _Translation._leaky),
    **dict.fromkeys(_OF_TWO, _Translation._of_two),
    **dict.fromkeys(_WEIGHTED, _Translation._weighted),
    **dict.fromkeys(("SPLIT", "SPLIT_V"), _Translation._split),
    **dict.fromkeys(("STRIDED_SLICE", "SLICE"), _Translation._slice),
    "TRANSPOSE_CONV": _Translation._transposed,
    LSTM: _Translation._memory,
    "PADV2": _Translation._pad_with,
}
"""By operator; the others stay as they are."""


def _as_floats(tensor: Tensor) -> Tensor:
    """A tensor with real values; whole numbers without a scale, which are bounds and axes, stay."""
    quantization, data = tensor.quantization, tensor.data
    if tensor.element in (Element.FLOAT32, Element.FLOAT16):
        data = None if data is None else data.astype(np.float32)
        return dataclasses.replace(tensor, element=Element.FLOAT32, data=data, quantization=None)
    if tensor.element not in (Element.INT8, Element.UINT8, Element.INT32) or quantization is None:
        return tensor
    if data is None:
        stated = quantization if tensor.element is Element.INT8 and len(quantization.scales) == 1 else None
        return dataclasses.replace(tensor, element=Element.FLOAT32, quantization=stated)
    shape = [1] * max(data.ndim, 1)
    if len(quantization.scales) > 1:
        if data.shape[quantization.axis : quantization.axis + 1] != quantization.scales.shape:
            raise UserError(
                "a constant must have one scale, or one an index of its axis",
                value=f"{tensor.name[:60]}: {len(quantization.scales)}, axis {quantization.axis} of {list(data.shape)}",
                remedy=_AGAIN,
            )
        shape[quantization.axis] = len(quantization.scales)
    scales, zeros = (part.reshape(shape) for part in (quantization.scales, quantization.zero_points))
    reals = ((data.astype(np.int64) - zeros) * scales.astype(np.float64)).astype(np.float32).reshape(data.shape)
    stated = quantization if tensor.element is Element.INT8 and not quantization.zero_points.any() else None
    return dataclasses.replace(tensor, element=Element.FLOAT32, data=reals, quantization=stated)


def _equal(left: Quantization, right: Quantization) -> bool:
    return left.scale == right.scale and left.zero_point == right.zero_point
