"""The trainer of the package: settings that are checked and told apart without torch, which only training loads."""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path

from tinysearch.core.candidate import BranchSpec
from tinysearch.core.errors import UserError
from tinysearch.core.network import NetworkSpec
from tinysearch.core.program import FrozenNetwork
from tinysearch.core.protocols import Dataset, ProgressCallback, TrainingProgress
from tinysearch.distribution import install_line
from tinysearch.training.settings import TrainingSettings

logger = logging.getLogger(__name__)


class TorchTrainer:
    """Trains branches with quantization-aware training; implements :class:`tinysearch.core.protocols.Trainer`.

    Args:
        settings: the fields of :class:`TrainingSettings` as keyword arguments.

    Attributes:
        repeated_errors: validation errors of the last fit's repeats, ascending.

    Raises:
        UserError: a setting out of range.
    """

    def __init__(self, **settings: object) -> None:
        known = {field.name for field in dataclasses.fields(TrainingSettings)}
        for name in settings:
            if name not in known:
                raise UserError(
                    "settings of a trainer must be its own", value=name, remedy=f"use one of {', '.join(sorted(known))}"
                )
        self.settings = TrainingSettings(**settings)  # type: ignore[arg-type]
        self.repeated_errors: tuple[float, ...] = ()

    @property
    def digest(self) -> str:
        """Of every setting that changes a result (hex)."""
        return self.settings.digest

    def fit(
        self, branch: BranchSpec, network: NetworkSpec, data: Dataset, *, workspace: Path, progress: ProgressCallback
    ) -> FrozenNetwork:
        """Train and freeze one branch; of several repeats the one with the median validation EER.

        Raises:
            UserError: torch is not installed, or the data set has no training samples of this modality.
        """
        try:
            import torch
        except ImportError as error:
            raise UserError(
                "PyTorch must be installed to train a branch",
                value=f"{branch.short} is not trained yet and torch is not installed",
                remedy=f"{install_line('train')}, or choose trainer=table, published or none",
            ) from error
        from tinysearch.training.branch_training import BranchTraining, random_numbers, threads

        repeats = self.settings.repeats
        trained = []
        # The program around this one finds its random numbers and its threads as they were.
        many = self.settings.threads or torch.get_num_threads()
        with random_numbers.as_(torch.get_rng_state()), threads.as_(many):
            for index in range(repeats):
                training = BranchTraining(
                    settings=dataclasses.replace(self.settings, seed=self.settings.seed + 1000 * index, repeats=1),
                    branch=branch,
                    network=network,
                    data=data,
                    workspace=Path(workspace),
                    progress=_shared(progress, index, repeats),
                )
                trained.append(training.run())
        trained.sort(key=lambda pair: pair[0])
        rates = [rate for rate, _ in trained]
        self.repeated_errors = tuple(rates)
        logger.info("%s: validation EER %s", branch.short, ", ".join(f"{rate:.4f}" for rate in rates))
        return trained[(repeats - 1) // 2][1]


def _shared(progress: ProgressCallback, index: int, repeats: int) -> ProgressCallback:
    """Progress of one repeat as a part of the whole."""
    if repeats == 1:
        return progress

    def forward(tick: TrainingProgress) -> None:
        phase = f"repeat {index + 1}/{repeats}, {tick.phase}"
        progress(dataclasses.replace(tick, fraction=(index + tick.fraction) / repeats, phase=phase))

    return forward
