"""From the parameters of a frozen step to the constants of a C layer, by portable kernels or those of a backend."""

from __future__ import annotations

from tinysearch.core.program import FrozenNetwork, Step
from tinysearch.operators import record_of
from tinysearch.operators.record import PackedStep

__all__ = ["PackedStep", "pack"]


def pack(frozen: FrozenNetwork, step: Step) -> PackedStep:
    """Constants of one step for its portable kernel.

    Raises:
        UnsupportedLayerError: no kernel computes this step, or its sums may overflow.
    """
    return record_of(step).pack(frozen, step)
