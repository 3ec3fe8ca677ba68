"""Depthwise convolution, and ``scale``: one factor and one shift a channel, by the same kernels with a side of 1."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from tinysearch.core.network import Convolution, GlobalAveragePool, Operator, Shape, Unit
from tinysearch.core.program import Array, Element, FrozenNetwork, Program, Step
from tinysearch.operators.counts import inside
from tinysearch.operators.products import (
    CHANNEL_BYTES,
    FLOAT_BYTES,
    ProductsRecord,
    centered,
    geometry_f32,
    geometry_s8,
    output_arrays,
    real_weights,
)
from tinysearch.operators.record import Fields, KernelFootprint, PackedStep, is_binary, no_kernel, packed

WINDOW_3X3 = "depthwise_3x3"
"""Kernel class of int8 3x3 windows that are read where they lie; a table may leave it out for ``depthwise``."""


class Depthwise(ProductsRecord):
    """See :class:`~tinysearch.core.layers.Convolution`."""

    name = Operator.DEPTHWISE
    by_rows = True

    def accumulate(self, program: Program, step: Step, source: Array, weights: Array, zero_point: float) -> Array:
        del program
        real = np.issubdtype(source.dtype, np.floating)
        shifted = source - source.dtype.type(zero_point) if real else centered(source, weights, zero_point)
        kind = shifted.dtype.type
        pad = ((0, 0), (step.padding, step.padding), (step.beside, step.beside), (0, 0))
        sides = (step.kernel, step.columns)
        views = np.lib.stride_tricks.sliding_window_view(np.pad(shifted, pad), sides, axis=(1, 2))
        views = views[:, :: step.stride, :: step.stride]
        if real:
            sums: Array = np.einsum("nhwcyx,cyx->nhwc", views, weights.astype(kind), dtype=kind)
            return sums
        return np.stack([_summed(view, weights.astype(kind)) for view in views])

    def footprint(self, program: Program, step: Step) -> KernelFootprint:
        if is_binary(program, step):
            raise no_kernel(program, step)
        return super().footprint(program, step)

    def footprint_s8(self, program: Program, step: Step) -> KernelFootprint:
        channels, height, width = program.weight_shape(step)
        source, out = program.tensors[step.inputs[0]].shape, program.tensors[step.output].shape
        return KernelFootprint(
            kernel=_kernel(step),
            scratch_bytes=_scratch_bytes(program, step),
            parameter_bytes=channels * (height * width + 4 + CHANNEL_BYTES),
            in_place=0 if out.elements <= source.elements else None,
        )

    def footprint_f32(self, program: Program, step: Step) -> KernelFootprint:
        channels, height, width = program.weight_shape(step)
        floats = program.tensors[step.inputs[0]].element is Element.FLOAT32
        return KernelFootprint(
            kernel="ts_depthwise_f32",
            scratch_bytes=0,
            parameter_bytes=channels * (height * width + 1) * FLOAT_BYTES,
            in_place=0 if floats and _is_scale(step) else None,
        )

    def pack_s8(self, frozen: FrozenNetwork, step: Step) -> PackedStep:
        weights = np.ascontiguousarray(frozen.parameters[step.name]["weights"]).reshape(-1)
        fields = {**_sides(frozen.program, step), **geometry_s8(frozen, step)}
        if _is_3x3(step):
            fields = {key: value for key, value in fields.items() if key not in ("kernel", "padding", "pool")}
        return packed(_kernel(step), fields, {"weights": weights, **output_arrays(frozen, step, tile=1)})

    def pack_f32(self, frozen: FrozenNetwork, step: Step) -> PackedStep:
        weights = np.ascontiguousarray(np.moveaxis(real_weights(frozen, step), 0, -1)).reshape(-1)
        bias = frozen.parameters[step.name]["bias"].astype(np.float32)
        fields = {**_sides(frozen.program, step), **geometry_f32(frozen, step)}
        return packed("ts_depthwise_f32", fields, {"weights": weights, "bias": bias})

    def features_of_values(self, program: Program, step: Step) -> Mapping[str, float]:
        if program.tensors[step.output].element is Element.FLOAT32:
            return _features_f32(program, step)
        return _features_s8(program, step)

    def kernel_class(self, program: Program, step: Step) -> str:
        """Windows that the int8 kernel reads where they lie are apart."""
        of_bytes = program.tensors[step.output].element is Element.INT8
        return WINDOW_3X3 if of_bytes and _is_3x3(step) else str(self.name)

    def example(self, source: str, shape: Shape, random: np.random.Generator) -> tuple[Unit, ...]:
        kernel = int(random.choice([side for side in (1, 3) if side <= min(shape.height, shape.width)]))
        stride, relu = int(random.integers(1, 3)), bool(random.integers(2))
        unit = Convolution(
            name="depth",
            input=source,
            out_channels=shape.channels,
            kernel=kernel,
            stride=stride,
            padding=kernel // 2,
            depthwise=True,
            relu=relu,
        )
        return (unit,)


def _summed(view: Array, weights: Array) -> npt.NDArray[np.int64]:
    """Sums of products of one sample, [height, width, channels, kY, kX] by [channels, kY, kX], that cannot round."""
    sums = np.zeros(view.shape[:3], view.dtype)
    for row, column in np.ndindex(*weights.shape[1:]):
        sums += view[..., row, column] * np.tile(weights[:, row, column], (view.shape[1], 1))
    return sums.astype(np.int64)


class Scale(Depthwise):
    """What is left of a batch normalization that folds into nothing."""

    name = Operator.SCALE
    lowest_level = 63

    def real_weights(self, random: np.random.Generator, shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
        return random.uniform(0.6, 1.2, shape)

    def features_of_values(self, program: Program, step: Step) -> Mapping[str, float]:
        return {"sums": program.tensors[step.output].shape.channels}  # channel by channel

    def example(self, source: str, shape: Shape, random: np.random.Generator) -> tuple[Unit, ...]:
        del shape
        return (GlobalAveragePool(name="mean", input=source, batch_norm=True, relu=bool(random.integers(2))),)


def _is_scale(step: Step) -> bool:
    return step.kernel == 1 and step.stride == 1 and step.padding == 0 and step.pool == 1


def _is_3x3(step: Step) -> bool:
    """Whether the int8 kernel is the one that reads pixels where they lie."""
    return step.kernel == 3 and step.padding == 1 and step.pool == 1 and step.stride <= 2 and not step.flat


def _kernel(step: Step) -> str:
    return "ts_depthwise_3x3_s8" if _is_3x3(step) else "ts_depthwise_s8"


def _scratch_bytes(program: Program, step: Step) -> int:
    """The row above for 3x3 of stride 1; but for 3x3 of stride 2 and 1x1, a plane with its padding."""
    if _is_3x3(step):
        return program.tensors[step.inputs[0]].shape.width if step.stride == 1 else 0
    if _is_scale(step):
        return 0
    height, width = _plane(program, step)
    return height * width


def _plane(program: Program, step: Step) -> tuple[int, int]:
    """Rows and columns of a channel that are read, padding included."""
    out = program.tensors[step.output].shape
    sides = ((out.height, step.kernel), (out.width, step.columns))
    height, width = ((outputs * step.pool - 1) * step.stride + kernel for outputs, kernel in sides)
    return height, width


def _sides(program: Program, step: Step) -> Fields:
    source, out = program.tensors[step.inputs[0]].shape, program.tensors[step.output].shape
    return {
        "in_height": source.height,
        "in_width": source.width,
        "channels": source.channels,
        "out_height": out.height,
        "out_width": out.width,
    }


def _features_s8(program: Program, step: Step) -> Mapping[str, float]:
    """A channel's plane with its padding, which the general loops copy first; 3x3 without a pool is written out."""
    out = program.tensors[step.output].shape
    if _is_scale(step):  # straight from the input
        return {}
    height, width = _plane(program, step)
    found = {"patch": height * width * out.channels, "rows": height * out.channels}
    if _is_3x3(step):  # with stride 2, a column more for every output
        moved = (step.stride - 1) * out.elements
        return found | {"rows": out.height * out.channels, "moved": moved, "sums": out.channels}
    windows = step.macs // (step.kernel * step.columns)
    pooled = windows if step.pool > 1 else 0  # compared before they are put away
    return found | {"lane_macs": step.macs, "moved": windows * step.kernel, "sums": pooled}


def _features_f32(program: Program, step: Step) -> Mapping[str, float]:
    """Every place of every window is looked at, and those inside the input are multiplied."""
    source, out = program.tensors[step.inputs[0]].shape, program.tensors[step.output].shape
    sides = (
        (source.height, out.height, step.kernel, step.padding),
        (source.width, out.width, step.columns, step.beside),
    )
    rows, columns = (
        inside(side, outputs * step.pool, kernel, stride=step.stride, padding=padding)
        for side, outputs, kernel, padding in sides
    )
    multiplied = rows * columns * out.channels
    converted = program.tensors[step.inputs[0]].element is Element.INT8
    return {
        "lane_macs": multiplied,
        "patch": multiplied if converted else 0,
        "moved": step.macs // step.columns,
        "sums": out.elements * step.pool**2,
    }
