"""Constants of the steps that the vector unit of the ESP32-S3 computes: one block of bytes a layer.

The layouts are those of ``firmware_templates/esp_idf/components/backend_pie/include/ts_pie_layout.h``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from tinysearch.analytic.kernels import footprint as portable_footprint
from tinysearch.core.errors import UnsupportedLayerError
from tinysearch.core.network import Operator
from tinysearch.core.program import Element, FrozenNetwork, Program, Step
from tinysearch.firmware.packing import PackedStep
from tinysearch.firmware.packing.pie import bits, int8, pools, xnor
from tinysearch.firmware.packing.pie.block import LINE
from tinysearch.operators.record import KernelFootprint

Fits = Callable[[Program, Step], bool]


def _always(program: Program, step: Step) -> bool:
    del program, step
    return True


def _fixed(size_bytes: int) -> Callable[[Program, Step], int]:
    def size(program: Program, step: Step) -> int:
        del program, step
        return size_bytes

    return size


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """One function of the backend, ``ts_pie_<name>``.

    Attributes:
        block: constants of a step.
        block_bytes: of the constants, or the most that they may be where this is the weights' affair.
        scratch: bytes of scratch of a step, as the block tells the chip.
        supports: whether it computes a step of its operator and elements.
        overwrites: whether the output may take the place of an input where that of the portable kernel may.
    """

    name: str
    block: Callable[[FrozenNetwork, Step], npt.NDArray[np.int8]]
    block_bytes: Callable[[Program, Step], int]
    scratch: Callable[[Program, Step], int]
    supports: Fits = _always
    overwrites: Fits = _always


_KERNELS = (
    Kernel(
        name="conv_s8",
        block=int8.convolution,
        block_bytes=int8.convolution_bytes,
        scratch=int8.convolution_scratch,
        overwrites=int8.convolution_overwrites,
    ),
    Kernel(
        name="fully_connected_s8",
        block=int8.fully_connected,
        block_bytes=int8.fully_connected_bytes,
        scratch=int8.fully_connected_scratch,
    ),
    Kernel(
        name="xnor_conv",
        block=xnor.convolution,
        block_bytes=xnor.most_bytes,
        scratch=xnor.scratch,
        supports=xnor.supported,
    ),
    Kernel(
        name="depthwise_s8",
        block=int8.depthwise,
        block_bytes=int8.depthwise_bytes,
        scratch=int8.depthwise_scratch,
        supports=int8.depthwise_supported,
        overwrites=int8.depthwise_overwrites,
    ),
    Kernel(
        name="add_s8",
        block=int8.addition,
        block_bytes=int8.addition_bytes,
        scratch=_fixed(int8.ADDITION_SCRATCH_BYTES),
    ),
    Kernel(name="max_pool_s8", block=pools.max_pool, block_bytes=_fixed(pools.MAX_POOL_BYTES), scratch=_fixed(LINE)),
    Kernel(
        name="average_s8",
        block=pools.average,
        block_bytes=_fixed(pools.AVERAGE_BYTES),
        scratch=_fixed(pools.AVERAGE_SCRATCH_BYTES),
        supports=pools.averages,
    ),
    Kernel(name="pack_s8", block=bits.packing, block_bytes=bits.packing_bytes, scratch=_fixed(0)),
)
KERNELS = tuple(kernel.name for kernel in _KERNELS)
"""In the order of ``ts_pie_operator``; the C functions are ``ts_pie_<kernel>``."""

_BY_NAME = {kernel.name: kernel for kernel in _KERNELS}

_INT8: Mapping[str, str] = {
    Operator.CONV: "conv_s8",
    Operator.FULLY_CONNECTED: "fully_connected_s8",
    Operator.DEPTHWISE: "depthwise_s8",
    Operator.SCALE: "depthwise_s8",
    Operator.ADD: "add_s8",
    Operator.MAX_POOL: "max_pool_s8",
    Operator.AVERAGE: "average_s8",
}
"""Kernels of steps from int8 to int8."""


_SCALED_WIDTH = 8
"""Pixels of a row from which on a scale is worth tiles of 16: one alone takes 104 instructions a value, portable 69."""


def kernel(program: Program, step: Step) -> Kernel | None:
    """The kernel of a step, None where there is none."""
    elements = program.tensors[step.inputs[0]].element, program.tensors[step.output].element
    if elements == (Element.INT8, Element.INT8):
        name = _INT8.get(step.operator)
    elif program.binary(step):
        name = "xnor_conv"
    else:
        name = "pack_s8" if elements == (Element.INT8, Element.BITS) and step.operator == Operator.PACK else None
    found = None if name is None else _BY_NAME[name]
    return found if found is not None and found.supports(program, step) else None


def wins(program: Program, step: Step) -> bool:
    """Whether a step that has a kernel is better computed by it than by the portable one."""
    if step.operator == Operator.SCALE:
        return program.tensors[step.output].shape.width >= _SCALED_WIDTH
    return not program.binary(step) or xnor.wins(program, step)


def constant_bytes(program: Program, step: Step) -> int:
    """Bytes of the constants of a step; of binary layers the most that they may be, as weights make lists.

    Raises:
        UnsupportedLayerError: no kernel of the backend computes it.
    """
    return _known(program, step).block_bytes(program, step)


def footprint(program: Program, step: Step) -> KernelFootprint:
    """What a step asks of the arena when either kernel may compute it, as a device falls back to the portable one.

    Raises:
        UnsupportedLayerError: no kernel of the backend computes it.
    """
    found, portable = _known(program, step), portable_footprint(program, step)
    return replace(
        portable,
        scratch_bytes=max(portable.scratch_bytes, found.scratch(program, step)),
        in_place=portable.in_place if found.overwrites(program, step) else None,
    )


def pack(frozen: FrozenNetwork, step: Step) -> PackedStep:
    """Constants of one step for ``ts_pie_step``.

    Raises:
        UnsupportedLayerError: no kernel computes it.
    """
    found = _known(frozen.program, step)
    return PackedStep(
        function="ts_pie_step",
        layer_type="ts_pie_layer",
        header="ts_pie.h",
        fields={"op": KERNELS.index(found.name)},
        arrays={"block": found.block(frozen, step)},
        aligned=LINE,
    )


def _known(program: Program, step: Step) -> Kernel:
    found = kernel(program, step)
    if found is None:
        raise UnsupportedLayerError(
            "the backend pie must have a kernel for the step",
            value=f"{step.name}: {step.operator}",
            remedy="leave the step to the portable kernel",
        )
    return found
