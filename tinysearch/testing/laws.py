"""What every suite needs: a law that tells its rule, the fixture's place, small inputs."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tinysearch.architectures.resnet import resnet
from tinysearch.core.network import INPUT, Addition, Convolution, GlobalAveragePool, Linear, MaxPool, NetworkSpec, Shape
from tinysearch.core.protocols import SPLITS, Dataset, Samples, Split

PRECISIONS = ("float32", "int8", "xnor1/1", "xnor2/1", "xnor3/1", "xnor2/2")
SIZE, CHANNELS, WIDTH, EMBEDDING = 20, 3, 6, 12
"""Of the networks that the suites build: small enough to train in a second."""


class Suite:
    """Base of all suites: the fixture that the author gives."""

    @pytest.fixture
    def plugin(self) -> Any:
        """The class or function that the configuration would name."""
        pytest.fail(f"{type(self).__name__} needs the fixture plugin: return the class or function of the plug-in")


def law(holds: object, rule: str, found: object = None) -> None:
    """Assert what must hold, naming it and what was found instead."""
    __tracebackhide__ = True
    if not holds:
        raise AssertionError(f"this must hold: {rule}" + ("" if found is None else f"; found {found!s}"))


def same_after_pickling(made: Any, what: str) -> Any:
    """The object as another process would get it."""
    try:
        return pickle.loads(pickle.dumps(made))  # noqa: S301 - our own bytes
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise AssertionError(f"{what} must be picklable, to go to another process; found {error}") from error


def small_network(*, blocks: tuple[int, ...] = (1, 1), width: int = WIDTH) -> NetworkSpec:
    """A residual network on inputs of ``SIZE`` pixels."""
    return resnet(blocks=blocks, width=width, input_size=SIZE, channels=CHANNELS, embedding=EMBEDDING)


def mixed_network() -> NetworkSpec:
    """A network with every unit of the built-in families, odd sizes, strides, and channels that fill no vector."""
    units = (
        Convolution(name="stem", input=INPUT, out_channels=10, kernel=3, stride=2, padding=1),
        Convolution(name="dw", input="stem", out_channels=10, kernel=3, padding=1, depthwise=True),
        Convolution(name="pw", input="dw", out_channels=10, kernel=1, relu=False),
        Addition(name="sum", left="pw", right="stem"),
        Convolution(name="wide", input="sum", out_channels=13, kernel=3, padding=1, pool=2),
        Convolution(name="down", input="wide", out_channels=16, kernel=5, stride=2, padding=2),
        MaxPool(name="max", input="down", pool=2),
        GlobalAveragePool(name="mean", input="max", batch_norm=True),
        Linear(name="embed", input="mean", out_features=EMBEDDING, batch_norm=True),
    )
    return NetworkSpec(name="mixed", input_shape=Shape(height=22, width=22, channels=CHANNELS), units=units)


class SmallDataset(Dataset):
    """Faces and voices that a trainer is tried on: a pattern an identity, in noise. Arrays are read-only."""

    name: str = "small"
    digest: str = "5ma11"
    modalities: tuple[str, ...] = ("face", "voice")

    def __init__(self, *, identities: int = 6, samples: int = 6) -> None:
        self._identities, self._samples = identities, samples

    def load(self, modality: str, split: Split, *, input_size: int, channels: int) -> Samples:
        rng = np.random.default_rng([SPLITS.index(split), self.modalities.index(modality)])
        side = -(-input_size // 4)
        looks = rng.normal(size=(self._identities, side, side, channels))
        patterns = 40 * np.kron(looks, np.ones((1, 4, 4, 1)))[:, :input_size, :input_size]
        values = np.repeat(patterns, self._samples, axis=0)
        inputs = np.clip(values + 30 * rng.normal(size=values.shape), -128, 127).astype(np.int8)
        identities = np.repeat(np.arange(self._identities, dtype=np.int32), self._samples)
        inputs.flags.writeable = identities.flags.writeable = False
        return Samples(inputs=inputs, identities=identities)

    def people(self, split: Split) -> Mapping[str, npt.NDArray[np.int32]]:
        del split
        everyone = np.arange(self._identities, dtype=np.int32)
        return dict.fromkeys(self.modalities, everyone)
