"""A latency model that knows single steps, as evaluation uses it: whole programs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from tinysearch.analytic.latency import PORTABLE, Accelerated, Floats, LatencyTable
from tinysearch.core.errors import UserError
from tinysearch.core.program import Program, Step
from tinysearch.core.protocols import LatencyEstimate, LatencyModel
from tinysearch.core.provenance import Sourced


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StepwiseLatency:
    """Programs by the sum of their steps.

    Attributes:
        model: asked for each step, weights in flash.
        table: gives what a step does not tell: acquisition, and contention of two branches.
    """

    model: LatencyModel
    table: LatencyTable
    _seconds: dict[tuple[str, bool], dict[Program, float]] = field(default_factory=dict, init=False, repr=False)

    @property
    def acquisition_s(self) -> Mapping[str, Sourced]:
        """Seconds that sensing takes, by modality."""
        return self.table.acquisition_s

    def contention(self, processor: str) -> float:
        """Factor on the longer of two branches that run at once."""
        return self.table.contention(processor)

    def program(
        self, program: Program, *, processor: str, arena_in_psram: bool, accelerated: Accelerated = PORTABLE
    ) -> LatencyEstimate:
        """Seconds of one inference of a branch on one core.

        The model is asked for portable kernels; where a backend computes some steps, these times stand for it and the
        sum is not calibrated.

        Raises:
            UnsupportedLayerError: the model does not know a step or the processor.
            UserError: what it gives is no time.
        """
        parts = [self._step(program, step, processor, arena_in_psram) for step in program.steps]
        return LatencyEstimate(
            seconds=sum(part.seconds for part in parts),
            low=sum(part.low for part in parts),
            high=sum(part.high for part in parts),
            calibrated=all(part.calibrated for part in parts) and not accelerated.steps,
        )

    def programs(self, programs: Sequence[Program], *, processor: str, arena_in_psram: bool) -> Floats:
        """Seconds of each of some programs by the portable kernels, float64 [programs].

        The model is asked once for each, however often these are wanted.

        Raises:
            UnsupportedLayerError, UserError: as :meth:`program` does.
        """
        known = self._seconds.setdefault((processor, arena_in_psram), {})
        for program in programs:
            if program not in known:
                found = self.program(program, processor=processor, arena_in_psram=arena_in_psram)
                known[program] = found.seconds
        return np.array([known[program] for program in programs])

    def _step(self, program: Program, step: Step, processor: str, arena_in_psram: bool) -> LatencyEstimate:  # noqa: FBT001
        part = self.model.step(program, step, processor=processor, weights_in_flash=True, arena_in_psram=arena_in_psram)
        # Compared so that NaN is refused, too.
        if not (0 < part.low <= part.seconds <= part.high and math.isfinite(part.high)):
            raise UserError(
                "a latency model must give 0 < low <= seconds <= high for every step",
                value=f"{part.low}, {part.seconds}, {part.high} for {step.name} on {processor}",
                remedy="raise UnsupportedLayerError for what the model does not know",
            )
        return part
