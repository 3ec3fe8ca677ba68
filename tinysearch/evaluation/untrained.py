"""The error model of ``trainer=none``: nothing is trained, nothing is known of error rates."""

from __future__ import annotations

from collections.abc import Sequence

from tinysearch.core.candidate import BranchSpec
from tinysearch.core.error_rates import NO_ERROR_RATES, ErrorEvidence, ErrorRates
from tinysearch.core.protocols import ProgressCallback, TrainingRecord
from tinysearch.evaluation.source import ErrorSource


class NoErrors(ErrorSource):
    """Answers every question with "not known"; for searches whose objectives are analytic, and for quick looks."""

    evidence: ErrorEvidence = "none"
    needs_training = False

    def knows(self, branch: BranchSpec) -> bool:
        """Always: there is nothing to learn."""
        del branch
        return True

    def train(self, branch: BranchSpec, *, progress: ProgressCallback) -> TrainingRecord:
        """Nothing to do."""
        del progress
        return TrainingRecord(branch=branch, seconds=0.0, remembered=True)

    def error_rates(self, branches: Sequence[BranchSpec]) -> ErrorRates:
        """Rates that are not known."""
        del branches
        return NO_ERROR_RATES
