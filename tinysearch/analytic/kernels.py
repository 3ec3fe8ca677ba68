"""What each kernel of the C runtime asks of a board: scratch in the arena and parameters in flash.

The formulas stand in the operators' records (:mod:`tinysearch.operators`), beside the constants that are packed and
the arithmetic that is computed; tests hold them to the scratch-size functions of ``firmware_templates/runtime``.
Networks of a space have many steps in common, so what is found of one is remembered for all.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from tinysearch.core.bands import split
from tinysearch.core.program import Program, Step
from tinysearch.operators import record_of
from tinysearch.operators.record import KernelFootprint

_T = TypeVar("_T")
_REMEMBERED = 1 << 16


def by_value(ask: Callable[[Program, Step], _T]) -> Callable[[Program, Step], _T]:
    """A question about a step, asked once of all programs in which it and its tensors are the same.

    Args:
        ask: must look at nothing of the program but its precision and the tensors of the step.
    """
    known: dict[object, _T] = {}

    @wraps(ask)
    def answer(program: Program, step: Step) -> _T:
        tensors = program.tensors
        key = (step, program.precision, tensors[step.output], *[tensors[name] for name in step.inputs])
        found = known.get(key)
        if found is None:
            if len(known) >= _REMEMBERED:
                known.clear()
            found = known[key] = ask(program, step)
        return found

    return answer


@by_value
def footprint(program: Program, step: Step) -> KernelFootprint:
    """Footprint of one step, found once for plans, flash and code.

    Raises:
        UnsupportedLayerError: no kernel computes this step.
    """
    return record_of(step).footprint(program, step)


@by_value
def half_footprints(program: Program, step: Step) -> tuple[KernelFootprint, ...]:
    """Footprints of the upper and the lower half of a shared step; one for both where they differ in their place alone.

    Raises:
        UnsupportedLayerError: no kernel computes this step.
    """
    upper, lower = split(program, step)
    kinds = (upper,) if upper.program is lower.program else (upper, lower)
    return tuple(footprint(part.program, part.step) for part in kinds)
