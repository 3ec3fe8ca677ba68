"""Constants of the steps that the vector unit of the ESP32-S3 computes: one block of bytes a layer.

The layouts are those of ``firmware_templates/esp_idf/components/backend_pie/include/ts_pie_layout.h``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from tinysearch.core.errors import UnsupportedLayerError
from tinysearch.core.program import Element, FrozenNetwork, Operator, Program, Step
from tinysearch.firmware.packing import PackedStep
from tinysearch.firmware.packing.pie import int8, xnor
from tinysearch.firmware.packing.pie.block import LINE

KERNELS = ("conv_s8", "fully_connected_s8", "xnor_conv", "depthwise_s8", "add_s8")
"""In the order of ``ts_pie_operator``; the C functions are ``ts_pie_<kernel>``."""

_PACKERS: dict[str, Callable[[FrozenNetwork, Step], npt.NDArray[np.int8]]] = {
    "conv_s8": int8.convolution,
    "fully_connected_s8": int8.fully_connected,
    "xnor_conv": xnor.convolution,
    "depthwise_s8": int8.depthwise,
    "add_s8": int8.addition,
}

_INT8 = {
    Operator.CONV: "conv_s8",
    Operator.FULLY_CONNECTED: "fully_connected_s8",
    Operator.DEPTHWISE: "depthwise_s8",
    Operator.ADD: "add_s8",
}
"""Kernels of steps from int8 to int8."""


def kernel(program: Program, step: Step) -> str | None:
    """Which of :data:`KERNELS` computes a step, None where none does."""
    source, out = program.tensors[step.inputs[0]], program.tensors[step.output]
    if source.element is Element.INT8 and out.element is Element.INT8:
        if step.operator is Operator.DEPTHWISE and (step.pool > 1 or step.kernel**2 > int8.MOST_PLACES):
            return None
        return _INT8.get(step.operator)
    if program.binary(step) and xnor.supported(program, step):
        return "xnor_conv"
    return None


def wins(program: Program, step: Step) -> bool:
    """Whether a step that has a kernel is better computed by it than by the portable one."""
    return not program.binary(step) or xnor.wins(program, step)


def pack(frozen: FrozenNetwork, step: Step) -> PackedStep:
    """Constants of one step for ``ts_pie_step``.

    Raises:
        UnsupportedLayerError: no kernel computes it.
    """
    name = kernel(frozen.program, step)
    if name is None:
        raise UnsupportedLayerError(
            "the backend pie must have a kernel for the step",
            value=f"{step.name}: {step.operator}",
            remedy="leave the step to the portable kernel",
        )
    return PackedStep(
        function="ts_pie_step",
        layer_type="ts_pie_layer",
        header="ts_pie.h",
        fields={"op": KERNELS.index(name)},
        arrays={"block": _PACKERS[name](frozen, step)},
        aligned=LINE,
    )
