"""Shapes at which kernels are measured: one module an arithmetic, each with ``rows(rng) -> list[Row]``.

Peers' figures are instructions on RV32IMC that the project measured in November 2026 or their authors published; they
are printed for comparison and not measured by the runner.
"""

from __future__ import annotations

from dataclasses import dataclass

from ckernels import Case

from tinysearch.core.program import Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measured kernel call.

    Attributes:
        key: key of the result, or None for a row of the table only.
        label: what is measured, for the table.
        unit: what one unit of ``divisor`` is: MAC, element, output.
        divisor: units in one call; the figure is instructions a unit.
        target: figure to stay at or below, or None.
        peers: figures of other runtimes, as text.
        case: the call, whose batch may hold several samples; the last is counted.
        expected: the oracle's output.
        tolerance: relative to the largest value, 0 where bytes must be equal.
    """

    key: str | None
    label: str
    unit: str
    divisor: int
    target: float | None
    peers: str
    case: Case
    expected: Array
    tolerance: float = 0.0
