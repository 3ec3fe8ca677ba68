"""The kernels of bit planes: footprint, constants and cost of steps that read or write them.

Mirrors ``firmware_templates/runtime/ts_xnor_window.c``. Constants are sliced over output channels: one 32-bit word
holds one bit of 32 channels, in the layouts of ``ts_xnor_conv_bits.h`` and ``ts_xnor_conv_s8.h``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinysearch.core.errors import UserError
from tinysearch.core.network import Operator
from tinysearch.core.program import LANE, Array, FrozenNetwork, Program, Step
from tinysearch.core.quantization import INT8_LOW, XNOR_FRACTION_BITS
from tinysearch.operators.counts import inside, padded
from tinysearch.operators.record import KernelFootprint, PackedStep, no_kernel

_WORD_BYTES = 4
_BLOCK = 16  # weight words that enter the carry-save tree together
_REGISTER_PLANES = 10  # planes of the counters that stay in registers
_RUN_ENTRIES = 1008  # entries of a list that is counted in runs
_HELD_BYTES = 16384  # most for lists that hold a window each

_TRANSPOSED_PLANES = 16  # at once, where counters become integers
_APPENDED_BITS = 8  # bits that are looked at together
_INT32_HIGH = (1 << 31) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class BinaryGeometry:
    """A binary step as its kernel sees it: a fully connected layer is a convolution whose kernel is the whole map.

    Attributes:
        output_bits: bit planes of the output, 0 for int8.
    """

    input_height: int
    input_width: int
    input_channels: int
    output_height: int
    output_width: int
    output_channels: int
    kernel_height: int
    kernel_width: int
    stride: int
    padding: int
    flat: bool
    activation_bits: int
    weight_bits: int
    output_bits: int

    @property
    def window_values(self) -> int:
        """Input values under one output pixel."""
        return self.kernel_height * self.kernel_width * self.input_channels

    @property
    def beside(self) -> int:
        """Columns of padding to either side."""
        return 0 if self.flat else self.padding

    @property
    def limit(self) -> int:
        """Largest absolute accumulator."""
        return self.window_values * ((1 << self.activation_bits) - 1) * ((1 << self.weight_bits) - 1)

    @property
    def groups(self) -> int:
        """Words that hold one bit of every output channel."""
        return -(-self.output_channels // LANE)

    @property
    def threshold_planes(self) -> int:
        """Bit planes of accumulator + limit, 0 .. 2 limit, and of a threshold."""
        return (2 * self.limit).bit_length()

    @property
    def parameter_bytes(self) -> int:
        """Bytes of the packed arrays."""
        weights = (self.window_values + 1) * self.weight_bits * self.groups * _WORD_BYTES
        if self.output_bits:
            return weights + self.groups * self.threshold_planes * ((1 << self.output_bits) - 1) * _WORD_BYTES
        return weights + self.output_channels * (_WORD_BYTES + _WORD_BYTES + 1)

    @property
    def _whole_list(self) -> int:
        """Entries of a list that takes all set bits of a window."""
        return (self.window_values + _BLOCK) // _BLOCK * _BLOCK + _BLOCK

    @property
    def holds_window(self) -> bool:
        """Whether the kernel keeps a list of set bits from one window to the next."""
        return self._whole_list <= _HELD_BYTES // _WORD_BYTES // self.activation_bits

    @property
    def scratch_bytes(self) -> int:
        """``ts_xnor_window_scratch_bytes``: lists of set bits, entries by window column, vertical counters."""
        lists = self.activation_bits if self.holds_window else 1
        capacity = self._whole_list if self.holds_window else _RUN_ENTRIES + _BLOCK
        sum_planes = max(self.threshold_planes, _REGISTER_PLANES + self.activation_bits + self.weight_bits - 1)
        if not self.output_bits:
            sum_planes = padded(sum_planes, _TRANSPOSED_PLANES)
        return (lists * (capacity + self.kernel_width) + self.groups * sum_planes) * _WORD_BYTES


def geometry(program: Program, step: Step) -> BinaryGeometry:
    """Geometry of a convolution or fully connected step that reads bit planes.

    Raises:
        UnsupportedLayerError: any other step, or a fused pool.
    """
    if not program.binary(step) or step.operator not in (Operator.CONV, Operator.FULLY_CONNECTED) or step.pool > 1:
        raise no_kernel(program, step)
    source, out = program.tensors[step.inputs[0]], program.tensors[step.output]
    whole_map = step.operator == Operator.FULLY_CONNECTED
    return BinaryGeometry(
        input_height=source.shape.height,
        input_width=source.shape.width,
        input_channels=source.shape.channels,
        output_height=out.shape.height,
        output_width=out.shape.width,
        output_channels=out.shape.channels,
        kernel_height=source.shape.height if whole_map else step.kernel,
        kernel_width=source.shape.width if whole_map else step.columns,
        stride=1 if whole_map else step.stride,
        padding=0 if whole_map else step.padding,
        flat=step.flat,
        activation_bits=source.bits,
        weight_bits=step.weight_bits,
        output_bits=out.bits,
    )


def footprint(program: Program, step: Step) -> KernelFootprint:
    """Footprint of a step that reads bit planes.

    Raises:
        UnsupportedLayerError: no kernel computes this step.
    """
    binary = geometry(program, step)
    return KernelFootprint(
        kernel="ts_xnor_conv_bits" if binary.output_bits else "ts_xnor_conv_s8",
        scratch_bytes=binary.scratch_bytes,
        parameter_bytes=binary.parameter_bytes,
    )


def features(program: Program, step: Step) -> Mapping[str, float]:
    """Kernels that count the set bits under a window, 32 output channels at a time; padding is not under it."""
    g = geometry(program, step)
    lanes = g.groups * LANE
    rows = inside(g.input_height, g.output_height, g.kernel_height, stride=g.stride, padding=g.padding)
    columns = inside(g.input_width, g.output_width, g.kernel_width, stride=g.stride, padding=g.beside)
    fresh = columns
    if g.holds_window:  # of every window but a row's first only the columns that enter
        entering = min(g.stride, g.kernel_width)
        first = min(g.kernel_width - g.beside, g.input_width)
        later = {"stride": g.stride, "padding": g.beside - g.stride - (g.kernel_width - entering)}
        fresh = first + inside(g.input_width, g.output_width - 1, entering, **later)
    return {
        "lane_macs": rows * columns * g.input_channels * lanes,
        "patch": rows * fresh * padded(g.input_channels, _APPENDED_BITS),
        "rows": rows * fresh,
        "moved": rows * (columns - fresh) * g.input_channels,
        "sums": g.output_height * g.output_width * lanes,
    }


def about_instructions(program: Program, step: Step) -> float:
    """Instructions of the portable kernel of a step that reads bit planes, within a third of the fitted table's.

    The table is hardware_catalog/latency; this is for decisions between kernels, which no table of a user's may change.
    """
    g, counted = geometry(program, step), features(program, step)
    bits = g.activation_bits
    return (
        0.065 * (0.3 + 0.7 * bits) * g.weight_bits * counted["lane_macs"]
        + 3.3 * bits * counted["patch"]
        + (140 + 130 * bits) * counted["rows"]
        + 2.5 * counted["moved"]
        + (16 + 8 * bits) * counted["sums"]
        + (4 if g.output_bits else 15) * g.output_height * g.output_width * g.output_channels
    )


def pack(frozen: FrozenNetwork, step: Step) -> PackedStep:
    """Constants of a step that reads bit planes.

    Raises:
        UnsupportedLayerError: no kernel computes this step.
        UserError: parameters outside the kernel's range.
    """
    parameters = frozen.parameters[step.name]
    binary = geometry(frozen.program, step)
    fields: dict[str, int | float | tuple[int, ...]] = {
        name: getattr(binary, name)
        for name in (
            *("input_height", "input_width", "input_channels", "output_height", "output_width", "output_channels"),
            *("kernel_height", "kernel_width", "stride", "padding", "activation_bits", "weight_bits"),
        )
    }
    if binary.flat:
        fields["flat"] = 1
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
