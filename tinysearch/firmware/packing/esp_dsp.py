"""Constants of the steps that the dot product of ESP-DSP computes: plain rows of weights, padded for its SIMD loads.

The layout is that of ``firmware_templates/esp_idf/components/backend_esp_dsp/include/ts_esp_dsp.h``, after
``dsps_dotprod.h`` (github.com/espressif/esp-dsp).
"""

from __future__ import annotations

import math

import numpy as np

from tinysearch.analytic.flash import array_bytes
from tinysearch.core.errors import UnsupportedLayerError
from tinysearch.core.network import Operator
from tinysearch.core.program import FrozenNetwork, Program, Step
from tinysearch.firmware.packing import PackedStep
from tinysearch.operators.counts import padded

_LANES = 4
"""Floats that the SIMD dot product loads at once; rows of other lengths take its slower path."""


def pack(frozen: FrozenNetwork, step: Step) -> PackedStep:
    """Constants of one float32 step for ``ts_esp_dsp_step``.

    Raises:
        UnsupportedLayerError: not a sum of products with shared inputs.
    """
    if step.operator not in (Operator.CONV, Operator.FULLY_CONNECTED):
        raise UnsupportedLayerError(
            "a step of ESP-DSP must be a convolution or a fully connected layer",
            value=f"{step.name}: {step.operator}",
            remedy="leave the step to the portable kernel",
        )
    source, out = frozen.program.tensors[step.inputs[0]].shape, frozen.program.tensors[step.output].shape
    flat = step.operator == Operator.FULLY_CONNECTED
    weights = frozen.parameters[step.name]["weights"].astype(np.float32)
    rows = weights.reshape(len(weights), -1)
    rows = np.pad(rows, ((0, 0), (0, -rows.shape[1] % _LANES)))
    return PackedStep(
        function="ts_esp_dsp_step",
        layer_type="ts_esp_dsp_layer",
        header="ts_esp_dsp.h",
        fields={
            "in_height": 1 if flat else source.height,
            "in_width": 1 if flat else source.width,
            "in_channels": source.elements if flat else source.channels,
            "out_height": out.height,
            "out_width": out.width,
            "out_channels": out.channels,
            "kernel": 1 if flat else step.kernel,
            "stride": 1 if flat else step.stride,
            "padding": 0 if flat else step.padding,
            "row": rows.shape[1],
            "relu": int(step.relu),
        },
        arrays={
            "weights": np.ascontiguousarray(rows).reshape(-1),
            "bias": frozen.parameters[step.name]["bias"].astype(np.float32),
        },
        aligned=16,
    )


def constant_bytes(program: Program, step: Step) -> int:
    """Bytes of the arrays of a step, each at a multiple of 16."""
    outputs, *row = program.weight_shape(step)
    return array_bytes((4 * outputs * padded(math.prod(row), _LANES), 4 * outputs))
