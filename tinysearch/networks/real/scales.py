"""QuantizeLinear and DequantizeLinear: scales that the author gave to a tensor."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from tinysearch.networks.graph import Quantization
from tinysearch.networks.operators.kind import Unfit, require
from tinysearch.networks.real.step import AGAIN, Operand, Step

_UINT8_SHIFT = 128
"""A uint8 tensor is the int8 tensor of the same reals whose zero point is lower by this."""


def _quantize(step: Step) -> list[Operand]:
    """The same tensor, with its scale noted; one that has another scale already becomes a table."""
    build, value = step.build, step.value()
    scale = step.reals(1, "scales").astype(np.float32)
    require(scale.size == 1 and bool(np.isfinite(scale).all() and scale.min() > 0), "has odd scales", AGAIN)
    zero, low = 0, 0
    if step.operand(2) is not None:
        stored = step.known(2, "zero points").values
        require(stored.dtype in (np.int8, np.uint8), f"has {stored.dtype} values", "quantize to 8 bits")
        zero, low = int(stored.reshape(-1)[0]), int(np.iinfo(stored.dtype).min)
    if low == 0:
        zero -= _UINT8_SHIFT
    quantization = Quantization(scales=scale.reshape(1), zero_points=np.array([zero], np.int64))
    node = build.producer(value.tensor)
    noted = build.tensors[value.tensor].quantization
    if noted is None and (step.alone() or node is None):
        build.quantized(value.tensor, quantization)
        return [value]
    if noted is not None and noted.scale == quantization.scale and noted.zero_point == quantization.zero_point:
        return [value]
    found = build.pointwise(value, "Quantize", lambda x: x, step.name)
    build.quantized(found.tensor, quantization)
    return [found]


def _dequantize(step: Step) -> list[Operand]:
    value = step.value()
    if step.build.tensors[value.tensor].quantization is None:
        raise Unfit("reads a tensor that nothing quantized", "use float inputs")
    return [value]


SCALES: Mapping[str, Callable[[Step], list[Operand]]] = {
    "QuantizeLinear": _quantize,
    "DequantizeLinear": _dequantize,
}
