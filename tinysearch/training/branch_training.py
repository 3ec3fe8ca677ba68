"""The training of one branch: a float stage that the precisions of a layout share, its own stage, and freezing."""

from __future__ import annotations

import dataclasses
import hashlib
import threading
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from tinysearch.core.borrowed import Borrowed
from tinysearch.core.candidate import BranchSpec
from tinysearch.core.errors import UserError
from tinysearch.core.network import NetworkSpec
from tinysearch.core.program import FrozenNetwork, Program, lower
from tinysearch.core.protocols import Dataset, ProgressCallback, Samples, TrainingProgress, samples_of
from tinysearch.core.quantization import Precision
from tinysearch.locks import PATIENCE_S, exclusive
from tinysearch.training.batches import augmentation_of, plain_batches
from tinysearch.training.folding import fold
from tinysearch.training.freeze import freeze_float, freeze_integer
from tinysearch.training.losses import IdentityHead
from tinysearch.training.network import FloatNetwork, reestimate_statistics
from tinysearch.training.quantized import Int8Network, QuantizedNetwork, XnorNetwork
from tinysearch.training.settings import TrainingSettings
from tinysearch.training.stage import Stage, classification_error, embeddings, run_stage, verification_eer
from tinysearch.training.stages import load_if_whole, save_atomically

threads = Borrowed(torch.get_num_threads, torch.set_num_threads)
random_numbers = Borrowed(torch.get_rng_state, torch.set_rng_state)
"""The process has one of each, and this may be a guest in it."""

_drawing = threading.Lock()
"""Held from a seed to the last number that is drawn by it."""

CALIBRATION_SAMPLES = 512
"""Training samples, without augmentation, that settle running statistics and int8 ranges."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class BranchTraining:
    """One training of one branch with one seed."""

    settings: TrainingSettings
    branch: BranchSpec
    network: NetworkSpec
    data: Dataset
    workspace: Path
    progress: ProgressCallback

    def run(self) -> tuple[float, FrozenNetwork]:
        """Validation EER and the frozen network."""
        train, validation = self._load("train"), self._load("validation")
        if len(train.inputs) < 2:
            raise UserError(
                "there must be samples to train on",
                value=f"{len(train.inputs)} of {self.branch.modality}",
                remedy="choose another data set",
            )
        start, head = self._float_start(train, validation)
        precision = self.branch.precision
        program = lower(self.network, precision)
        model = self._model(program, precision, start, train)
        epochs = self.settings.epochs - self.settings.shared_epochs
        if epochs:
            stage = Stage(
                name=str(precision),
                epochs=epochs,
                before=self.settings.shared_epochs,
                rate=self.settings.learning_rate * self.settings.second_stage_rate,
                margin_rises=False,
            )
            self._train(stage, model, head, train, validation)
        self._settle(model, train)
        rate = self._measure(model, head, validation)
        self._tick(f"{precision} done", 1.0, None, rate)
        seed = self.settings.seed
        if isinstance(model, FloatNetwork):
            return rate, freeze_float(program, fold(program, model.units), seed=seed, trained=True)
        return rate, freeze_integer(model.quantized(), seed=seed, trained=True)

    def _measure(self, model: FloatNetwork | QuantizedNetwork, head: IdentityHead, validation: Samples) -> float:
        """Validation error: the EER of all pairs, or of a data set with classes the head's classification error."""
        found = embeddings(model, validation, self.settings)
        if self.data.classes is not None:
            return classification_error(head, found, validation.identities)
        return verification_eer(found, validation.identities)

    def _load(self, split: str) -> Samples:
        return samples_of(self.data, self.branch.modality, split, self.branch.sample_shape)  # type: ignore[arg-type]

    def _model(
        self, program: Program, precision: Precision, start: FloatNetwork, train: Samples
    ) -> FloatNetwork | QuantizedNetwork:
        device = torch.device(self.settings.device_type)
        if precision.kind == "float32":
            return start
        kind = Int8Network if precision.kind == "int8" else XnorNetwork
        return kind(program, start, self._calibration(train)).to(device)

    def _calibration(self, train: Samples) -> list[Tensor]:
        count = len(train.inputs)
        chosen = np.random.default_rng(self.settings.seed).permutation(count)[:CALIBRATION_SAMPLES]
        device = torch.device(self.settings.device_type)
        batches = plain_batches(train.inputs[chosen], batch_size=self.settings.batch_size)
        return [batch.to(device) for batch in batches if len(batch) > 1]

    def _settle(self, model: FloatNetwork | QuantizedNetwork, train: Samples) -> None:
        """Statistics and ranges as inference will meet them."""
        batches = self._calibration(train)
        if not isinstance(model, Int8Network):
            if isinstance(model, QuantizedNetwork):
                model.observe_ranges(observing=False)
            reestimate_statistics(model, batches)
        model.eval()
        if isinstance(model, XnorNetwork):
            model.calibrate(batches)

    def _float_start(self, train: Samples, validation: Samples) -> tuple[FloatNetwork, IdentityHead]:
        """The float network after the shared stage, trained here or by whoever came first."""
        settings, device = self.settings, torch.device(self.settings.device_type)
        with _drawing:
            torch.manual_seed(self._seed("float"))
            model = FloatNetwork(self.network)
            head = IdentityHead(
                loss=settings.loss,
                embedding=self.network.embedding,
                identities=int(train.identities.max()) + 1,
                margin=settings.margin,
                temperature=settings.temperature,
                smoothing=settings.smoothing,
            )
        path = self.workspace / "stages" / f"{self._key('float')}.pt"

        def waiting(holder: str) -> None:
            self._tick("waiting for the float start", 0.0, None, None, waits_for=holder)

        with exclusive(path.with_suffix(".lock"), waiting=waiting, patience_s=PATIENCE_S):
            stored = load_if_whole(path)
            if stored is None:
                model, head = model.to(device), head.to(device)
                stage = Stage(
                    name="float",
                    epochs=settings.shared_epochs,
                    before=0,
                    rate=settings.learning_rate,
                    margin_rises=True,
                    half_size_epochs=self._half_size_epochs(),
                )
                self._train(stage, model, head, train, validation)
                reestimate_statistics(model, self._calibration(train))
                save_atomically({"model": model.state_dict(), "head": head.state_dict()}, path)
                return model, head
        model.load_state_dict(stored["model"])
        head.load_state_dict(stored["head"])
        return model.to(device), head.to(device)

    def _half_size_epochs(self) -> int:
        """Of the float stage; none where samples are no pictures or weights depend on their side."""
        pictures = augmentation_of(self.data, self.branch.modality) == "image"
        return self.settings.half_size_epochs if pictures and _fits_half(self.network) else 0

    def _train(
        self,
        stage: Stage,
        model: FloatNetwork | QuantizedNetwork,
        head: IdentityHead,
        train: Samples,
        validation: Samples,
    ) -> None:
        checkpoint = self.workspace / "checkpoints" / f"{self._key(stage.name)}-{stage.name.replace('/', '')}.pt"

        def report(epoch: int, part: float, loss: float, rate: float | None) -> None:
            done = (stage.before + epoch + part) / self.settings.epochs
            self._tick(f"{stage.name} {min(epoch + 1, stage.epochs)}/{stage.epochs}", min(done, 1.0), loss, rate)

        run_stage(
            stage,
            model=model,
            head=head,
            train=train,
            measure=lambda: self._measure(model, head, validation),
            settings=self.settings,
            varied_as=augmentation_of(self.data, self.branch.modality),
            seed=self._seed(stage.name),
            checkpoint=checkpoint,
            report=report,
            ordered=self.data.ordered,
        )
        checkpoint.unlink(missing_ok=True)

    def _tick(
        self, phase: str, fraction: float, loss: float | None, rate: float | None, waits_for: str | None = None
    ) -> None:
        self.progress(
            TrainingProgress(
                branch=self.branch,
                phase=phase,
                fraction=fraction,
                loss=loss,
                eer_validation=rate,
                waits_for=waits_for,
            )
        )

    def _key(self, stage: str) -> str:
        """Name of a stage's files: everything that its result depends on."""
        shared = stage == "float"
        digest = self.settings.float_digest if shared else self.settings.digest
        sibling = self.branch.start if shared else self.branch
        text = "|".join([sibling.key, repr(self.network), self.data.digest, digest, torch.__version__])
        return f"{sibling.key}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"

    def _seed(self, stage: str) -> int:
        """Seed of one stage; the float stage's depends on no precision."""
        sibling = self.branch.start
        text = f"{sibling.key}|{stage}|{self.settings.seed}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "little")


def _fits_half(network: NetworkSpec) -> bool:
    """Whether the same weights take inputs of half the side."""
    whole = network.input_shape
    if whole.height % 2 or whole.width % 2:
        return False
    try:
        half = dataclasses.replace(
            network, input_shape=dataclasses.replace(whole, height=whole.height // 2, width=whole.width // 2)
        )
    except UserError:  # a layer would have no output
        return False
    return half.params == network.params
