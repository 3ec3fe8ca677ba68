"""Footprints of the binary kernels; mirrors ``firmware_templates/runtime/ts_xnor_window.c`` and ``packing/xnor.py``."""

from __future__ import annotations

from dataclasses import dataclass

from tinysearch.analytic.kernels import KernelFootprint
from tinysearch.core.errors import UnsupportedLayerError
from tinysearch.core.program import LANE, Element, Operator, Program, Step

_WORD_BYTES = 4
_BLOCK = 16  # weight words that enter the carry-save tree together
_REGISTER_PLANES = 10  # planes of the counters that stay in registers
_RUN_ENTRIES = 1008  # entries of a list that is counted in runs
_HELD_BYTES = 16384  # most for lists that hold a window each

_TRANSPOSED_PLANES = 16  # at once, where counters become integers
_PACK_TABLE_BYTES = 1024  # level of each int8 value


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
    activation_bits: int
    weight_bits: int
    output_bits: int

    @property
    def window_values(self) -> int:
        """Input values under one output pixel."""
        return self.kernel_height * self.kernel_width * self.input_channels

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
            sum_planes = -(-sum_planes // _TRANSPOSED_PLANES) * _TRANSPOSED_PLANES
        return (lists * (capacity + self.kernel_width) + self.groups * sum_planes) * _WORD_BYTES


def geometry(program: Program, step: Step) -> BinaryGeometry:
    """Geometry of a convolution or fully connected step that reads bit planes.

    Raises:
        UnsupportedLayerError: any other step, or a fused pool.
    """
    if not program.binary(step) or step.operator not in (Operator.CONV, Operator.FULLY_CONNECTED) or step.pool > 1:
        raise UnsupportedLayerError(
            "a step on bit planes must be a convolution without fused pool or a fully connected layer",
            value=f"{step.name} ({step.operator})",
            remedy="add a kernel to firmware_templates/runtime, packing/xnor.py and analytic/kernels/xnor.py",
        )
    source, out = program.tensors[step.inputs[0]], program.tensors[step.output]
    whole_map = step.operator is Operator.FULLY_CONNECTED
    return BinaryGeometry(
        input_height=source.shape.height,
        input_width=source.shape.width,
        input_channels=source.shape.channels,
        output_height=out.shape.height,
        output_width=out.shape.width,
        output_channels=out.shape.channels,
        kernel_height=source.shape.height if whole_map else step.kernel,
        kernel_width=source.shape.width if whole_map else step.kernel,
        stride=1 if whole_map else step.stride,
        padding=0 if whole_map else step.padding,
        activation_bits=source.bits,
        weight_bits=step.weight_bits,
        output_bits=out.bits,
    )


def footprint(program: Program, step: Step) -> KernelFootprint:
    """Footprint of a step that reads or writes bit planes.

    Raises:
        UnsupportedLayerError: no kernel computes this step.
    """
    if step.operator is Operator.PACK and program.tensors[step.output].element is Element.BITS:
        bits = program.tensors[step.output].bits
        return KernelFootprint(
            kernel="ts_pack_s8",
            scratch_bytes=_PACK_TABLE_BYTES if bits > 1 else 0,
            parameter_bytes=((1 << bits) - 1) * _WORD_BYTES,
        )
    binary = geometry(program, step)
    return KernelFootprint(
        kernel="ts_xnor_conv_bits" if binary.output_bits else "ts_xnor_conv_s8",
        scratch_bytes=binary.scratch_bytes,
        parameter_bytes=binary.parameter_bytes,
    )
