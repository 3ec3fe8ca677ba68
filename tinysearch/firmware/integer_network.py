"""The oracle: executes a frozen network in NumPy exactly as the C runtime does.

Each step is computed by the record of its operator (:mod:`tinysearch.operators`). int8 and XNOR networks are exact;
each step of a float32 network is computed in double precision and rounded once, which on every machine gives the same
float32 values but for ties; the C runtime adds in float32, so the two agree within rounding.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tinysearch.core.network import INPUT
from tinysearch.core.program import Array, FrozenNetwork, Step
from tinysearch.core.quantization import INPUT_SCALE
from tinysearch.operators import record_of

_BATCH = 16


def run(frozen: FrozenNetwork, inputs: npt.NDArray[np.int8]) -> npt.NDArray[np.int8] | npt.NDArray[np.float32]:
    """Embeddings of a batch.

    Args:
        frozen: the network.
        inputs: int8 [N, height, width, channels] (byte - 128).

    Returns:
        [N, E], int8 for int8 and XNOR networks, float32 for float32.
    """
    output = frozen.program.output.name
    parts = [trace(frozen, inputs[start : start + _BATCH])[output] for start in range(0, len(inputs), _BATCH)]
    return np.concatenate([part.reshape(len(part), -1) for part in parts])


def trace(frozen: FrozenNetwork, inputs: npt.NDArray[np.int8]) -> dict[str, Array]:
    """Every tensor by name for a small batch: [N, height, width, channels].

    Tensors of bit planes are given as levels (int8, 0 .. 2^A - 1), one a channel, not packed.
    """
    program = frozen.program
    tensors: dict[str, Array] = {INPUT: np.ascontiguousarray(inputs)}
    for step in program.steps:
        tensors[step.output] = execute(frozen, step, [tensors[name] for name in step.inputs])
    return tensors


def execute(frozen: FrozenNetwork, step: Step, sources: list[Array]) -> Array:
    """Output of one step for a small batch, from its inputs as :func:`trace` gives them."""
    record = record_of(step)
    if frozen.program.precision.kind != "float32":
        return record.integer(frozen, step, sources)
    values = [source * INPUT_SCALE if source.dtype == np.int8 else source.astype(np.float64) for source in sources]
    result = record.real(frozen, step, values).astype(np.float32)
    return np.maximum(result, np.float32(0)) if step.relu else result
