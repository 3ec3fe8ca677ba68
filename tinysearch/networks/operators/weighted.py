"""What convolutions and fully connected layers share: weights, bias and requantization of every output channel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from tinysearch.core.quantization import INT8_HIGH, INT8_LOW, Int64
from tinysearch.networks.arithmetic import activation_range, factor_in, scaled
from tinysearch.networks.call import Field
from tinysearch.networks.graph import Array, Element, Graph, Node, Rounding, Tensor
from tinysearch.networks.once import Once, Reals, Staircase, once
from tinysearch.networks.operators.kind import (
    INSTEAD_INT8,
    Unfit,
    activations,
    constant,
    int8,
    known_activation,
    offset,
    require,
)
from tinysearch.networks.options import Activation
from tinysearch.operators.products import product

SUM_LIMIT = 1 << 31
"""Sums of products with their bias must stay below this in magnitude: dead channels come close, a bias of 2^30."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Weighted:
    """Constants of a layer.

    Attributes:
        weights: int8 [O, ...], output channels first.
        bias: int64 [O].
        multiplier, shift: one an output channel; shift to the left, negative to the right.
        in_zero, out_zero: zero points.
        low, high: clamp of the outputs.
        once: requantization in place of multiplier and shift, with the bias in it: ``bias`` is 0 then.
    """

    weights: npt.NDArray[np.int8]
    bias: Int64
    multiplier: Int64
    shift: Int64
    in_zero: int
    out_zero: int
    low: int
    high: int
    once: Once | None = None

    def requantized(self, sums: Array) -> Array:
        """int8 outputs from sums of products [.., O] without the bias."""
        if self.once is not None:
            return int8(self.once.rounded(sums) + self.out_zero, self.low, self.high)
        wide = sums.astype(np.int64) + self.bias
        return int8(scaled(wide, self.multiplier, self.shift) + self.out_zero, self.low, self.high)

    def products(self, columns: Array) -> Array:
        """``(columns - zero point) @ weights.T`` for int8 [.., K]: whole numbers that a BLAS cannot round."""
        return product(columns, self.weights.reshape(len(self.weights), -1), self.in_zero)

    def folded_bias(self) -> Int64:
        """Bias less the zero point times the weights of a channel: kernels multiply stored inputs."""
        sums: Int64 = self.weights.reshape(len(self.weights), -1).astype(np.int64).sum(1)
        return self.bias - self.in_zero * sums

    def constants(self, *, tile: int) -> Mapping[str, Array]:
        """Arrays ``bias``, ``multiplier``, ``shift`` (to the right); the bias padded to a multiple of ``tile``.

        With ``once`` also ``addend``, and the shift is that beyond a word.
        """
        bias = np.pad(self.folded_bias(), (0, -len(self.bias) % tile)).astype(np.int32)
        if self.once is not None:
            return {"bias": bias, **self.once.constants()}
        return {
            "bias": bias,
            "multiplier": self.multiplier.astype(np.int32),
            "shift": (-self.shift).astype(np.int8),
        }

    def call(self, kernel: str, kernel_class: str) -> tuple[str, str, dict[str, Field]]:
        """Function, class of its costs and fields besides, of the kernel that rounds as the layer does."""
        if self.once is None:
            return f"ts_tfl_{kernel}_s8", kernel_class, {}
        return f"ts_once_{kernel}_s8", f"{kernel_class}_once", {"ties": self.once.ties}

    @property
    def range(self) -> tuple[int, int, int]:
        """Members of ``ts_tfl_range`` in order."""
        return self.out_zero, self.low, self.high


def weighted(graph: Graph, node: Node, *, activation: Activation, axis: int) -> Weighted:
    """Constants of a node with inputs (activations, weights, bias).

    Args:
        axis: of the output channels in the file's weights.

    Raises:
        Unfit: the node is none that the kernels compute.
    """
    known_activation(activation)
    source, result = activations(graph, node, inputs=1)
    stored = graph.source(node, 1)
    values = constant(stored, Element.INT8, "weights")
    scales, zero = _scales(stored, values.shape[axis], axis)
    require(zero, "has weights with a zero point", "quantize the weights symmetrically")
    moved = np.ascontiguousarray(np.moveaxis(values, axis, 0)).astype(np.int8)
    low, high = activation_range(activation, result.quantized)
    product = np.broadcast_to(source.quantized.scale * scales, (len(moved),))
    layer = Weighted(
        weights=moved,
        bias=np.zeros(len(moved), np.int64),
        multiplier=np.zeros(len(moved), np.int64),
        shift=np.zeros(len(moved), np.int64),
        in_zero=offset(source),
        out_zero=offset(result),
        low=low,
        high=high,
    )
    bias = graph.source(node, 2)
    if bias is not None and bias.element is Element.FLOAT32 and graph.rounding is not Rounding.TWICE:
        layer = _with_real_bias(graph, layer, product, _real_bias(bias, len(moved)), result.quantized.scale)
    else:
        layer = _in_fixed_point(graph, layer, product, _bias(bias, len(moved)), result.quantized.scale)
    _check_sums(layer)
    return layer


def _in_fixed_point(graph: Graph, layer: Weighted, product: Reals, bias: Int64, scale: float) -> Weighted:
    """With TensorFlow Lite's multipliers."""
    pairs = np.array([factor_in(graph, float(factor)) for factor in product / scale], np.int64)
    return replace(layer, bias=bias, multiplier=pairs[:, 0], shift=pairs[:, 1])


def _with_real_bias(graph: Graph, layer: Weighted, product: Reals, bias: Reals, scale: float) -> Weighted:
    """Rounded once; where no constants do that or none are wished, in fixed point with a bias of whole steps."""
    found = _exact(layer, product, bias, scale) if graph.rounds_once else None
    if found is not None:
        return replace(layer, once=found)
    steps = np.clip(np.rint(bias / product), -SUM_LIMIT, SUM_LIMIT - 1).astype(np.int64)
    return _in_fixed_point(graph, layer, product, steps, scale)


def _exact(layer: Weighted, product: Reals, bias: Reals, scale: float) -> Once | None:
    weights = layer.weights.reshape(len(layer.weights), -1).astype(np.int64)
    sides = np.stack([weights * (value - layer.in_zero) for value in (INT8_LOW, INT8_HIGH)])
    return once(
        Staircase(
            product=product,
            addend=bias,
            result=scale,
            lowest=sides.min(0).sum(1),
            highest=sides.max(0).sum(1),
            low=layer.low - layer.out_zero,
            high=layer.high - layer.out_zero,
        )
    )


def _real_bias(tensor: Tensor, channels: int) -> Reals:
    values = constant(tensor, Element.FLOAT32, "biases")
    require(values.shape == (channels,), f"has {values.size} biases for {channels} channels", "convert it again")
    return values.astype(np.float64)


def _scales(stored: Tensor | None, channels: int, axis: int) -> tuple[npt.NDArray[np.float64], bool]:
    if stored is None or stored.quantization is None:
        raise Unfit("has weights without scales", INSTEAD_INT8)
    quantization = stored.quantization
    count = len(quantization.scales)
    fits = count == 1 or (count == channels and quantization.axis == axis)
    require(fits, f"has {count} scales for {channels} channels", "convert the network again")
    return quantization.scales.astype(np.float64), not quantization.zero_points.any()


def _bias(tensor: Tensor | None, channels: int) -> Int64:
    if tensor is None:
        return np.zeros(channels, np.int64)
    values = constant(tensor, Element.INT32, "biases")
    require(values.shape == (channels,), f"has {values.size} biases for {channels} channels", "convert it again")
    return values.astype(np.int64)


def _check_sums(layer: Weighted) -> None:
    size = np.abs(layer.weights.reshape(len(layer.weights), -1).astype(np.int64)).sum(1)
    most = np.maximum(np.abs(layer.folded_bias()), np.abs(layer.bias)) + size * 255
    raised = most << np.maximum(layer.shift, 0)
    require(
        bool((most < SUM_LIMIT).all() and (raised < SUM_LIMIT).all()),
        "has sums of products that may leave 32 bits",
        "use smaller biases or fewer inputs",
    )
