"""What the values of an addition's inputs become before they are added: an input has only 256."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tinysearch.core.program import FrozenNetwork, Step
from tinysearch.core.quantization import doubling_high_multiply, rounding_shift_right
from tinysearch.operators.add import LEFT_SHIFT


def addends(frozen: FrozenNetwork, step: Step) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Of the left and of the right input, [256] by the byte of a value: those from 0 to 127 come first."""
    parameters = frozen.parameters[step.name]
    multiplier, shift = (np.asarray(parameters[key]).astype(np.int64) for key in ("multiplier", "shift"))
    values = np.arange(256).astype(np.uint8).view(np.int8).astype(np.int64)
    left, right = (
        rounding_shift_right(
            doubling_high_multiply((values - frozen.zero_points[name]) << LEFT_SHIFT, multiplier[side]), shift[side]
        )
        for side, name in enumerate(step.inputs)
    )
    return left, right
