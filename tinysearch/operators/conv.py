"""Convolution: int8, float32, binary weights on int8 inputs, and bit planes (:mod:`tinysearch.operators.binary`)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from tinysearch.core.network import INPUT, Convolution, Operator, Shape, Unit
from tinysearch.core.program import LANE, Array, Element, FrozenNetwork, Program, Step
from tinysearch.operators.counts import padded
from tinysearch.operators.depthwise import WINDOW_3X3
from tinysearch.operators.products import (
    CHANNEL_BYTES,
    FLOAT_BYTES,
    FLOAT_TILE,
    ProductsRecord,
    centered,
    geometry_f32,
    geometry_s8,
    interleave,
    output_arrays,
    tiled_f32,
)
from tinysearch.operators.record import Fields, KernelFootprint, PackedStep, packed

TILE = 4
"""Output channels that ``ts_conv_s8`` computes together; its weights are padded to a multiple."""

SIGNS = 4
"""Inputs whose signed sums ``ts_conv_bwn_s8`` tabulates together: weights that are looked up at once."""

_TILE_PIXELS = {Element.INT8: 4, Element.FLOAT32: 2}
_SECTION, _TABLE_BYTES = 20, 2 * 16 * 4  # tables of signed sums that are held at a time

UNPOOLED, POINTWISE, NARROW = "_unpooled", "pointwise", "pointwise_narrow"
GENERAL_CLASSES = {POINTWISE: "conv", NARROW: POINTWISE, WINDOW_3X3: "depthwise"} | {
    f"{first}{UNPOOLED}": first for first in ("first_conv", "first_conv_binary1", "first_conv_binary2")
}
"""General class by kernel class of layers that residual networks do not have: binary 1x1 convolutions of stride 1, and
of these such with fewer inputs than a word has lanes, which have few set bits to count; 3x3 depthwise ones; and first
convolutions without a pool, whose cost an output the pool would hide. A table may leave them out."""


class Conv(ProductsRecord):
    """See :class:`~tinysearch.core.layers.Convolution`."""

    name = Operator.CONV
    by_rows = True

    def accumulate(self, program: Program, step: Step, source: Array, weights: Array, zero_point: float) -> Array:
        out = program.tensors[step.output].shape
        rows, columns = out.height * step.pool, out.width * step.pool  # what survives a fused pool
        pad = ((0, 0), (step.padding, step.padding), (step.beside, step.beside), (0, 0))
        values = source if np.issubdtype(source.dtype, np.floating) else centered(source, weights, zero_point)
        values = np.pad(values, pad) if step.padding else values
        views = np.lib.stride_tricks.sliding_window_view(values, (step.kernel, step.columns), axis=(1, 2))
        views = views[:, :: step.stride, :: step.stride][:, :rows, :columns]
        windows = np.moveaxis(views, 3, 5)  # [N, rows, columns, kY, kX, channel]
        fields, filters = windows.reshape(*windows.shape[:3], -1), weights.reshape(len(weights), -1)
        sums: Array = fields @ filters.T.astype(fields.dtype)
        return sums if np.issubdtype(source.dtype, np.floating) else sums.astype(np.int64)

    def footprint_s8(self, program: Program, step: Step) -> KernelFootprint:
        outputs, height, width, inputs = program.weight_shape(step)
        depth = height * width * inputs
        in_place = 0 if _pointwise(step) and outputs <= inputs else None
        if step.weight_bits < 8:
            scratch, weights = _sign_bytes(step, depth, outputs)
            return KernelFootprint(
                kernel="ts_conv_bwn_s8",
                scratch_bytes=scratch,
                parameter_bytes=weights + outputs * (4 + CHANNEL_BYTES),
                in_place=in_place,
            )
        rows = padded(outputs, TILE)
        return KernelFootprint(
            kernel="ts_conv_s8",
            scratch_bytes=depth * _TILE_PIXELS[Element.INT8] + (rows * 4 if step.pool > 1 else 0),
            parameter_bytes=rows * (depth + 4) + outputs * CHANNEL_BYTES,
            in_place=in_place,
        )

    def footprint_f32(self, program: Program, step: Step) -> KernelFootprint:
        outputs, height, width, inputs = program.weight_shape(step)
        depth, rows = height * width * inputs, padded(outputs, FLOAT_TILE)
        floats = program.tensors[step.inputs[0]].element is Element.FLOAT32
        return KernelFootprint(
            kernel="ts_conv_f32",
            scratch_bytes=depth * _TILE_PIXELS[Element.FLOAT32] * FLOAT_BYTES,
            parameter_bytes=(rows * depth + rows) * FLOAT_BYTES,
            in_place=0 if floats and _pointwise(step) and outputs <= inputs else None,
        )

    def pack_s8(self, frozen: FrozenNetwork, step: Step) -> PackedStep:
        weights = frozen.parameters[step.name]["weights"]
        fields = {**_sides(frozen.program, step), **geometry_s8(frozen, step)}
        if step.weight_bits < 8:
            fields["weight_bits"] = step.weight_bits
            arrays = {"weights": pack_signs(weights, step.weight_bits), **output_arrays(frozen, step, tile=1)}
            return packed("ts_conv_bwn_s8", fields, arrays)
        arrays = {"weights": interleave(weights, TILE), **output_arrays(frozen, step, tile=TILE)}
        return packed("ts_conv_s8", fields, arrays)

    def pack_f32(self, frozen: FrozenNetwork, step: Step) -> PackedStep:
        fields = {**_sides(frozen.program, step), **geometry_f32(frozen, step)}
        return packed("ts_conv_f32", fields, tiled_f32(frozen, step))

    def features_of_values(self, program: Program, step: Step) -> Mapping[str, float]:
        """A tile of windows is gathered first."""
        source, out = program.tensors[step.inputs[0]].shape, program.tensors[step.output].shape
        tile = _TILE_PIXELS[program.tensors[step.output].element]
        places = out.height * out.width
        pixels = places * padded(step.pool**2, tile) if step.pool > 1 else padded(places, tile)
        depth = step.kernel * step.columns * source.channels
        found = {"patch": depth * pixels, "rows": step.kernel * pixels}
        if step.weight_bits < 8:
            groups = -(-depth // SIGNS)
            channels, sections = out.channels, -(-groups // _SECTION)
            looked_up = {"lane_macs": groups * SIGNS * pixels * channels, "sums": sections * pixels * channels}
            return found | looked_up | {"moved": step.weight_bits * groups * channels}
        channels = padded(out.channels, TILE)
        return found | {"lane_macs": depth * pixels * channels, "sums": pixels * channels}

    def kernel_class(self, program: Program, step: Step) -> str:
        """The byte-fed first convolution apart, and binary ones by what they write and by their side."""
        if step.inputs[0] == INPUT:
            binary = f"_binary{step.weight_bits}" if step.weight_bits < 8 else ""
            return f"first_conv{binary}{UNPOOLED if step.pool == 1 else ''}"
        if program.binary(step):
            if program.tensors[step.output].bits:
                return "conv_bits"
            if step.kernel == step.stride == 1:
                return NARROW if program.tensors[step.inputs[0]].shape.channels < LANE else POINTWISE
            return str(self.name)
        return str(self.name)

    def example(self, source: str, shape: Shape, random: np.random.Generator) -> tuple[Unit, ...]:
        kernel = int(random.choice([side for side in (1, 3) if side <= min(shape.height, shape.width)]))
        channels, stride = int(random.integers(2, 14)), int(random.integers(1, 3))
        relu = bool(random.integers(2))
        return (Convolution(name="conv", input=source, out_channels=channels, kernel=kernel, stride=stride, relu=relu),)


def _pointwise(step: Step) -> bool:
    return step.kernel == 1 and step.padding == 0 and step.pool == 1


def _sides(program: Program, step: Step) -> Fields:
    source, out = program.tensors[step.inputs[0]].shape, program.tensors[step.output].shape
    return {
        "in_height": source.height,
        "in_width": source.width,
        "in_channels": source.channels,
        "out_height": out.height,
        "out_width": out.width,
        "out_channels": out.channels,
    }


def _sign_bytes(step: Step, depth: int, outputs: int) -> tuple[int, int]:
    """Scratch and weights of a convolution with binary weights."""
    groups = padded(depth, SIGNS) // SIGNS
    codes = step.weight_bits * outputs * groups
    sums = outputs * 4 * (_TILE_PIXELS[Element.INT8] + (1 if step.pool > 1 else 0))
    tables = min(groups, _SECTION) * _TABLE_BYTES
    return sums + tables + groups * SIGNS * _TILE_PIXELS[Element.INT8] + codes, -(-codes // 2)


def pack_signs(weights: Array, bits: int) -> npt.NDArray[np.uint8]:
    """Weights -1, 1 or -3, -1, 1, 3 as signs, one plane for the ones and, with two bits, one for the twos.

    Args:
        weights: [O, ...].
        bits: 1 or 2.

    Returns:
        [bits, O, ceil(weights a channel / 4)] codes of four signs, bit i of a code being 1 where weight i is positive;
        flat, two codes a byte, the first in the low bits.
    """
    rows = weights.reshape(len(weights), -1).astype(np.int16)
    codes = (rows + (1 << bits) - 1) // 2
    planes = np.stack([codes >> bit & 1 for bit in range(bits)])
    planes = np.pad(planes, ((0, 0), (0, 0), (0, -planes.shape[2] % SIGNS))).reshape(-1)
    return np.packbits(planes.astype(np.uint8), bitorder="little")
