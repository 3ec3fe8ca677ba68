"""Error rates of networks that were trained here, measured with the integers that a board will run.

A branch is trained once and remembered with its embeddings of validation and test samples; a fusion adds the cosines
of its branches over pairs of people and so costs no training. Embeddings come from the oracle (``embed``), which is
injected: what is scored is what is emitted. What an error is, the task's judge says.
"""

from __future__ import annotations

import hashlib
import logging
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinysearch.core.candidate import BranchSpec
from tinysearch.core.objectives import ErrorEvidence, ErrorRates
from tinysearch.core.program import Array, FrozenNetwork
from tinysearch.core.protocols import Dataset, ProgressCallback, Trainer, TrainingProgress, TrainingRecord
from tinysearch.evaluation.judges import Judge, Verification
from tinysearch.evaluation.memo import BranchMemo, MemoEntry

logger = logging.getLogger(__name__)

Embed = Callable[[FrozenNetwork, Array], Array]


@dataclass(kw_only=True)
class TrainedErrors:
    """Error model of trained branches; cheap to send to another process, which makes its own data set and trainer.

    Attributes:
        memo: where trained branches are remembered.
        make_dataset, make_trainer: called once a process, when first needed.
        embed: embeddings of a frozen network, [N, E] from int8 [N, H, W, C].
        judge: how the task measures error.
    """

    memo: BranchMemo
    make_dataset: Callable[[], Dataset]
    make_trainer: Callable[[], Trainer]
    embed: Embed
    judge: Judge = field(default_factory=Verification)
    evidence: ErrorEvidence = "trained"
    needs_training: bool = True

    def __post_init__(self) -> None:
        self._dataset: Dataset | None = None

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_dataset": None}

    @property
    def dataset(self) -> Dataset:
        """The data set of this process."""
        if self._dataset is None:
            made = self.make_dataset()
            self.judge.check(made)
            self._dataset = made
        return self._dataset

    def knows(self, branch: BranchSpec) -> bool:
        """Whether a branch is in the memo."""
        return self.memo.has(branch)

    def train(self, branch: BranchSpec, *, progress: ProgressCallback) -> TrainingRecord:
        """Train a branch, or remember it; see :class:`~tinysearch.core.protocols.ErrorModel`."""
        if self.memo.has(branch):
            seconds = float(self.memo.record(branch)["train_s"])
            return TrainingRecord(branch=branch, seconds=seconds, remembered=True)
        started = time.monotonic()
        network = self.memo.architecture(branch)
        workspace = self.memo.workspace
        workspace.mkdir(parents=True, exist_ok=True)
        trainer = self.make_trainer()
        frozen = trainer.fit(branch, network, self.dataset, workspace=workspace, progress=progress)
        seconds = time.monotonic() - started
        progress(TrainingProgress(branch=branch, phase="measuring", fraction=1.0))
        embeddings: dict[str, Array] = {}
        for split in self.judge.splits:
            samples = self.dataset.load(branch.modality, split, input_size=branch.input_size, channels=branch.channels)
            embeddings[split] = self.embed(frozen, samples.inputs)
        record = {
            "branch": branch.key,
            "train_s": round(seconds, 3),
            "measure_s": round(time.monotonic() - started - seconds, 3),
            "seed": frozen.seed,
            "machine": platform.machine(),
        }
        repeats = getattr(trainer, "repeated_errors", ())
        if len(repeats) > 1:
            record["repeated_errors"] = [round(float(rate), 6) for rate in repeats]
        self.memo.store(branch, MemoEntry(frozen=frozen, embeddings=embeddings, record=record))
        return TrainingRecord(branch=branch, seconds=seconds, remembered=False)

    def error_rates(self, branches: Sequence[BranchSpec]) -> ErrorRates:
        """Rates of a branch or a fusion, remembered beside the branches."""
        settings = self.judge.settings
        stored = self.memo.rates(branches, settings=settings)
        if stored is not None:
            return stored
        known = {branch.modality: self.memo.embeddings(branch) for branch in branches}
        rates = self.judge.rates(
            self.dataset,
            {branch.modality: (branch.input_size, branch.channels) for branch in branches},
            {split: {modality: rows[split] for modality, rows in known.items()} for split in self.judge.splits},
            rng=np.random.default_rng(_seed([branch.key for branch in branches])),
            evidence=self.evidence,
        )
        self.memo.store_rates(branches, rates, settings=settings)
        return rates

    def repeated_errors(self, branch: BranchSpec) -> tuple[float, ...]:
        """Validation errors of the trainings that a branch was chosen from; empty where there was one."""
        return tuple(self.memo.record(branch).get("repeated_errors", ()))


def _seed(keys: Sequence[str]) -> int:
    return int.from_bytes(hashlib.sha256("|".join(keys).encode()).digest()[:8], "little")
