"""Error rates of networks that were trained here, measured with the integers that a board will run.

A branch is trained once and remembered with its embeddings of validation and test samples; a fusion adds the cosines
of its branches over pairs of people and so costs no training. Embeddings come from the oracle (``embed``), which is
injected: what is scored is what is emitted.
"""

from __future__ import annotations

import hashlib
import logging
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np

from tinysearch.core.candidate import BranchSpec
from tinysearch.core.objectives import ErrorEvidence, ErrorRates
from tinysearch.core.program import Array, FrozenNetwork
from tinysearch.core.protocols import Dataset, ProgressCallback, Split, Trainer, TrainingProgress, TrainingRecord
from tinysearch.data.pairs import PairOptions, evaluation_pairs
from tinysearch.evaluation.memo import BranchMemo, MemoEntry
from tinysearch.metrics import Pairs, error_rates, fused_scores

logger = logging.getLogger(__name__)

Embed = Callable[[FrozenNetwork, Array], Array]
_MEASURED: tuple[Split, ...] = ("validation", "test")


@dataclass(kw_only=True)
class TrainedErrors:
    """Error model of trained branches; cheap to send to another process, which makes its own data set and trainer.

    Attributes:
        memo: where trained branches are remembered.
        make_dataset, make_trainer: called once a process, when first needed.
        embed: embeddings of a frozen network, [N, E] from int8 [N, H, W, C].
        far: false accept rates to set thresholds for.
        pairs: how many pairs, and their seed.
        resamples: of the bootstrap over people.
    """

    memo: BranchMemo
    make_dataset: Callable[[], Dataset]
    make_trainer: Callable[[], Trainer]
    embed: Embed
    far: tuple[float, ...] = (0.01, 0.1)
    pairs: PairOptions = field(default_factory=PairOptions)
    resamples: int = 1000
    evidence: ErrorEvidence = "trained"
    needs_training: bool = True

    def __post_init__(self) -> None:
        self._dataset: Dataset | None = None
        self._pairs: dict[tuple[object, ...], Pairs] = {}

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_dataset": None, "_pairs": {}}

    @property
    def dataset(self) -> Dataset:
        """The data set of this process."""
        if self._dataset is None:
            self._dataset = self.make_dataset()
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
        frozen = self.make_trainer().fit(branch, network, self.dataset, workspace=workspace, progress=progress)
        seconds = time.monotonic() - started
        progress(TrainingProgress(branch=branch, phase="measuring", fraction=1.0))
        embeddings: dict[str, Array] = {}
        for split in _MEASURED:
            samples = self.dataset.load(branch.modality, split, input_size=branch.input_size, channels=branch.channels)
            embeddings[split] = self.embed(frozen, samples.inputs)
        record = {
            "branch": branch.key,
            "train_s": round(seconds, 3),
            "measure_s": round(time.monotonic() - started - seconds, 3),
            "seed": frozen.seed,
            "machine": platform.machine(),
        }
        self.memo.store(branch, MemoEntry(frozen=frozen, embeddings=embeddings, record=record))
        return TrainingRecord(branch=branch, seconds=seconds, remembered=False)

    def error_rates(self, branches: Sequence[BranchSpec]) -> ErrorRates:
        """Rates of a branch or a fusion, remembered beside the branches."""
        settings = (self.far, self.resamples, self.pairs)
        stored = self.memo.rates(branches, settings=settings)
        if stored is not None:
            return stored
        embeddings = {branch.modality: self.memo.embeddings(branch) for branch in branches}
        shapes = {branch.modality: (branch.input_size, branch.channels) for branch in branches}
        scores, drawn = {}, {}
        for split in _MEASURED:
            drawn[split] = self._pairs_of(split, shapes)
            scores[split] = fused_scores({m: cast(Any, e[split]) for m, e in embeddings.items()}, drawn[split])
        rates = error_rates(
            validation_scores=scores["validation"],
            validation_pairs=drawn["validation"],
            test_scores=scores["test"],
            test_pairs=drawn["test"],
            rng=np.random.default_rng(_seed([branch.key for branch in branches])),
            branches=len(branches),
            far=self.far,
            resamples=self.resamples,
            evidence=self.evidence,
        )
        self.memo.store_rates(branches, rates, settings=settings)
        return rates

    def _pairs_of(self, split: Split, shapes: dict[str, tuple[int, int]]) -> Pairs:
        """Pairs of a split, drawn or read once a process; equal for every branch of a modality."""
        key = (split, *sorted(shapes.items()))
        if key not in self._pairs:
            self._pairs[key] = evaluation_pairs(self.dataset, split, shapes, options=self.pairs)
        return self._pairs[key]


def _seed(keys: Sequence[str]) -> int:
    return int.from_bytes(hashlib.sha256("|".join(keys).encode()).digest()[:8], "little")
