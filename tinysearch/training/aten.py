"""Operators of torch's core as ONNX's."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tinysearch.networks.real.nodes import Attribute, RealNode
from tinysearch.training.aten_memory import lstm
from tinysearch.training.translation import AliasOf, Translation, part_of


def _sides(values: Any, count: int) -> tuple[int, ...]:
    found = [int(value) for value in (values if isinstance(values, list | tuple) else [values])]
    return tuple(found * count if len(found) == 1 else found)


def _convolution(t: Translation) -> list[RealNode]:
    count = len(t.shape()) - 2
    padding = _sides(t.argument(4), count)
    turned = bool(t.argument(6))
    given: dict[str, Attribute] = {"output_padding": _sides(t.argument(7), count)} if turned else {}
    return t.make(
        "ConvTranspose" if turned else "Conv",
        [t.value(position) for position in range(3) if t.value(position)],
        given=given,
        strides=_sides(t.argument(3), count),
        pads=padding + padding,
        dilations=_sides(t.argument(5), count),
        group=int(t.argument(8)),
    )


def _normalization(t: Translation) -> list[RealNode]:
    channels = t.shape()[1]
    scale = t.value(1) or t.constant(np.ones(channels, np.float32))
    shift = t.value(2) or t.constant(np.zeros(channels, np.float32))
    inputs = [t.value(0), scale, shift, t.value(3), t.value(4)]
    return t.make("BatchNormalization", inputs, outputs=[t.part(0)], epsilon=float(t.argument(6)))


def _addmm(t: Translation) -> list[RealNode]:
    return t.make(
        "Gemm",
        [t.value(1), t.value(2), t.value(0)],
        alpha=float(t.argument(4, 1.0, "alpha")),
        beta=float(t.argument(3, 1.0, "beta")),
    )


def _clamp(t: Translation) -> list[RealNode]:
    return t.make("Clip", [t.value(position) for position in range(3)])


def _sum(operator: str) -> Callable[[Translation], list[RealNode]]:
    """Addition or subtraction, whose second operand may have a factor."""

    def translate(t: Translation) -> list[RealNode]:
        alpha = t.argument(2, 1, "alpha")
        if alpha == 1:
            return t.make(operator, [t.value(0), t.value(1)])
        scaled = t.make("Mul", [t.value(1), t.constant(np.float32(alpha))], outputs=[t.part(1)])
        return scaled + t.make(operator, [t.value(0), t.part(1)])

    return translate


def _named(operator: str, *, inputs: int = 1) -> Callable[[Translation], list[RealNode]]:
    return lambda t: t.make(operator, [t.value(position) for position in range(inputs)])


def _reduction(operator: str) -> Callable[[Translation], list[RealNode]]:
    def translate(t: Translation) -> list[RealNode]:
        axes = t.argument(1)
        given: dict[str, Attribute] = {} if axes is None else {"axes": _sides(axes, 1)}
        return t.make(operator, [t.value(0)], keepdims=int(bool(t.argument(2, 0, "keepdim"))), given=given)

    return translate


def _pool_attributes(t: Translation, count: int) -> dict[str, Attribute]:
    kernel = _sides(t.argument(1), count)
    padding = _sides(t.argument(3, 0), count)
    strides = t.argument(2) or kernel
    return {"kernel_shape": kernel, "strides": _sides(strides, count), "pads": padding + padding}


def _average(t: Translation) -> list[RealNode]:
    if t.argument(6) is not None:
        return t.make("avg_pool with a divisor", [t.value(0)])
    return t.make(
        "AveragePool",
        [t.value(0)],
        ceil_mode=int(bool(t.argument(4, 0))),
        count_include_pad=int(bool(t.argument(5, 1))),
        given=_pool_attributes(t, len(t.shape()) - 2),
    )


def _maximum(t: Translation) -> list[RealNode]:
    count = len(t.shape()) - 2
    return t.make(
        "MaxPool",
        [t.value(0)],
        outputs=[t.part(0)],
        dilations=_sides(t.argument(4, 1), count),
        ceil_mode=int(bool(t.argument(5, 0))),
        given=_pool_attributes(t, count),
    )


def _adaptive(t: Translation) -> list[RealNode]:
    sides = t.shape()[2:]
    outputs = _sides(t.argument(1), len(sides))
    if all(side == 1 for side in outputs):
        return t.make("GlobalAveragePool", [t.value(0)])
    if any(side % out for side, out in zip(sides, outputs, strict=True)):
        return t.make("adaptive_avg_pool of sides that do not divide", [t.value(0)])
    kernel = tuple(side // out for side, out in zip(sides, outputs, strict=True))
    return t.make("AveragePool", [t.value(0)], kernel_shape=kernel, strides=kernel)


def _softmax(operator: str) -> Callable[[Translation], list[RealNode]]:
    return lambda t: t.make(operator, [t.value(0)], axis=int(t.argument(1)))


def _view(t: Translation) -> list[RealNode]:
    shape = [int(side) for side in t.node.meta["val"].shape]
    return t.make("Reshape", [t.value(0)], shape=tuple(shape))


def _permute(t: Translation) -> list[RealNode]:
    rank = len(t.shape())
    return t.make("Transpose", [t.value(0)], perm=tuple(int(axis) % rank for axis in t.argument(1)))


def _concatenation(t: Translation) -> list[RealNode]:
    return t.make("Concat", [t.name_of(node) for node in t.argument(0)], axis=int(t.argument(1, 0)))


def _slice(t: Translation) -> list[RealNode]:
    start, end = t.argument(2, None) or 0, t.argument(3, None)
    last = 2**31 - 1 if end is None else min(int(end), 2**31 - 1)
    return t.make(
        "Slice",
        [t.value(0)],
        axes=(int(t.argument(1, 0)),),
        starts=(int(start),),
        ends=(last,),
        steps=(int(t.argument(4, 1)),),
    )


def _select(t: Translation) -> list[RealNode]:
    index = t.constant(np.array(int(t.argument(2)), np.int64))
    return t.make("Gather", [t.value(0), index], axis=int(t.argument(1)))


def _split(t: Translation) -> list[RealNode]:
    sizes = tuple(int(size) for size in t.argument(1))
    outputs = [t.part(number) for number in range(len(sizes))]
    return t.make("Split", [t.value(0)], outputs=outputs, axis=int(t.argument(2, 0)), split=sizes)


def _pad(t: Translation) -> list[RealNode]:
    given, rank = [int(side) for side in t.argument(1)], len(t.shape())
    before, after = [0] * rank, [0] * rank
    for number in range(len(given) // 2):
        before[rank - 1 - number], after[rank - 1 - number] = given[2 * number], given[2 * number + 1]
    return t.make("Pad", [t.value(0)], pads=(*before, *after), value=float(t.argument(2, 0.0)))


def _parts_of_pixels(t: Translation, sizes: Sequence[int], *, first: int) -> Iterator[bool]:
    """Of each side, whether a stated factor, by which torch then places pixels, gives no whole number of them.

    Args:
        t: an ``upsample``.
        sizes: of its output.
        first: place of its first factor among the arguments, or of a list of all.
    """
    stated = t.argument(first) if isinstance(t.argument(first), Sequence) else [*t.node.args[first:]]
    for factor, side, size in zip(stated or (), t.shape()[2:], sizes[2:], strict=False):
        yield factor is not None and not math.isclose(side * factor, size, rel_tol=1e-9)


def _resize(mode: str) -> Callable[[Translation], list[RealNode]]:
    """Nearest by the floor of asymmetric places, as torch chooses; linear from pixel centers or corners."""

    def translate(t: Translation) -> list[RealNode]:
        sizes = tuple(int(side) for side in t.node.meta["val"].shape)
        corners = mode == "linear" and bool(t.argument(2, 0, "align_corners"))
        if not corners and any(_parts_of_pixels(t, sizes, first=3 if mode == "linear" else 2)):
            return t.make("interpolate by a factor that leaves parts of pixels", [t.value(0)])
        centers = "pytorch_half_pixel" if mode == "linear" else "asymmetric"
        return t.make(
            "Resize",
            [t.value(0), "", "", t.constant(np.array(sizes, np.int64))],
            mode=mode,
            coordinate_transformation_mode="align_corners" if corners else centers,
            nearest_mode="floor",
        )

    return translate


def _slopes(t: Translation) -> list[RealNode]:
    """A slope a channel, which is axis 1."""
    rank = len(t.shape())
    turned = t.make("Reshape", [t.value(1)], outputs=[t.part(1)], shape=(-1, *(1,) * max(rank - 2, 0)))
    return turned + t.make("PRelu", [t.value(0), t.part(1)])


def _same(t: Translation) -> list[RealNode]:
    return t.make("Identity", [t.value(0)])


def _full(t: Translation) -> list[RealNode]:
    shape = tuple(int(side) for side in t.node.meta["val"].shape)
    return t.make("Constant", [], value=np.full(shape, float(t.argument(1)), np.float32))


def _quantize(t: Translation) -> list[RealNode]:
    scale, zero = _scale(t)
    return t.make("QuantizeLinear", [t.value(0), scale, zero])


def _dequantize(t: Translation) -> list[RealNode]:
    scale, zero = _scale(t)
    return t.make("DequantizeLinear", [t.value(0), scale, zero])


def _scale(t: Translation) -> tuple[str, str]:
    dtype = np.uint8 if int(t.argument(3)) == 0 else np.int8
    return t.constant(np.float32(t.argument(1))), t.constant(np.asarray(int(t.argument(2)), dtype))


def _dequantize_channels(t: Translation) -> list[RealNode]:
    return t.make("DequantizeLinear", [t.value(0), t.value(1)], axis=int(t.argument(3)))


_TRANSLATIONS: Mapping[str, Callable[[Translation], list[RealNode]]] = {
    "aten.convolution": _convolution,
    "aten._native_batch_norm_legit_no_training": _normalization,
    "aten.addmm": _addmm,
    "aten.mm": _named("MatMul", inputs=2),
    "aten.matmul": _named("MatMul", inputs=2),
    "aten.relu": _named("Relu"),
    "aten.clamp": _clamp,
    "aten.hardtanh": _clamp,
    "aten.sigmoid": _named("Sigmoid"),
    "aten.tanh": _named("Tanh"),
    "aten.hardswish": _named("HardSwish"),
    "aten.hardsigmoid": lambda t: t.make("HardSigmoid", [t.value(0)], alpha=1 / 6, beta=0.5),
    "aten.silu": _named("Swish"),
    "aten.mish": _named("Mish"),
    "aten.gelu": lambda t: t.make("Gelu", [t.value(0)], approximate=str(t.argument(1, "none", "approximate"))),
    "aten.leaky_relu": lambda t: t.make("LeakyRelu", [t.value(0)], alpha=float(t.argument(1, 0.01))),
    "aten.elu": lambda t: t.make("Elu", [t.value(0)], alpha=float(t.argument(1, 1.0))),
    "aten.lstm": lstm,
    "aten.prelu": _slopes,
    "aten.upsample_nearest1d": _resize("nearest"),
    "aten.upsample_nearest2d": _resize("nearest"),
    "aten.upsample_bilinear2d": _resize("linear"),
    "aten.upsample_linear1d": _resize("linear"),
    "aten._prelu_kernel": _named("PRelu", inputs=2),
    "aten.softplus": _named("Softplus"),
    "aten.exp": _named("Exp"),
    "aten.log": _named("Log"),
    "aten.sqrt": _named("Sqrt"),
    "aten.erf": _named("Erf"),
    "aten.abs": _named("Abs"),
    "aten.neg": _named("Neg"),
    "aten.reciprocal": _named("Reciprocal"),
    "aten.sin": _named("Sin"),
    "aten.cos": _named("Cos"),
    "aten.pow": _named("Pow", inputs=2),
    "aten.add": _sum("Add"),
    "aten.sub": _sum("Sub"),
    "aten.mul": _named("Mul", inputs=2),
    "aten.div": _named("Div", inputs=2),
    "aten.maximum": _named("Max", inputs=2),
    "aten.minimum": _named("Min", inputs=2),
    "aten.mean": _reduction("ReduceMean"),
    "aten.amax": _reduction("ReduceMax"),
    "aten.sum": _reduction("ReduceSum"),
    "aten.avg_pool2d": _average,
    "aten.avg_pool1d": _average,
    "aten.max_pool2d_with_indices": _maximum,
    "aten._adaptive_avg_pool2d": _adaptive,
    "aten.adaptive_avg_pool1d": _adaptive,
    "aten._softmax": _softmax("Softmax"),
    "aten._log_softmax": _softmax("LogSoftmax"),
    "aten.softmax": _softmax("Softmax"),
    "aten.view": _view,
    "aten._unsafe_view": _view,
    "aten.reshape": _view,
    "aten.squeeze": _view,
    "aten.unsqueeze": _view,
    "aten.flatten": _view,
    "aten.permute": _permute,
    "aten.cat": _concatenation,
    "aten.slice": _slice,
    "aten.select": _select,
    "aten.split_with_sizes": _split,
    "aten.constant_pad_nd": _pad,
    "aten.full": _full,
    "aten.scalar_tensor": lambda t: t.make("Constant", [], value=np.asarray(t.argument(0), np.float32)),
    **dict.fromkeys(
        (
            "aten.clone",
            "aten.alias",
            "aten.detach",
            "aten.dropout",
            "aten.contiguous",
            "aten.lift_fresh_copy",
            "aten._to_copy",
        ),
        _same,
    ),
    "quantized_decomposed.quantize_per_tensor": _quantize,
    "quantized_decomposed.dequantize_per_tensor": _dequantize,
    "quantized_decomposed.dequantize_per_channel": _dequantize_channels,
}


def translation_of(t: Translation) -> list[RealNode] | AliasOf:
    """Nodes of ONNX; an operator that has none keeps its own name."""
    target = str(t.node.target)
    if "getitem" in target:
        return AliasOf(part_of(t.value(0), int(t.argument(1))))
    operator = ".".join(target.split(".")[:2])
    translate = _TRANSLATIONS.get(operator)
    if translate is None:
        inputs = [t.name_of(node) for node in t.node.all_input_nodes]
        return t.make(operator, inputs, outputs=[t.node.name, t.part(0)])
    return translate(t)
