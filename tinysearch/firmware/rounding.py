"""How far apart two computations of one float32 network may be where each adds in its own order.

The C code adds term by term, NumPy in blocks, a chip with a multiply-add rounds once where others round twice: all are
right. A sum of n terms errs, in any order, by about sqrt(n) * 2^-24 of the sum of their magnitudes (N. J. Higham and
T. Mary, "A new approach to probabilistic rounding error analysis", SIAM J. Sci. Comput. 41(5), 2019); later steps carry
that on by their weights, where a ReLU lets it pass. Errors of different terms being independent, their squares add.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from tinysearch.core.network import INPUT
from tinysearch.core.program import Array, FrozenNetwork
from tinysearch.core.quantization import COSINE_FRACTION_BITS, INPUT_SCALE
from tinysearch.firmware.integer_network import execute
from tinysearch.operators import record_of

LEAST_TOLERANCE = 1e-5
"""Of an embedding's largest value: what every float32 network may differ by."""

_BATCH = 64
_COMPUTATIONS = 2


def tolerances(frozen: FrozenNetwork, inputs: npt.NDArray[np.int8]) -> npt.NDArray[np.float64]:
    """What embeddings of a float32 network may differ by, as fractions of the largest value of each: [N].

    Args:
        frozen: the network.
        inputs: int8 [N, height, width, channels].
    """
    parts = [_spreads(frozen, inputs[start : start + _BATCH]) for start in range(0, len(inputs), _BATCH)]
    return np.maximum(np.concatenate(parts) * math.sqrt(_COMPUTATIONS), LEAST_TOLERANCE)


def widest_tolerance(frozen: FrozenNetwork, inputs: npt.NDArray[np.int8]) -> float:
    """The largest of :func:`tolerances`, as a float32; 0 for a network of integers, which are exact."""
    if frozen.program.precision.kind != "float32":
        return 0.0
    return float(np.float32(tolerances(frozen, inputs).max()))


def score_tolerance(tolerance: float) -> int:
    """What so much in both embeddings can move the fixed-point cosine by; as in firmware_templates/host/main.c."""
    return math.ceil(1.5 * tolerance * (1 << COSINE_FRACTION_BITS))


def _spreads(frozen: FrozenNetwork, inputs: npt.NDArray[np.int8]) -> npt.NDArray[np.float64]:
    """Largest standard deviation of the rounding errors of each embedding, over its largest value."""
    program = frozen.program
    values: dict[str, Array] = {INPUT: inputs * np.float32(INPUT_SCALE)}
    variances: dict[str, Array] = {INPUT: np.zeros(inputs.shape)}
    for step in program.steps:
        found = execute(frozen, step, [values[name] for name in step.inputs])
        sources = [values[name].astype(np.float64) for name in step.inputs]
        spread = record_of(step).rounding(frozen, step, sources, [variances[name] for name in step.inputs])
        values[step.output] = found
        variances[step.output] = np.where(found > 0, spread, 0.0) if step.relu else spread
    output = program.output.name
    deviations, sizes = (np.sqrt(variances[output]), np.abs(values[output]))
    largest = (rows.reshape(len(inputs), -1).max(axis=1).astype(np.float64) for rows in (deviations, sizes))
    deviation, size = largest
    return np.asarray(np.divide(deviation, size, out=np.zeros_like(size), where=size > 0))
