"""A small synthetic data set, and short trainings."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch

from tinysearch.architectures.resnet import resnet_branch
from tinysearch.core.candidate import BranchSpec
from tinysearch.core.network import NetworkSpec
from tinysearch.core.protocols import SPLITS, Dataset, Samples, TrainingProgress
from tinysearch.training.trainer import TorchTrainer

torch.set_num_threads(1)

SIZE, PEOPLE, IMAGES = 20, 6, 8


class SyntheticDataset(Dataset):
    """Each identity a blocky pattern, each sample the pattern in noise."""

    name = "synthetic"
    modalities = ("face", "voice")

    def __init__(self, *, people: int = PEOPLE, images: int = IMAGES, noise: float = 30.0) -> None:
        self.shape = (people, images, noise)
        self.digest = hashlib.sha256(repr(self.shape).encode()).hexdigest()

    def load(self, modality: str, split: str, *, input_size: int, channels: int) -> Samples:
        people, images, noise = self.shape
        rng = np.random.default_rng([SPLITS.index(split), len(modality)])
        blocks = -(-input_size // 4)
        patterns = np.kron(rng.normal(size=(people, blocks, blocks, channels)), np.ones((1, 4, 4, 1)))
        inputs = 40 * np.repeat(patterns[:, :input_size, :input_size], images, axis=0)
        inputs = np.clip(inputs + noise * rng.normal(size=inputs.shape), -128, 127).astype(np.int8)
        return Samples(inputs=inputs, identities=np.repeat(np.arange(people), images).astype(np.int32))

    def people(self, split: str) -> Mapping[str, np.ndarray]:
        everyone = np.arange(self.shape[0], dtype=np.int32)
        return {modality: everyone for modality in self.modalities}


@pytest.fixture
def data() -> SyntheticDataset:
    return SyntheticDataset()


def make_branch(*, blocks: tuple[int, ...] = (1, 1), precision: str = "int8", modality: str = "face") -> BranchSpec:
    return resnet_branch(
        modality, blocks=blocks, precision=precision, width=6, input_size=SIZE, channels=3, embedding=12
    )


def make_network(branch: BranchSpec) -> NetworkSpec:
    return branch.network()


class Session:
    """Trains branches in one workspace and keeps the progress."""

    def __init__(self, workspace: Path, data: SyntheticDataset) -> None:
        self.workspace, self.data = workspace, data
        self.ticks: list[TrainingProgress] = []

    def fit(self, branch: BranchSpec, **settings: object):
        options = {"epochs": 2, "float_epochs": 1, "batch_size": 12, "samples_per_epoch": 0, "threads": 1} | settings
        network = make_network(branch)
        return TorchTrainer(**options).fit(
            branch, network, self.data, workspace=self.workspace, progress=self.ticks.append
        )


@pytest.fixture
def session(tmp_path: Path, data: SyntheticDataset) -> Session:
    return Session(tmp_path, data)


@pytest.fixture
def branch_of():
    return make_branch


@pytest.fixture
def network_of():
    return make_network


@pytest.fixture
def session_of():
    return Session


@pytest.fixture
def dataset_of():
    return SyntheticDataset


@pytest.fixture
def same_parameters():
    def same(left, right) -> bool:
        return all(
            np.array_equal(array, right.parameters[step][key])
            for step, arrays in left.parameters.items()
            for key, array in arrays.items()
        ) and dict(left.scales) == dict(right.scales)

    return same
