"""What a plug-in implements, one protocol a kind; the conformance suites in :mod:`tinysearch.testing` check each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from tinysearch.core.candidate import BranchSpec, SampleShape
from tinysearch.core.error_rates import ErrorEvidence, ErrorRates
from tinysearch.core.errors import UserError
from tinysearch.core.network import NetworkSpec
from tinysearch.core.pairs import Pairs
from tinysearch.core.program import FrozenNetwork, Program, Step
from tinysearch.core.task import Augmentation

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """One modality's samples of one split.

    Attributes:
        inputs: int8 [N, height, width, channels], exactly what the firmware feeds its network (byte - 128).
        identities: int32 [N], the identity of each sample within its modality and split, from 0.
    """

    inputs: npt.NDArray[np.int8]
    identities: npt.NDArray[np.int32]


@runtime_checkable
class SampleSource(Protocol):
    """The least that a data set of one's own has: samples by modality and split; splits are disjoint in people.

    What else :class:`Dataset` has is taken from it where it is there, and has the default given there where it is not.

    Attributes:
        name: as configured.
        digest: of the bytes and settings that determine every sample (hex).
        modalities: the modalities it has samples of.
    """

    name: str
    digest: str
    modalities: tuple[str, ...]

    def load(self, modality: str, split: Split, *, input_size: int, channels: int) -> Samples:
        """Samples prepared for a network's input. Called often; implementations cache."""
        ...

    def people(self, split: Split) -> Mapping[str, npt.NDArray[np.int32]]:
        """For each modality, int32 [P]: the identity in that modality of person 0 .. P-1 of a split.

        A person without that modality has -1. Chimeric people pair an identity of one modality with one of another.
        """
        ...


@runtime_checkable
class Dataset(SampleSource, Protocol):
    """A data set as the rooms know it; inherit from it, and say what differs from the defaults.

    Attributes:
        classes: of a classification, the number of identities, which are then the same in every split and modality;
            ``people`` of each split are these classes. None elsewhere.
        class_names: of these, in the order of labels; empty where they have none.
        normal: of an anomaly task, how many labels are normal, the first ones, the same in every split. Training holds
            normal samples only; those with a label from ``normal`` on are normal ones that were transformed, for a
            network to learn from what it is to tell apart (Golan and El-Yaniv 2018, arXiv 1805.10917). In validation
            and test they are anomalies. None elsewhere.
        ordered: that a mirrored picture or a rolled recording is another one.
        augmentation: how trainers vary samples; None: ``voice`` is spectrograms and all else pictures.
        caveat: a sentence that has to stand wherever error rates on these people are shown, for example that they are
            synthetic.
    """

    classes: int | None = None
    class_names: tuple[str, ...] = ()
    normal: int | None = None
    ordered: bool = False
    augmentation: Augmentation | None = None
    caveat: str = ""

    def load_clip(self, modality: str, split: Split, *, input_size: int, channels: int, frames: int) -> Samples:
        """Samples of shorter clips: ``frames`` rows where the whole clip has ``input_size``, as many columns as before.

        Raises:
            UserError: clips cannot be shortened.
        """
        del split, channels
        raise UserError(
            f"data={self.name} must give whole clips of {modality}",
            value=f"frames={frames} of {input_size}",
            remedy="leave frames out, or write space.clip_scales=null",
        )

    def varied_as(self, modality: str) -> Augmentation | None:
        """How trainers vary samples of one modality, where modalities differ; see ``augmentation``."""
        del modality
        return self.augmentation

    def groups(self, modality: str, split: Split) -> npt.NDArray[np.int32] | None:
        """What recording or speaker each sample is from, int32 [N] in the order of ``load``; None where unknown.

        Samples of one group are alike; intervals that took them for independent would be too narrow.
        """
        del modality, split
        return None

    def listed_pairs(self, split: Split, shapes: Mapping[str, SampleShape]) -> Pairs | None:
        """The published pairs of a split, by input size and channels of each modality; None: pairs are drawn.

        Of clips shorter than the task's a shape has their frames, too.
        """
        del split, shapes
        return None


def samples_of(dataset: Dataset, modality: str, split: Split, shape: SampleShape) -> Samples:
    """Samples as a branch takes them."""
    size, channels, *frames = shape
    if frames:
        return dataset.load_clip(modality, split, input_size=size, channels=channels, frames=frames[0])
    return dataset.load(modality, split, input_size=size, channels=channels)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingProgress:
    """One tick of a training: ``fraction`` done in [0, 1], a phase such as ``float 3/8``, loss, validation EER.

    Attributes:
        waits_for: who is doing it already, in words: another process, whose training is waited for.
    """

    branch: BranchSpec
    phase: str
    fraction: float
    loss: float | None = None
    eer_validation: float | None = None
    waits_for: str | None = None


ProgressCallback = Callable[[TrainingProgress], None]


@runtime_checkable
class Trainer(Protocol):
    """Trains one branch on a data set.

    Attributes:
        digest: of every setting that changes a result (hex); part of the memo's key.
    """

    digest: str

    def fit(
        self, branch: BranchSpec, network: NetworkSpec, data: Dataset, *, workspace: Path, progress: ProgressCallback
    ) -> FrozenNetwork:
        """Train and freeze.

        Args:
            workspace: folder for stages that other branches share (the float start of a quantized branch) and for
                checkpoints; written atomically, safe to share between processes.
            progress: called at least once an epoch; may raise KeyboardInterrupt.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRecord:
    """What one training took: seconds of work (simulated for a table), or that it was remembered, not done."""

    branch: BranchSpec
    seconds: float
    remembered: bool


@runtime_checkable
class ErrorModel(Protocol):
    """Where error rates come from: trainings, a table, published figures, or nothing.

    Attributes:
        evidence: of the rates it gives.
        needs_training: whether ``train`` must run before ``error_rates`` knows a branch.
    """

    evidence: ErrorEvidence
    needs_training: bool

    def train(self, branch: BranchSpec, *, progress: ProgressCallback) -> TrainingRecord:
        """Make one branch known. Idempotent: a known branch returns at once with ``remembered`` true."""
        ...

    def knows(self, branch: BranchSpec) -> bool:
        """Whether ``error_rates`` can be answered for this branch without training."""
        ...

    def error_rates(self, branches: Sequence[BranchSpec]) -> ErrorRates:
        """Error rates of a branch or of the fusion of two; every branch must be known."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyEstimate:
    """Seconds of one step or program: estimate, low and high, and whether measured entries stand behind it."""

    seconds: float
    low: float
    high: float
    calibrated: bool


@runtime_checkable
class LatencyModel(Protocol):
    """Seconds that a step takes on a processor; raises for what it has no entry for."""

    def step(
        self, program: Program, step: Step, *, processor: str, weights_in_flash: bool, arena_in_psram: bool
    ) -> LatencyEstimate: ...


@runtime_checkable
class FirmwareBackend(Protocol):
    """Kernels for the steps of a program on a target, for example a SIMD library where its arithmetic is ours."""

    @property
    def name(self) -> str:
        """As its users spell it."""
        ...

    def supports(self, program: Program, step: Step, *, processor: str) -> bool: ...


@runtime_checkable
class Sampler(Protocol):
    """Decides what to evaluate next; see :mod:`tinysearch.search.samplers` for the state it is given."""

    name: str
