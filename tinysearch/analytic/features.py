"""What a kernel does to compute a step, counted: the quantities that time is linear in.

| feature | coefficient | counts |
|---|---|---|
| ``macs`` | ``per_mac`` | multiply-accumulates of the layer |
| ``lane_macs`` | ``per_lane_mac`` | those that the kernel executes, with what fills up its tiles, groups and lanes |
| ``patch`` | ``per_patch`` | values gathered for windows |
| ``rows`` | ``per_row`` | contiguous pieces in which they are gathered |
| ``moved`` | ``per_move`` | values kept between binary windows; for depthwise, rows of windows; for signs, codes |
| ``sums`` | ``per_sum`` | accumulators set up and put away; for a copy, planes |
| ``outputs`` | ``per_output`` | values written; for an average and a packing, values read |
| ``steps`` | ``per_step`` | 1, the call |

A feature that an operator does not have is 0; what it has is counted by its record (:mod:`tinysearch.operators`). The
int8 kernels of depthwise convolutions and max pools have a loop written out for one side and a general one; work in the
latter counts as ``lane_macs`` (depthwise), ``patch`` and ``rows`` (max pool). Tiles, sections and lists are those of
``firmware_templates/runtime``.
"""

from __future__ import annotations

from tinysearch.core.program import Program, Step
from tinysearch.operators import record_of

FEATURES = ("macs", "lane_macs", "patch", "rows", "moved", "sums", "outputs", "steps")
COEFFICIENTS = (
    *("per_mac", "per_lane_mac", "per_patch", "per_row"),
    *("per_move", "per_sum", "per_output", "per_step"),
)
"""Cycles for one of each feature, as a table spells them; one that it leaves out is 0."""


def step_features(program: Program, step: Step) -> dict[str, float]:
    """Features of one step, by the names of :data:`FEATURES`."""
    outputs = program.tensors[step.output].shape.elements
    counted = dict.fromkeys(FEATURES, 0.0) | {"macs": step.macs, "outputs": outputs, "steps": 1}
    return {name: float(value) for name, value in (counted | dict(record_of(step).features(program, step))).items()}


def arithmetic_of(program: Program, step: Step) -> str:
    """The arithmetic that a step's kernel computes in: an XNOR network also runs int8 kernels."""
    writes_bits = program.tensors[step.output].bits > 0
    if program.precision.kind == "xnor" and not program.binary(step) and not writes_bits:
        return "int8"
    return program.precision.arithmetic
