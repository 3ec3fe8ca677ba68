"""Networks of torchvision by post-training quantization: how near int8 comes to float.

Pretrained weights cannot be had without a download, so each network is trained here for a short while on scikit-learn's
handwritten digits (8x8 pixels, enlarged to 32x32): the task is easy, but weights and activations are those of a trained
network. Scales come from training pictures; agreement and accuracy are of pictures that nothing saw before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinysearch.networks.arena import plan
from tinysearch.networks.lowering import lower
from tinysearch.networks.oracle import run
from tinysearch.networks.real.agreement import to_int8, to_reals
from tinysearch.networks.real.calibrated import calibrated

SIDE, TRAINED, CALIBRATED = 32, 1200, 100
EPOCHS, BATCH, RATE = 8, 64, 2e-3

MOMENTUM = 0.1
"""Of running statistics: mobilenet_v3's own 0.01 is too slow for so few steps."""

Floats = npt.NDArray[np.floating[Any]]


@dataclass(kw_only=True)
class FloatRow:
    """One network.

    Attributes:
        same_largest: share of unseen pictures for which int8 and float name the same class.
        signal_to_noise_db: of the outputs on these.
    """

    arena_bytes: int
    weight_bytes: int
    macs: int
    same_largest: float
    signal_to_noise_db: float
    float_accuracy: float
    int8_accuracy: float


def digits() -> tuple[Floats, npt.NDArray[np.int64]]:
    """float32 [1797, 3, SIDE, SIDE] from -1 to 1 in random order, and what they show."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(images))
    small = images[order].reshape(-1, 1, 8, 8).astype(np.float32) / 8 - 1
    large = np.repeat(np.repeat(small, SIDE // 8, axis=2), SIDE // 8, axis=3)
    return np.ascontiguousarray(np.repeat(large, 3, axis=1)), labels[order].astype(np.int64)


def measured_networks() -> Iterator[tuple[str, FloatRow]]:
    """All of them, in the order in which they are done."""
    import torch
    from torchvision import models

    images, labels = digits()
    torch.manual_seed(0)
    for name, network in (
        ("mobilenet_v3_small", models.mobilenet_v3_small(num_classes=10)),
        ("mobilenet_v2_0.35", models.mobilenet_v2(width_mult=0.35, num_classes=10)),
        ("shufflenet_v2_x0_5", models.shufflenet_v2_x0_5(num_classes=10)),
    ):
        _train(network, images[:TRAINED], labels[:TRAINED])
        yield name, _row(network, images[:CALIBRATED], images[TRAINED:], labels[TRAINED:])


def _train(network: Any, images: Floats, labels: npt.NDArray[np.int64]) -> None:
    import torch

    optimizer = torch.optim.Adam(network.parameters(), lr=RATE)
    given, wished = torch.from_numpy(images), torch.from_numpy(labels)
    for part in network.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.momentum = MOMENTUM
    network.train()
    for _ in range(EPOCHS):
        for part in torch.randperm(len(given)).split(BATCH):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(network(given[part]), wished[part]).backward()
            optimizer.step()


def _row(network: Any, seen: Floats, unseen: Floats, labels: npt.NDArray[np.int64]) -> FloatRow:
    import torch

    from tinysearch.training.exported import network_of

    found = calibrated(network_of(network, [seen]), [seen])
    lowered = lower(found.graph)
    placed = unseen[:, None].transpose(0, *(1 + axis for axis in found.input_axes[0]))
    stored = run(found.graph, [to_int8(found.graph, found.graph.inputs[0], placed)])[0]
    reals = to_reals(found.graph, found.graph.outputs[0], stored).reshape(len(unseen), -1)
    with torch.no_grad():
        wished = network.eval()(torch.from_numpy(unseen)).numpy()
    noise = float(((wished - reals).astype(np.float64) ** 2).sum())
    return FloatRow(
        arena_bytes=plan(lowered).peak_bytes,
        weight_bytes=lowered.parameter_bytes,
        macs=lowered.macs,
        same_largest=float((wished.argmax(1) == reals.argmax(1)).mean()),
        signal_to_noise_db=round(float(10 * np.log10((wished.astype(np.float64) ** 2).sum() / noise)), 2),
        float_accuracy=float((wished.argmax(1) == labels).mean()),
        int8_accuracy=float((reals.argmax(1) == labels).mean()),
    )
