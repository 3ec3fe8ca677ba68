"""One stage of a training: epochs of steps with a schedule, checkpoints, and validation."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from tinysearch.core.errors import DivergedError
from tinysearch.core.protocols import Samples
from tinysearch.core.task import Augmentation
from tinysearch.metrics.rates import det_curve, equal_error_rate
from tinysearch.training.batches import batch_count, epoch_batches, plain_batches
from tinysearch.training.losses import IdentityHead
from tinysearch.training.network import FloatNetwork
from tinysearch.training.optimizers import Optimizer
from tinysearch.training.quantized import QuantizedNetwork
from tinysearch.training.settings import TrainingSettings
from tinysearch.training.stages import load_if_whole, save_atomically

WARM_UP = 0.15
"""Part of a stage during which the learning rate rises."""

HELD_RANGES = 0.25
"""Last part of a stage during which int8 ranges are held, so that weights settle on a fixed grid."""

EVALUATED_PIXELS = 64 * 64 * 64
"""Input pixels a batch in evaluation, whose integers take double precision."""

Report = Callable[[int, float, float, float | None], None]
"""Called with epoch, part of the epoch done, loss, and validation EER where it was measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A stretch of epochs with one schedule.

    Attributes:
        name: shown in progress.
        epochs: how many.
        before: epochs of earlier stages.
        rate: peak learning rate.
        margin_rises: whether the margin of the loss grows from zero over the first half.
        half_size_epochs: how many, from the first on, see pictures of half the side.
    """

    name: str
    epochs: int
    before: int
    rate: float
    margin_rises: bool
    half_size_epochs: int = 0


def learning_rate(stage: Stage, settings: TrainingSettings, *, position: float) -> float:
    """Learning rate at a position in [0, 1] of a stage."""
    if settings.lr_decay > 0:
        return stage.rate * settings.lr_decay ** (stage.before + math.floor(position * stage.epochs))
    if position < WARM_UP:
        return stage.rate * (0.1 + 0.9 * position / WARM_UP)
    return stage.rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (position - WARM_UP) / (1 - WARM_UP))))


def run_stage(
    stage: Stage,
    *,
    model: nn.Module,
    head: IdentityHead,
    train: Samples,
    measure: Callable[[], float],
    settings: TrainingSettings,
    varied_as: Augmentation,
    seed: int,
    checkpoint: Path,
    report: Report,
    ordered: bool = False,
) -> None:
    """Train a model and its head in place, resuming from a checkpoint if there is one.

    ``measure`` gives the validation error of model and head as they are, in evaluation mode. The order of samples and
    their augmentation depend on the seed and the epoch alone, so a resumed stage ends as an undisturbed one.

    Raises:
        DivergedError: the loss is no number any more.
    """
    optimizer = _optimizer(model, head, settings)
    best, epoch = _Patience(settings), 0
    stored = load_if_whole(checkpoint)
    if stored is not None:
        model.load_state_dict(stored["model"])
        head.load_state_dict(stored["head"])
        optimizer.load_state_dict(stored["optimizer"])
        epoch, best.rate, best.waited = stored["epoch"], stored["best"], stored["waited"]
    whole = isinstance(model, FloatNetwork) or settings.device_type == "cuda"  # else graphs break at every range
    forward = torch.compile(model) if settings.compile and whole else model
    while epoch < stage.epochs and not best.exhausted:
        loss = _run_epoch(
            stage,
            epoch,
            model=model,
            forward=forward,
            head=head,
            train=train,
            optimizer=optimizer,
            settings=settings,
            varied_as=varied_as,
            seed=seed,
            report=report,
            ordered=ordered,
        )
        if not math.isfinite(loss):
            raise DivergedError(f"diverged in epoch {epoch + 1}, its loss is {loss}; lower trainer.learning_rate")
        epoch += 1
        rate = None
        due = settings.validate_every and epoch % settings.validate_every == 0 and epoch < stage.epochs
        if settings.patience or due:
            rate = measure()
        if settings.patience and rate is not None:
            best.update(rate)
        if epoch < stage.epochs:
            content = {"model": model.state_dict(), "head": head.state_dict(), "optimizer": optimizer.state_dict()}
            save_atomically({**content, "epoch": epoch, "best": best.rate, "waited": best.waited}, checkpoint)
        report(epoch, 0.0, loss, rate)


class _Patience:
    """Early stopping on validation EER."""

    def __init__(self, settings: TrainingSettings) -> None:
        self.settings, self.rate, self.waited = settings, 1.0, 0

    def update(self, rate: float) -> None:
        improved = rate < self.rate * (1 - self.settings.min_improvement)
        self.rate, self.waited = (rate, 0) if improved else (self.rate, self.waited + 1)

    @property
    def exhausted(self) -> bool:
        return 0 < self.settings.patience <= self.waited


def _optimizer(model: nn.Module, head: IdentityHead, settings: TrainingSettings) -> Optimizer:
    decayed = [value for value in model.parameters() if value.dim() > 1]
    plain = [value for value in model.parameters() if value.dim() <= 1]
    return Optimizer(
        settings.optimizer, [([*decayed, head.prototypes], settings.weight_decay), ([*plain, head.bias], 0.0)]
    )


def _run_epoch(
    stage: Stage,
    epoch: int,
    *,
    model: nn.Module,
    forward: Callable[[Tensor], Tensor],
    head: IdentityHead,
    train: Samples,
    optimizer: Optimizer,
    settings: TrainingSettings,
    varied_as: Augmentation,
    seed: int,
    report: Report,
    ordered: bool,
) -> float:
    """Mean loss of one epoch."""
    device = torch.device(settings.device_type)
    model.train()
    head.train()
    if isinstance(model, QuantizedNetwork):
        model.observe_ranges(observing=epoch < math.ceil(stage.epochs * (1 - HELD_RANGES)))
    length = settings.samples_per_epoch or len(train.inputs)
    batches = epoch_batches(
        train,
        length=length,
        batch_size=settings.batch_size,
        varied_as=varied_as,
        augmentation=settings.augmentation,
        seed=(seed, epoch),
        workers=settings.data_workers,
        ordered=ordered,
        half_size=epoch < stage.half_size_epochs,
    )
    count = batch_count(length, batch_size=settings.batch_size)
    tell = max(1, count // 4)
    total, parameters = 0.0, [*model.parameters(), *head.parameters()]
    for index, (inputs, identities) in enumerate(batches):
        position = (epoch + index / count) / stage.epochs
        strength = min(1.0, 2 * position) if stage.margin_rises else 1.0
        with _autocast(settings):
            found = forward(inputs.to(device, non_blocking=True))
        loss = head(found.float(), identities.to(device, non_blocking=True), strength=strength)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, settings.gradient_clip)
        optimizer.step(learning_rate(stage, settings, position=position))
        total += float(loss.detach())
        if (index + 1) % tell == 0 and index + 1 < count:
            report(epoch, (index + 1) / count, total / (index + 1), None)
    return total / count


def _autocast(settings: TrainingSettings) -> contextlib.AbstractContextManager[object]:
    if not settings.mixed_precision:
        return contextlib.nullcontext()
    return torch.autocast(settings.device_type, dtype=torch.bfloat16)


@torch.no_grad()
def embeddings(model: nn.Module, samples: Samples, settings: TrainingSettings) -> npt.NDArray[np.float64]:
    """Embeddings [N, E] of a split in evaluation mode."""
    model.eval()
    device = torch.device(settings.device_type)
    batch_size = max(1, min(64, EVALUATED_PIXELS // (samples.inputs.shape[1] * samples.inputs.shape[2])))
    batches = plain_batches(samples.inputs, batch_size=batch_size)
    parts = [model(batch.to(device)).double().cpu().numpy() for batch in batches]
    return np.concatenate(parts) if parts else np.zeros((0, 1))


@torch.no_grad()
def classification_error(
    head: IdentityHead, found: npt.NDArray[np.float64], identities: npt.NDArray[np.int32]
) -> float:
    """Share of samples whose class is not the head's first choice; 1 without samples."""
    if not len(found):
        return 1.0
    decided = head.decide(torch.from_numpy(found).to(head.prototypes)).cpu().numpy()
    return float(np.mean(decided != identities))


def verification_eer(found: npt.NDArray[np.float64], identities: npt.NDArray[np.int32]) -> float:
    """Equal error rate of the cosine over all pairs of a split; 0.5 where there are no pairs of both kinds."""
    norms = np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)
    cosines = (found / norms) @ (found / norms).T
    rows, columns = np.triu_indices(len(found), 1)
    scores, same = cosines[rows, columns], identities[rows] == identities[columns]
    if not same.any() or same.all():
        return 0.5
    return equal_error_rate(det_curve(scores[same], scores[~same]))
