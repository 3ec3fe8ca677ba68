"""What each kernel of the C runtime asks of a board: scratch in the arena and parameters in flash.

The formulas stand in the operators' records (:mod:`tinysearch.operators`), beside the constants that are packed and
the arithmetic that is computed; tests hold them to the scratch-size functions of ``firmware_templates/runtime``.
"""

from __future__ import annotations

from functools import lru_cache

from tinysearch.core.program import Program, Step
from tinysearch.operators import record_of
from tinysearch.operators.record import KernelFootprint


@lru_cache(maxsize=1 << 16)
def footprint(program: Program, step: Step) -> KernelFootprint:
    """Footprint of one step, found once for plans, flash and code.

    Raises:
        UnsupportedLayerError: no kernel computes this step.
    """
    return record_of(step).footprint(program, step)
