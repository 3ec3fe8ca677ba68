"""Constants of the binary kernels, sliced over output channels: one 32-bit word holds one bit of 32 channels.

The layouts are those of ``firmware_templates/runtime/ts_xnor_conv_bits.h`` and ``ts_xnor_conv_s8.h``.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from tinysearch.analytic.kernels.xnor import BinaryGeometry, geometry
from tinysearch.core.errors import UserError
from tinysearch.core.program import LANE, Array, FrozenNetwork, Operator, Step
from tinysearch.core.quantization import INT8_LOW, XNOR_FRACTION_BITS
from tinysearch.firmware.packing import PackedStep

_INT32_HIGH = (1 << 31) - 1


def pack(frozen: FrozenNetwork, step: Step) -> PackedStep:
    """Constants of a step that reads or writes bit planes.

    Raises:
        UnsupportedLayerError: no kernel computes this step.
        UserError: parameters outside the kernel's range.
    """
    parameters = frozen.parameters[step.name]
    if step.operator is Operator.PACK:
        return _pack_s8(frozen, step, parameters)
    binary = geometry(frozen.program, step)
    fields: dict[str, int | float | tuple[int, ...]] = {
        name: getattr(binary, name)
        for name in (
            *("input_height", "input_width", "input_channels", "output_height", "output_width", "output_channels"),
            *("kernel_height", "kernel_width", "stride", "padding", "activation_bits", "weight_bits"),
        )
    }
    weights = slice_weights(np.asarray(parameters["weights"]), binary)
    if binary.output_bits:
        return PackedStep(
            function="ts_xnor_conv_bits",
            layer_type="ts_xnor_conv_bits_layer",
            header="ts_xnor_conv_bits.h",
            fields={**fields, "output_bits": binary.output_bits, "threshold_planes": binary.threshold_planes},
            arrays={"weights": weights, "thresholds": slice_thresholds(np.asarray(parameters["thresholds"]), binary)},
        )
    zero = frozen.zero_points[step.output]
    return PackedStep(
        function="ts_xnor_conv_s8",
        layer_type="ts_xnor_conv_s8_layer",
        header="ts_xnor_conv_s8.h",
        fields={**fields, "output_zero": zero, "output_low": zero if step.relu else INT8_LOW},
        arrays={"weights": weights, **_requantization(step, parameters, binary)},
    )


def slice_weights(weights: Array, binary: BinaryGeometry) -> npt.NDArray[np.uint32]:
    """Weight levels, [O, kH, kW, I] or [O, H * W * I], as words [kW, kH, I, B, groups] and one row of zeros, flat.

    Raises:
        UserError: a level that is not odd or beyond 2^B - 1.
    """
    high = (1 << binary.weight_bits) - 1
    levels = weights.astype(np.int64)
    if np.any(np.abs(levels) > high) or np.any(levels % 2 == 0):
        raise UserError(
            f"weights of {binary.weight_bits} bits must be odd levels from {-high} to {high}",
            value=sorted(set(levels.ravel().tolist()))[:8],
            remedy="quantize the weights before freezing the network",
        )
    shape = (binary.output_channels, binary.kernel_height, binary.kernel_width, binary.input_channels)
    codes = ((levels + high) // 2).reshape(shape).transpose(2, 1, 3, 0)
    planes = np.stack([(codes >> bit) & 1 for bit in range(binary.weight_bits)], axis=-2)
    zero_row = np.zeros(binary.weight_bits * binary.groups, np.uint32)
    return np.concatenate([_lanes_to_words(planes).ravel(), zero_row])


def slice_thresholds(thresholds: Array, binary: BinaryGeometry) -> npt.NDArray[np.uint32]:
    """Thresholds [O, 2^A - 1] as words [groups, planes, 2^A - 1] of the complement of threshold + limit, flat."""
    limit, count = binary.limit, (1 << binary.output_bits) - 1
    lanes = np.full((binary.groups * LANE, count), limit + 1, np.int64)
    lanes[: binary.output_channels] = np.sort(
        np.clip(thresholds.astype(np.int64).reshape(binary.output_channels, count), -limit, limit + 1), axis=1
    )
    complement = ~(lanes + limit)
    planes = np.stack([(complement >> bit) & 1 for bit in range(binary.threshold_planes)])  # [planes, lanes, count]
    words = _lanes_to_words(planes.transpose(0, 2, 1))  # [planes, count, groups]
    return np.ascontiguousarray(words.transpose(2, 0, 1)).ravel()


def _lanes_to_words(bits: npt.NDArray[np.int64]) -> npt.NDArray[np.uint32]:
    """Bits with channels last, [.., C], as words [.., ceil(C / 32)], channel 32 w + i in bit i of word w."""
    padded = np.zeros((*bits.shape[:-1], -(-bits.shape[-1] // LANE) * LANE), np.uint8)
    padded[..., : bits.shape[-1]] = bits
    return np.packbits(padded, axis=-1, bitorder="little").view("<u4").astype(np.uint32)


def _requantization(step: Step, parameters: Mapping[str, Array], binary: BinaryGeometry) -> dict[str, Array]:
    """Bias, doubled multiplier and shift less one, one a channel.

    Raises:
        UserError: an accumulator plus bias beyond int32, or a shift or multiplier that the kernel does not take.
    """
    bias, multiplier, shift = (
        np.broadcast_to(np.asarray(parameters[key], np.int64).ravel(), binary.output_channels)
        for key in ("bias", "multiplier", "shift")
    )
    largest = (binary.limit << XNOR_FRACTION_BITS) + int(np.abs(bias).max(initial=0))
    if largest > _INT32_HIGH:
        raise UserError(
            "256 times a binary accumulator plus its bias must fit in 32 bits",
            value=f"up to {largest} in {step.name}",
            remedy="limit the bias when freezing: the output saturates long before",
        )
    if multiplier.min() < 0 or multiplier.max() > _INT32_HIGH or shift.min() < 1 or shift.max() > 31:
        raise UserError(
            "a requantization must have a multiplier of 31 bits and a shift from 1 to 31",
            value=f"multipliers to {multiplier.max()}, shifts {shift.min()} to {shift.max()} in {step.name}",
            remedy="make them with core.quantization.quantize_multiplier",
        )
    return {
        "bias": (bias - (binary.limit << XNOR_FRACTION_BITS)).astype(np.int32),
        "multiplier": (2 * multiplier).astype(np.uint32),
        "shift": (shift - 1).astype(np.uint8),
    }


def _pack_s8(frozen: FrozenNetwork, step: Step, parameters: Mapping[str, Array]) -> PackedStep:
    out = frozen.program.tensors[step.output]
    return PackedStep(
        function="ts_pack_s8",
        layer_type="ts_pack_s8_layer",
        header="ts_pack_s8.h",
        fields={
            "pixels": out.shape.height * out.shape.width,
            "channels": out.shape.channels,
            "activation_bits": out.bits,
        },
        arrays={"thresholds": np.sort(np.asarray(parameters["thresholds"]).ravel()).astype(np.int32)},
    )
