"""The settings of the torch trainer, checked where they enter."""

from __future__ import annotations

import ctypes
import hashlib
import json
import sys
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from tinysearch.core.errors import UserError

LOSSES = ("softmax", "cosine", "arcface")

REVISION = 1
"""Changes whenever the same settings give other networks, so that remembered branches are not mixed up."""

_SPEED_ONLY = ("threads", "compile", "data_workers", "validate_every")
_AFTER_FLOAT_STAGE = ("epochs", "second_stage_rate", "repeats")

_MOST = 100_000_000
"""Of whole numbers; an epoch of more samples would not fit into memory even as a list of their numbers."""

_POSITIVE = ("learning_rate", "second_stage_rate", "temperature", "gradient_clip")
_NOT_NEGATIVE = (
    *("samples_per_epoch", "weight_decay", "margin", "augmentation", "patience", "min_improvement", "validate_every"),
    *("seed", "threads", "data_workers"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSettings:
    """How a branch is trained.

    Attributes:
        epochs: of a branch in all, the same for every precision.
        float_epochs: of these, how many are trained in single precision and shared by a layout's precisions; 0 for
            half of them.
        half_size: part of the float epochs, from the first on, that see pictures of half the side; 0 for none. Only
            pictures, and networks whose weights do not depend on the side.
        samples_per_epoch: samples of an epoch, so that a modality with fewer samples is trained for as many steps;
            0 shows each sample once.
        batch_size: samples a step.
        learning_rate: peak, for the first stage.
        second_stage_rate: peak of the second stage as a fraction of ``learning_rate``.
        lr_decay: factor an epoch; 0 for one rise and a cosine fall a stage instead.
        optimizer: ``adam`` or ``sgd`` (momentum 0.9).
        weight_decay: decoupled (AdamW) or plain (sgd).
        loss, margin, temperature, smoothing: see :class:`~tinysearch.training.losses.IdentityHead`.
        augmentation: strength, 0 for none, 1 for the full ranges of :mod:`tinysearch.training.batches`.
        gradient_clip: largest norm of a gradient.
        patience: stop a stage when validation EER has not improved by ``min_improvement`` (relative) over this many
            epochs; 0 trains all epochs, which keeps precisions comparable.
        validate_every: epochs between two measurements of the validation error that progress shows; 0 measures at the
            end only. With ``patience`` every epoch is measured.
        min_improvement: relative improvement of validation EER that resets the patience.
        seed: of everything random, together with the branch.
        repeats: trainings with different seeds, of which the one with the median validation EER is kept.
        device: ``auto``, ``cpu`` or ``cuda``.
        threads: of torch; 0 leaves torch's own choice.
        mixed_precision: bfloat16 autocast, so that results depend on the processor; on CPUs slower, but for ResNets of
            two stages where there is AMX.
        compile: torch.compile for float networks, on a GPU for all; takes a minute or two to start.
        data_workers: threads that prepare batches ahead; 0 prepares them in turn.
    """

    epochs: int = 16
    float_epochs: int = 0
    half_size: float = 0.0
    samples_per_epoch: int = 1440
    batch_size: int = 16
    learning_rate: float = 0.01
    second_stage_rate: float = 0.5
    lr_decay: float = 0.0
    optimizer: str = "adam"
    weight_decay: float = 1e-3
    loss: str = "cosine"
    margin: float = 0.1
    temperature: float = 10.0
    smoothing: float = 0.0
    augmentation: float = 0.5
    gradient_clip: float = 5.0
    patience: int = 0
    min_improvement: float = 0.01
    validate_every: int = 4
    seed: int = 0
    repeats: int = 1
    device: str = "auto"
    threads: int = 0
    mixed_precision: bool = False
    compile: bool = False
    data_workers: int = 0

    def __post_init__(self) -> None:
        for field in fields(self):
            value, kind = getattr(self, field.name), type(field.default)
            fits = type(value) is kind or (kind is float and type(value) is int)
            usual = f"{field.name}={field.default}"
            _check(fits, f"{field.name} must be of type {kind.__name__}", value, usual)
            few = kind is not int or field.name == "seed" or value <= _MOST
            _check(few, f"{field.name} must be at most {_MOST}", value, usual)
            _check(field.name not in _POSITIVE or value > 0, f"{field.name} must be positive", value, usual)
            _check(field.name not in _NOT_NEGATIVE or value >= 0, f"{field.name} must not be negative", value, usual)
        _check(self.epochs >= 1, "a branch must be trained for at least one epoch", self.epochs, "epochs=16")
        _check(
            0 <= self.float_epochs <= self.epochs,
            "float_epochs must lie in 0 .. epochs",
            self.float_epochs,
            "float_epochs=0",
        )
        _check(0 <= self.half_size <= 1, "half_size must lie in [0, 1]", self.half_size, "half_size=0.5")
        _check(self.batch_size >= 2, "a batch must have at least two samples", self.batch_size, "batch_size=32")
        _check(0 <= self.lr_decay <= 1, "lr_decay must lie in [0, 1]", self.lr_decay, "lr_decay=0.97")
        _check(self.loss in LOSSES, f"the loss must be one of {', '.join(LOSSES)}", self.loss, "loss=cosine")
        _check(self.optimizer in ("adam", "sgd"), "the optimizer must be adam or sgd", self.optimizer, "optimizer=adam")
        _check(0 <= self.smoothing < 1, "smoothing must lie in 0 .. 1", self.smoothing, "smoothing=0.1")
        _check(self.repeats >= 1, "a branch must be trained at least once", self.repeats, "repeats=1")
        _check(
            self.device in ("auto", "cpu", "cuda"), "the device must be auto, cpu or cuda", self.device, "device=auto"
        )
        _check(
            self.device != "cuda" or _has_gpu(),
            "there must be a CUDA GPU for device=cuda",
            "none found",
            "device=auto",
        )

    @property
    def device_type(self) -> str:
        """``cpu`` or ``cuda``: what training runs on."""
        if self.device != "auto":
            return self.device
        return "cuda" if _has_gpu() else "cpu"

    @property
    def shared_epochs(self) -> int:
        """Epochs of the float stage."""
        return self.float_epochs or -(-self.epochs // 2)

    @property
    def half_size_epochs(self) -> int:
        """Epochs of the float stage that see pictures of half the side."""
        return round(self.half_size * self.shared_epochs)

    @property
    def digest(self) -> str:
        """Of every setting that changes a result (hex)."""
        return self._digest(_SPEED_ONLY)

    @property
    def float_digest(self) -> str:
        """Of every setting that changes the shared float stage (hex)."""
        return self._digest((*_SPEED_ONLY, *_AFTER_FLOAT_STAGE))

    def _digest(self, left_out: tuple[str, ...]) -> str:
        values = {key: value for key, value in asdict(self).items() if key not in left_out}
        values["float_epochs"] = self.shared_epochs
        del values["half_size"]
        if self.half_size_epochs:  # else what was remembered before there was such a setting would be forgotten
            values["half_size"] = self.half_size_epochs
        values["device"] = self.device_type
        values["revision"] = REVISION
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


def _has_gpu() -> bool:
    """Whether torch is installed and finds a CUDA device; torch, slow to load, is asked only where a driver is."""
    if not _has_driver():
        return False
    try:
        import torch
    except ImportError:
        return False
    return torch.cuda.is_available()


def _has_driver() -> bool:
    """Whether this machine has what torch's CUDA or ROCm builds need of it: without, they find no device."""
    if Path("/dev/kfd").exists():  # ROCm
        return True
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True


def _check(holds: bool, rule: str, value: object, remedy: str) -> None:  # noqa: FBT001
    if not holds:
        raise UserError(rule, value=value, remedy=f"write trainer.{remedy}")
