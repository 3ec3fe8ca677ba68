"""Constants of the steps that ESP-NN computes: plain weights, bias and shifts as TFLite has them.

The layouts are those of ``firmware_templates/esp_idf/components/backend_esp_nn/include/ts_esp_nn.h``, after ESP-NN's
headers ``esp_nn_defs.h`` and ``esp_nn_ansi_headers.h`` (github.com/espressif/esp-nn, version 1.2).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from tinysearch.analytic.flash import array_bytes
from tinysearch.core.errors import UnsupportedLayerError
from tinysearch.core.network import Operator
from tinysearch.core.program import Array, FrozenNetwork, Program, Step
from tinysearch.core.quantization import INT8_LOW
from tinysearch.firmware.packing import PackedStep

OPERATORS: Mapping[str, str] = {
    Operator.CONV: "CONV",
    Operator.DEPTHWISE: "DEPTHWISE",
    Operator.SCALE: "DEPTHWISE",
    Operator.FULLY_CONNECTED: "FULLY_CONNECTED",
    Operator.ADD: "ADD",
    Operator.MAX_POOL: "MAX_POOL",
}
"""ESP-NN's operator of a step, as the header names it after ``TS_ESP_NN_``."""

_ORDER = ("CONV", "DEPTHWISE", "FULLY_CONNECTED", "ADD", "MAX_POOL")


def pack(frozen: FrozenNetwork, step: Step) -> PackedStep:
    """Constants of one int8 step for ``ts_esp_nn_step``.

    Raises:
        UnsupportedLayerError: ESP-NN has no function for this operator.
    """
    if step.operator not in OPERATORS:
        raise UnsupportedLayerError(
            "a step of ESP-NN must be a convolution, a fully connected layer, an addition or a max pool",
            value=f"{step.name}: {step.operator}",
            remedy="leave the step to the portable kernel",
        )
    name = OPERATORS[step.operator]
    source, out = frozen.program.tensors[step.inputs[0]].shape, frozen.program.tensors[step.output].shape
    flat = name == "FULLY_CONNECTED"
    zeros = [frozen.zero_points.get(tensor, 0) for tensor in step.inputs]
    pool = name == "MAX_POOL"
    out_zero = frozen.zero_points[step.output]
    return PackedStep(
        function="ts_esp_nn_step",
        layer_type="ts_esp_nn_layer",
        header="ts_esp_nn.h",
        fields={
            "op": _ORDER.index(name),
            "in_height": 1 if flat else source.height,
            "in_width": 1 if flat else source.width,
            "in_channels": source.elements if flat else source.channels,
            "out_height": out.height,
            "out_width": out.width,
            "out_channels": out.channels,
            "kernel": step.pool if pool else step.kernel,
            "stride": step.pool if pool else step.stride,
            "padding": 0 if pool else step.padding,
            "in_zero": (zeros[0], zeros[1] if len(zeros) > 1 else 0),
            "out_zero": out_zero,
            "low": out_zero if step.relu else INT8_LOW,
        },
        arrays=_arrays(frozen, step, depthwise=name == "DEPTHWISE"),
        aligned=16,
    )


def constant_bytes(program: Program, step: Step) -> int:
    """Bytes of the arrays of a step, each at a multiple of 16."""
    shape = program.weight_shape(step)
    if not shape:
        factors = len(step.inputs) + 1 if step.operator == Operator.ADD else 0
        return array_bytes((4 * factors, 4 * factors))
    return array_bytes((math.prod(shape), *(4 * shape[0] for _ in ("bias", "multiplier", "shift"))))


def _arrays(frozen: FrozenNetwork, step: Step, *, depthwise: bool) -> dict[str, Array]:
    parameters = frozen.parameters.get(step.name, {})
    arrays: dict[str, Array] = {}
    if "weights" in parameters:
        weights = parameters["weights"]
        ordered = np.moveaxis(weights, 0, -1) if depthwise else weights
        arrays["weights"] = np.ascontiguousarray(ordered).reshape(-1).astype(np.int8)
        arrays["bias"] = parameters["bias"].astype(np.int32)
    if "multiplier" in parameters:
        arrays["multiplier"] = parameters["multiplier"].astype(np.int32)
        arrays["shift"] = -parameters["shift"].astype(np.int32)
    return arrays
