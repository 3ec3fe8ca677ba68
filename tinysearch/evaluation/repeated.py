"""Branches trained several times with different seeds, of which the median one counts.

Of many noisy error rates the best ones are partly luck, so a front chosen from one training a branch is a little too
good to be true. A branch that was trained again is answered, emitted and reported as its repeat with the median error
on validation people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tinysearch.core.candidate import BranchSpec
from tinysearch.core.error_rates import ErrorEvidence, ErrorRates
from tinysearch.core.protocols import Dataset, ProgressCallback, TrainingProgress, TrainingRecord
from tinysearch.evaluation.memo import BranchMemo
from tinysearch.evaluation.source import ErrorSource
from tinysearch.evaluation.trained import TrainedErrors


class RepeatedErrors(ErrorSource):
    """Error model in which a branch is known once it is trained with every seed; others are answered as trained once.

    Args:
        models: one a seed, each with a memo of its own, the search's own first.
    """

    evidence: ErrorEvidence = "trained"
    needs_training = True

    def __init__(self, models: Sequence[TrainedErrors]) -> None:
        self._models = tuple(models)
        self._median: dict[BranchSpec, Path] = {}
        # The memo holds this very dictionary, so that what is settled later is found, too.
        self.memo: BranchMemo = replace(models[0].memo, elsewhere=self._median)
        self._answers = replace(models[0], memo=self.memo)

    @property
    def memos(self) -> tuple[BranchMemo, ...]:
        """One a seed."""
        return tuple(model.memo for model in self._models)

    @property
    def dataset(self) -> Dataset:
        """The data set of this process."""
        return self._answers.dataset

    def knows(self, branch: BranchSpec) -> bool:
        """Whether a branch is trained with every seed."""
        return all(model.knows(branch) for model in self._models)

    def train(self, branch: BranchSpec, *, progress: ProgressCallback) -> TrainingRecord:
        """Train a branch with every seed that it was not trained with yet."""
        missing = [model for model in self._models if not model.knows(branch)]
        seconds = 0.0
        for number, model in enumerate(missing):

            def tick(at: TrainingProgress, number: int = number) -> None:
                phase = f"again {number + 1}/{len(missing)}, {at.phase}"
                progress(replace(at, phase=phase, fraction=(number + at.fraction) / len(missing)))

            seconds += model.train(branch, progress=tick).seconds
        return TrainingRecord(branch=branch, seconds=seconds, remembered=not missing)

    def draws(self, branch: BranchSpec) -> tuple[float, ...]:
        """Validation EER of every training of a branch, in the order of the seeds."""
        return tuple(float(model.error_rates([branch]).decision_eer or 0.0) for model in self._models)

    def error_rates(self, branches: Sequence[BranchSpec]) -> ErrorRates:
        """Rates of the median repeats, as far as the branches are trained with every seed."""
        for branch in branches:
            self._settle(branch)
        return self._answers.error_rates(branches)

    def _settle(self, branch: BranchSpec) -> None:
        if branch in self._median or not self.knows(branch):
            return
        draws = self.draws(branch)
        ranked = sorted(range(len(draws)), key=lambda i: (draws[i], i))
        # Of an even number the worse of the two in the middle: the better one would be lucky again.
        self._median[branch] = self._models[ranked[len(draws) // 2]].memo.folder(branch)
