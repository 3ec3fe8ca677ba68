"""What a branch goes through from training to its error rates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinysearch.architectures.resnet import resnet_branch
from tinysearch.core.errors import UserError
from tinysearch.core.protocols import Dataset, Samples
from tinysearch.evaluation.memo import BranchMemo
from tinysearch.evaluation.trained import TrainedErrors
from tinysearch.evaluation.verification import Verification


class OnePictureEach(Dataset):
    """People of whom there is one sample, so that no genuine pair can be made."""

    name, digest, modalities = "single", "single", ("face",)

    def load(self, modality: str, split: str, *, input_size: int, channels: int) -> Samples:
        del modality, split
        inputs = np.zeros((4, input_size, input_size, channels), np.int8)
        return Samples(inputs=inputs, identities=np.arange(4, dtype=np.int32))

    def people(self, split: str) -> dict[str, np.ndarray]:
        del split
        return {"face": np.arange(4, dtype=np.int32)}


def test_samples_that_cannot_be_judged_are_refused_before_training(tmp_path: Path) -> None:
    def no_trainer() -> None:
        raise AssertionError("it trains")

    errors = TrainedErrors(
        make_dataset=OnePictureEach,  # type: ignore[arg-type]
        make_trainer=no_trainer,  # type: ignore[arg-type]
        embed=lambda frozen, inputs: inputs,  # type: ignore[arg-type,return-value]
        memo=BranchMemo(root=tmp_path, key="single"),
        judge=Verification(),
    )
    branch = resnet_branch("face", blocks=(1,), precision="int8", width=4, input_size=24, channels=1, embedding=8)
    with pytest.raises(UserError, match="two people, one of them with two samples"):
        errors.train(branch, progress=lambda told: None)
