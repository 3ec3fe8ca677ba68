"""Constants of the steps that the vector unit of the ESP32-P4 computes: one block of bytes a layer.

The layouts are those of ``firmware_templates/esp_idf/components/backend_xespv/include/ts_xespv_layout.h``.
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
from tinysearch.firmware.packing.pie.block import LINE
from tinysearch.firmware.packing.xespv import convolution, depthwise, pools
from tinysearch.operators.record import KernelFootprint


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
    """One function of the backend, ``ts_xespv_<name>``.

    Attributes:
        block: constants of a step.
        block_bytes: of the constants.
        scratch: bytes of scratch of a step, as the block tells the chip.
        supports: whether it computes a step of its operator and elements.
    """

    name: str
    block: Callable[[FrozenNetwork, Step], npt.NDArray[np.int8]]
    block_bytes: Callable[[Program, Step], int]
    scratch: Callable[[Program, Step], int]
    supports: Callable[[Program, Step], bool] = _always


_KERNELS = (
    Kernel(
        name="conv_s8",
        block=convolution.convolution,
        block_bytes=convolution.convolution_bytes,
        scratch=convolution.convolution_scratch,
    ),
    Kernel(
        name="depthwise_s8",
        block=depthwise.depthwise,
        block_bytes=depthwise.depthwise_bytes,
        scratch=depthwise.depthwise_scratch,
        supports=depthwise.depthwise_supported,
    ),
    Kernel(name="max_pool_s8", block=pools.max_pool, block_bytes=_fixed(pools.MAX_POOL_BYTES), scratch=_fixed(0)),
    Kernel(
        name="average_s8",
        block=pools.average,
        block_bytes=_fixed(pools.AVERAGE_BYTES),
        scratch=_fixed(pools.AVERAGE_SCRATCH_BYTES),
        supports=pools.averages,
    ),
)
KERNELS = tuple(kernel.name for kernel in _KERNELS)
"""In the order of ``ts_xespv_operator``; the C functions are ``ts_xespv_<kernel>``."""

_BY_NAME = {kernel.name: kernel for kernel in _KERNELS}

_INT8: Mapping[str, str] = {
    Operator.CONV: "conv_s8",
    Operator.FULLY_CONNECTED: "conv_s8",
    Operator.DEPTHWISE: "depthwise_s8",
    Operator.SCALE: "depthwise_s8",
    Operator.MAX_POOL: "max_pool_s8",
    Operator.AVERAGE: "average_s8",
}
"""Kernels of steps from int8 to int8."""


def kernel(program: Program, step: Step) -> Kernel | None:
    """The kernel of a step, None where there is none."""
    elements = {program.tensors[name].element for name in (step.inputs[0], step.output)}
    name = _INT8.get(step.operator) if elements == {Element.INT8} else None
    found = None if name is None else _BY_NAME[name]
    return found if found is not None and found.supports(program, step) else None


def constant_bytes(program: Program, step: Step) -> int:
    """Bytes of the constants of a step.

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
        in_place=None,
    )


def pack(frozen: FrozenNetwork, step: Step) -> PackedStep:
    """Constants of one step for ``ts_xespv_step``.

    Raises:
        UnsupportedLayerError: no kernel computes it.
    """
    found = _known(frozen.program, step)
    return PackedStep(
        function="ts_xespv_step",
        layer_type="ts_xespv_layer",
        header="ts_xespv.h",
        fields={"op": KERNELS.index(found.name)},
        arrays={"block": found.block(frozen, step)},
        aligned=LINE,
    )


def _known(program: Program, step: Step) -> Kernel:
    found = kernel(program, step)
    if found is None:
        raise UnsupportedLayerError(
            "the backend xespv must have a kernel for the step",
            value=f"{step.name}: {step.operator}",
            remedy="leave the step to the portable kernel",
        )
    return found
