"""What each kernel of the C runtime asks of a board: scratch in the arena and parameters in flash.

One file an arithmetic, next to each other as the kernels are. The formulas mirror the scratch-size functions in
``firmware_templates/runtime`` and the arrays of :mod:`tinysearch.firmware.packing`; tests hold all three together.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from tinysearch.core.program import Element, Program, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelFootprint:
    """Needs of one step.

    Attributes:
        kernel: name of the C function.
        scratch_bytes: working memory during the step, 16-byte aligned in the arena.
        parameter_bytes: constants in flash, as packed for the kernel.
        in_place: index of the input that the output may overwrite when it dies here, or None.
    """

    kernel: str
    scratch_bytes: int
    parameter_bytes: int
    in_place: int | None = None


@lru_cache(maxsize=1 << 16)
def footprint(program: Program, step: Step) -> KernelFootprint:
    """Footprint of one step, found once for plans, flash and code.

    Raises:
        UnsupportedLayerError: no kernel computes this step.
    """
    from tinysearch.analytic.kernels import float32, int8, xnor

    if program.binary(step) or program.tensors[step.output].element is Element.BITS:
        return xnor.footprint(program, step)
    if program.precision.kind == "float32":
        return float32.footprint(program, step)
    return int8.footprint(program, step)
