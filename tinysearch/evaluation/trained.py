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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinysearch.core.candidate import BranchSpec
from tinysearch.core.error_rates import ErrorEvidence, ErrorRates
from tinysearch.core.errors import TinysearchError
from tinysearch.core.program import Array, FrozenNetwork
from tinysearch.core.protocols import Dataset, ProgressCallback, Trainer, TrainingProgress, TrainingRecord, samples_of
from tinysearch.core.task import Stream
from tinysearch.evaluation.anomaly import Anomaly
from tinysearch.evaluation.answers import Decider, classifier_of, detector_of
from tinysearch.evaluation.classification import Classification
from tinysearch.evaluation.entries import is_finite
from tinysearch.evaluation.judge import Judge
from tinysearch.evaluation.memo import BranchMemo, MemoEntry
from tinysearch.evaluation.source import ErrorSource
from tinysearch.evaluation.verification import Verification
from tinysearch.files import make_folder, writing

logger = logging.getLogger(__name__)

Embed = Callable[[FrozenNetwork, Array], Array]


@dataclass(kw_only=True)
class TrainedErrors(ErrorSource):
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
        self._computed: dict[BranchSpec, dict[str, Array]] = {}

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_dataset": None, "_computed": {}}

    @property
    def dataset(self) -> Dataset:
        """The data set of this process."""
        if self._dataset is None:
            made = self.make_dataset()
            self.judge.check(made)
            self._dataset = made
        return self._dataset

    @property
    def memos(self) -> tuple[BranchMemo, ...]:
        """The one."""
        return (self.memo,)

    @property
    def caveat(self) -> str:
        """What the data set says of itself."""
        return self.dataset.caveat

    def knows(self, branch: BranchSpec) -> bool:
        """Whether a branch is in the memo."""
        return self.memo.has(branch)

    def train(self, branch: BranchSpec, *, progress: ProgressCallback) -> TrainingRecord:
        """Train a branch, or remember it; see :class:`~tinysearch.core.protocols.ErrorModel`.

        A branch that another process is training, for whatever run, is waited for and not trained twice, unless that
        process was stopped or hangs. A branch whose error cannot be measured is not remembered.
        """

        def waiting(holder: str) -> None:
            progress(TrainingProgress(branch=branch, phase="waiting", fraction=0.0, waits_for=holder))

        if not self.memo.has(branch):
            with self.memo.training(branch, waiting=waiting):
                if not self.memo.has(branch):
                    return self._train(branch, progress)
        seconds = float(self.memo.record(branch)["train_s"])
        return TrainingRecord(branch=branch, seconds=seconds, remembered=True)

    def _train(self, branch: BranchSpec, progress: ProgressCallback) -> TrainingRecord:
        started = time.monotonic()
        network = branch.network()
        workspace = self.memo.workspace
        with writing(workspace):
            make_folder(workspace.parent, private=True)
            make_folder(workspace, private=True)
        self.judge.check_samples(self.dataset, {branch.modality: branch.sample_shape})
        trainer = self.make_trainer()
        frozen = trainer.fit(branch, network, self.dataset, workspace=workspace, progress=progress)
        seconds = time.monotonic() - started
        progress(TrainingProgress(branch=branch, phase="measuring", fraction=1.0))
        embeddings = self._embed(branch, frozen)
        rates = self._measure([branch], {branch.modality: embeddings})
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
        self.memo.store_rates([branch], rates, settings=self.judge.settings)
        return TrainingRecord(branch=branch, seconds=seconds, remembered=False)

    def _embed(self, branch: BranchSpec, frozen: FrozenNetwork) -> dict[str, Array]:
        """Embeddings of a branch by split.

        Raises:
            TinysearchError: they are no numbers.
        """
        embeddings: dict[str, Array] = {}
        for split in self.judge.splits:
            samples = samples_of(self.dataset, branch.modality, split, branch.sample_shape)
            embeddings[split] = self.embed(frozen, samples.inputs)
            if not is_finite(embeddings[split]):
                raise TinysearchError(f"{branch.short} gives embeddings that are no numbers; it is not remembered")
        return embeddings

    def _measure(self, branches: Sequence[BranchSpec], embeddings: Mapping[str, Mapping[str, Array]]) -> ErrorRates:
        """Error rates of a branch or a fusion from embeddings by modality and split.

        Raises:
            TinysearchError: the error could not be measured.
        """
        rates = self.judge.rates(
            self.dataset,
            {branch.modality: branch.sample_shape for branch in branches},
            {split: {modality: rows[split] for modality, rows in embeddings.items()} for split in self.judge.splits},
            rng=np.random.default_rng(_seed([branch.key for branch in branches])),
            evidence=self.evidence,
            macs={branch.modality: branch.network().macs for branch in branches},
        )
        if rates.decision_eer is None or not 0 <= rates.decision_eer <= 1:
            names = " + ".join(branch.short for branch in branches)
            raise TinysearchError(f"the error of {names} cannot be measured; got {rates.decision_eer}")
        return rates

    def error_rates(self, branches: Sequence[BranchSpec]) -> ErrorRates:
        """Rates of a branch or a fusion, remembered beside the branches."""
        settings = self.judge.settings
        stored = self.memo.rates(branches, settings=settings)
        if stored is not None:
            return stored
        rates = self._measure(branches, {branch.modality: self._embeddings(branch) for branch in branches})
        self.memo.store_rates(branches, rates, settings=settings)
        return rates

    def decider(self, branches: Sequence[BranchSpec], *, stream: Stream, far: float | None) -> Decider | None:
        """What the firmware of a classification or an anomaly task is given; every branch must be known.

        Args:
            far: of an anomaly task, the share of false alarms; None takes the least, a threshold that no normal
                validation window reaches.
        """
        if not isinstance(self.judge, Classification | Anomaly):
            return None
        measured = {branch.modality: self._embeddings(branch) for branch in branches}
        shapes = {branch.modality: branch.sample_shape for branch in branches}
        embedded: dict[str, dict[str, Array]] = {}
        for split in self.judge.splits:
            embedded[split] = {name: rows[split] for name, rows in measured.items()}
        if isinstance(self.judge, Classification):
            return classifier_of(self.judge, self.dataset, shapes, embedded, stream=stream)
        return detector_of(self.judge, self.dataset, shapes, embedded, stream=stream, far=far or 0.0)

    def _embeddings(self, branch: BranchSpec) -> dict[str, Array]:
        """Remembered embeddings; where they were not kept, computed from the network, once a process."""
        try:
            return self.memo.embeddings(branch)
        except FileNotFoundError:
            if branch not in self._computed:
                self._computed[branch] = self._embed(branch, self.memo.network(branch))
            return self._computed[branch]

    def repeated_errors(self, branch: BranchSpec) -> tuple[float, ...]:
        """Validation errors of the trainings that a branch was chosen from; empty where there was one."""
        return tuple(self.memo.record(branch).get("repeated_errors", ()))


def _seed(keys: Sequence[str]) -> int:
    return int.from_bytes(hashlib.sha256("|".join(keys).encode()).digest()[:8], "little")
