"""ESP-NN's assembly for the ESP32-S3 in the model of its instructions, at the shapes where it is the maker's choice.

Only the ``.S`` functions are run: what ESP-NN's C does around them, such as copying the input with its padding, is not
counted. Outputs are compared with the oracle.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pie_cases import Layer

from tinysearch.core.program import Operator
from tinysearch.core.quantization import INT8_HIGH, INT8_LOW
from tinysearch.firmware.verify.simd.machine import Machine, copied
from tinysearch.firmware.verify.simd.machine import aligned as buffer

_GENERAL = "esp_nn_conv_s8_filter_aligned_input_padded_esp32s3"
_POINTWISE = "esp_nn_conv_s8_mult8_1x1_esp32s3"
_DEPTHWISE = "esp_nn_depthwise_conv_s8_mult1_3x3_padded_esp32s3"
_SOURCES = (
    *(f"src/convolution/{name}.S" for name in (_GENERAL, _POINTWISE, _DEPTHWISE)),
    "src/common/esp_nn_multiply_by_quantized_mult_esp32s3.S",
    "src/common/esp_nn_multiply_by_quantized_mult_ver1_esp32s3.S",
)
_SCRATCH_BYTES = 65536
_ROOM_BYTES = 256
_LINE = 16


class AssemblyOfEspNn:
    """The assembly of a copy of ESP-NN's source."""

    def __init__(self, path: Path) -> None:
        folders = (path / "include", path / "src/common")
        self._machine = Machine([path / name for name in _SOURCES], folders=folders, strict=False)

    def count(self, layer: Layer) -> int | None:
        """Instructions of a step that ESP-NN computes by one call of its assembly, None for all others.

        A max pool that our step fuses is taken afterwards and not counted.

        Raises:
            AssertionError: another output than the oracle's.
        """
        function = _function(layer)
        if function is None:
            return None
        program, step = layer.frozen.program, layer.step
        out = program.tensors[step.output].shape
        height, width = out.height * step.pool, out.width * step.pool
        output = buffer(height * width * out.channels)
        count = self._machine.run_words(function, _arguments(layer, function, output, height=height, width=width))
        made = output.reshape(out.height, step.pool, out.width, step.pool, out.channels).max(axis=(1, 3))
        np.testing.assert_array_equal(made.reshape(-1), layer.expected.reshape(-1), err_msg=function)
        return count


def _function(layer: Layer) -> str | None:
    """The function that ``esp_nn_conv_s8_esp32s3`` and its like choose."""
    program, step = layer.frozen.program, layer.step
    channels = program.tensors[step.inputs[0]].shape.channels
    if step.weight_bits != 8 or program.binary(step):
        return None
    if step.operator == Operator.DEPTHWISE:
        return _DEPTHWISE if step.kernel == 3 and step.pool == 1 and channels % _LINE == 0 else None
    if step.operator != Operator.CONV:
        return None
    if step.kernel == step.stride == 1 and not step.padding:
        return _POINTWISE if channels % 8 == 0 and step.pool == 1 else None
    return _GENERAL if step.kernel * channels >= _LINE else None


def _arguments(layer: Layer, function: str, output: np.ndarray, *, height: int, width: int) -> list[int | np.ndarray]:
    program, step = layer.frozen.program, layer.step
    channels = program.tensors[step.inputs[0]].shape.channels
    out = program.tensors[step.output].shape
    zero, out_zero = layer.frozen.zero_points.get(step.inputs[0], 0), layer.frozen.zero_points[step.output]
    border = ((step.padding, step.padding),) * 2 + ((0, 0),)
    padded = np.pad(layer.sources[0], border, constant_values=np.int8(zero))
    parameters = layer.frozen.parameters[step.name]
    weights = np.asarray(parameters["weights"])
    geometry: list[int | np.ndarray] = [_roomy(padded), padded.shape[1], padded.shape[0], channels, -zero]
    bias = _roomy(np.asarray(parameters["bias"], np.int32))
    scale = [
        _roomy(-np.asarray(parameters["shift"]).astype(np.int32)),
        _roomy(np.asarray(parameters["multiplier"], np.int32)),
        out_zero if step.relu else INT8_LOW,
        INT8_HIGH,
    ]
    if function == _DEPTHWISE:
        geometry += [step.stride, step.stride, _roomy(weights.transpose(1, 2, 0))]
        return [*geometry, bias, output, width, height, out_zero, *scale]
    if function == _GENERAL:
        rows = weights.reshape(out.channels, step.kernel, -1)
        rows = np.pad(rows, ((0, 0), (0, 0), (0, -rows.shape[2] % _LINE)))
        geometry += [step.stride, step.stride, _roomy(rows), step.kernel, step.kernel]
    else:
        geometry += [_roomy(weights)]
    return [*geometry, bias, output, width, height, out.channels, out_zero, *scale, buffer(_SCRATCH_BYTES)]


def _roomy(array: np.ndarray) -> np.ndarray:
    """The bytes of an array with room behind them, which ESP-NN reads lines of."""
    return copied(np.pad(np.ascontiguousarray(array).reshape(-1).view(np.int8), (0, _ROOM_BYTES)))
