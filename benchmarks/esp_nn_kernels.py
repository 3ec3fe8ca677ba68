"""ESP-NN's assembly for the ESP32-S3 in the model of its instructions, at the shapes where it is the maker's choice.

Only the ``.S`` functions are run: what ESP-NN's C does around them, such as copying the input with its padding, is not
counted. Outputs are compared with the oracle.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pie_cases import Layer

from tinysearch.core.quantization import INT8_HIGH, INT8_LOW
from tinysearch.firmware.verify.simd.machine import Machine, copied
from tinysearch.firmware.verify.simd.machine import aligned as buffer

_FOLDER = "src/convolution"
_GENERAL = "esp_nn_conv_s8_filter_aligned_input_padded_esp32s3"
_POINTWISE = "esp_nn_conv_s8_mult8_1x1_esp32s3"
_FUNCTIONS = {
    "int8_conv3x3_64_64": _GENERAL,
    "int8_conv3x3_64_64_14x14": _GENERAL,
    "int8_conv1x1_64_64": _POINTWISE,
}
_SCRATCH_BYTES = 65536
_ROOM_BYTES = 256


def esp_nn_counts(path: Path, layers: dict[str, Layer]) -> dict[str, int]:
    """Instructions by key of the layers that ESP-NN computes by one call of its assembly.

    Raises:
        AssertionError: another output than the oracle's.
    """
    sources = [path / _FOLDER / f"{name}.S" for name in (_GENERAL, _POINTWISE)]
    sources.append(path / "src/common/esp_nn_multiply_by_quantized_mult_esp32s3.S")
    machine = Machine(sources, folders=(path / "include", path / "src/common"), strict=False)
    return {key: _count(machine, _FUNCTIONS[key], layer) for key, layer in layers.items() if key in _FUNCTIONS}


def _count(machine: Machine, function: str, layer: Layer) -> int:
    program, step = layer.frozen.program, layer.step
    source, out = program.tensors[step.inputs[0]].shape, program.tensors[step.output].shape
    zero = layer.frozen.zero_points.get(step.inputs[0], 0)
    border = ((step.padding, step.padding),) * 2 + ((0, 0),)
    padded = np.pad(layer.sources[0], border, constant_values=np.int8(zero))
    parameters = layer.frozen.parameters[step.name]
    output = buffer(out.elements)
    geometry: list[int | np.ndarray] = [_roomy(padded), padded.shape[1], padded.shape[0], source.channels, -zero]
    weights = _roomy(np.asarray(parameters["weights"]))
    if function == _GENERAL:
        geometry += [step.stride, step.stride, weights, step.kernel, step.kernel]
    else:
        geometry += [weights]
    count = machine.run_words(
        function,
        [
            *geometry,
            copied(np.asarray(parameters["bias"], np.int32)),
            output,
            out.width,
            out.height,
            out.channels,
            layer.frozen.zero_points[step.output],
            copied(-np.asarray(parameters["shift"]).astype(np.int32)),
            copied(np.asarray(parameters["multiplier"], np.int32)),
            INT8_LOW,
            INT8_HIGH,
            buffer(_SCRATCH_BYTES),
        ],
    )
    np.testing.assert_array_equal(output, layer.expected.reshape(-1), err_msg=function)
    return count


def _roomy(array: np.ndarray) -> np.ndarray:
    """The bytes of an array with room behind them, which ESP-NN reads lines of."""
    return copied(np.pad(np.ascontiguousarray(array).reshape(-1).view(np.int8), (0, _ROOM_BYTES)))
