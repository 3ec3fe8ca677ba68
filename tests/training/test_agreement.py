"""The torch modules, and what they freeze to, against the oracle."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tinysearch.architectures.inverted import Inverted
from tinysearch.architectures.resnet import Resnet
from tinysearch.core.candidate import Architecture
from tinysearch.core.errors import DivergedError
from tinysearch.core.network import (
    INPUT,
    Addition,
    Convolution,
    GlobalAveragePool,
    Linear,
    MaxPool,
    NetworkSpec,
    Shape,
)
from tinysearch.core.program import Element, Operator, Step, lower
from tinysearch.core.quantization import Precision
from tinysearch.firmware.integer_network import run, trace
from tinysearch.training.batches import to_inputs
from tinysearch.training.folding import execute, fold, real_parameters
from tinysearch.training.freeze import freeze_float, freeze_integer
from tinysearch.training.losses import IdentityHead
from tinysearch.training.network import BatchNorm, FloatNetwork, reestimate_statistics
from tinysearch.training.optimizers import Optimizer
from tinysearch.training.quantized import Int8Network, XnorNetwork

LAYOUTS = [(1, 1), (2, 1), (1, 2), (2, 2), (2, 2, 2), (2, 2, 2, 2)]
XNOR = ["xnor1/1", "xnor2/1", "xnor3/1", "xnor2/2"]
BY_STAGE = ["xnor2/1from1", "xnor1/1from2", "xnor2/2from3"]
OPTIONS = {"blocks": (1, 1), "width": 6, "input_size": 24, "channels": 3, "embedding": 12}


def zoo() -> NetworkSpec:
    """Every unit in combinations that the ResNets do not have."""
    units = (
        Convolution(name="stem", input=INPUT, out_channels=6, kernel=3, padding=1),
        MaxPool(name="shrunk", input="stem", pool=2),
        Convolution(name="wide", input="shrunk", out_channels=6, kernel=3, padding=1, depthwise=True),
        Convolution(name="deep", input="wide", out_channels=6, kernel=1, relu=False),
        Addition(name="sum", left="shrunk", right="deep", relu=False),
        Convolution(name="even", input="sum", out_channels=8, kernel=3, stride=2, padding=1, batch_norm=True),
        Convolution(name="odd", input="even", out_channels=8, kernel=3, padding=1),
        Addition(name="both", left="odd", right="even", batch_norm=True, relu=True),
        Linear(name="flat", input="both", out_features=8, batch_norm=True, relu=True),
        GlobalAveragePool(name="mean", input="flat", relu=False),
        Linear(name="embed", input="mean", out_features=10, batch_norm=True),
    )
    return NetworkSpec(name="zoo", input_shape=Shape(height=12, width=12, channels=3), units=units)


def images(network: NetworkSpec, count: int, *, seed: int = 0) -> np.ndarray:
    shape = network.input_shape
    values = np.random.default_rng(seed).normal(0, 50, (count, shape.height, shape.width, shape.channels))
    return np.clip(values, -128, 127).astype(np.int8)


def shaken_float(network: NetworkSpec, *, seed: int = 0) -> FloatNetwork:
    """A float network with settled statistics and scales of either sign, some of them zero."""
    torch.manual_seed(seed)
    model = FloatNetwork(network)
    generator = torch.Generator().manual_seed(seed)
    for norm in model.modules():
        if isinstance(norm, BatchNorm):
            norm.weight.data.add_(torch.randn(norm.weight.shape, generator=generator))
            norm.weight.data[0] = 0.0
            norm.bias.data.add_(0.5 * torch.randn(norm.bias.shape, generator=generator))
    reestimate_statistics(model, [to_inputs(images(network, 24, seed=seed + 1))])
    return model


def quantized(network: NetworkSpec, precision: str, *, steps: int = 2, seed: int = 0):
    """A quantized network after a few steps of training."""
    program = lower(network, Precision.parse(precision))
    start = shaken_float(network, seed=seed)
    batch = to_inputs(images(network, 24, seed=seed + 1))
    model = (Int8Network if precision == "int8" else XnorNetwork)(program, start, [batch])
    head = IdentityHead(
        loss="cosine", embedding=network.embedding, identities=4, margin=0.1, temperature=10, smoothing=0
    )
    optimizer = Optimizer("adam", [([*model.parameters(), *head.parameters()], 0.01)])
    model.train()
    for _ in range(steps):
        optimizer.zero_grad()
        head(model(batch), torch.arange(24) % 4).backward()
        optimizer.step(3e-3)
    if isinstance(model, XnorNetwork):
        reestimate_statistics(model, [batch])
        model.calibrate([batch])
    return model.eval()


def disagreement(model, frozen, inputs: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        expected = model(to_inputs(inputs)).numpy()
    return np.abs(run(frozen, inputs).astype(np.float64) - expected)


@pytest.mark.parametrize("precision", ["int8", *XNOR])
@pytest.mark.parametrize("blocks", LAYOUTS, ids=str)
def test_integers_agree_for_every_layout(blocks, precision, branch_of, network_of) -> None:
    network = network_of(branch_of(blocks=blocks, precision=precision))
    model = quantized(network, precision)
    frozen = freeze_integer(model.quantized(), seed=0, trained=True)
    inputs = images(network, 40, seed=9)
    difference = disagreement(model, frozen, inputs)
    assert (difference > 0).mean() < 1e-3
    assert difference.max() <= 1
    assert run(frozen, inputs).std() > 5  # the check is not one of constants


def test_scales_that_no_integers_hold_are_a_diverged_training(branch_of, network_of) -> None:
    found = quantized(network_of(branch_of(blocks=(1,), precision="int8")), "int8", steps=1).quantized()
    output = found.program.steps[-1].output
    wild = replace(found, scales={**found.scales, output: found.scales[output] * 1e-9})
    with pytest.raises(DivergedError, match=r"scales fit no integers .*; lower trainer\.learning_rate"):
        freeze_integer(wild, seed=0, trained=True)


@pytest.mark.parametrize("precision", ["int8", *XNOR, *BY_STAGE])
@pytest.mark.parametrize("seed", range(3))
def test_integers_agree_for_other_units(precision: str, seed: int) -> None:
    network = zoo()
    model = quantized(network, precision, seed=seed)
    frozen = freeze_integer(model.quantized(), seed=0, trained=True)
    difference = disagreement(model, frozen, images(network, 40, seed=9))
    assert (difference > 0).mean() < 1e-3
    assert difference.max() <= 1


@pytest.mark.parametrize("precision", ["int8", "xnor2/1"])
@pytest.mark.parametrize("family", [Resnet(blocks=(1, 1), width=6), Inverted(stages=(1, 2), width=6)])
def test_integers_agree_along_a_series(family: Architecture, precision: str) -> None:
    network = family.build(Shape(height=41, width=1, channels=6))
    model = quantized(network, precision)
    frozen = freeze_integer(model.quantized(), seed=0, trained=True)
    difference = disagreement(model, frozen, images(network, 40, seed=9))
    assert (difference > 0).mean() < 1e-3
    assert difference.max() <= 1


@pytest.mark.parametrize("precision", ["int8", "xnor2/1"])
def test_integers_agree_at_the_embedded_size(precision: str) -> None:
    from tinysearch.architectures.resnet import resnet

    network = resnet(blocks=(2, 2), width=16, input_size=64, channels=3, embedding=64)
    model = quantized(network, precision, steps=1)
    frozen = freeze_integer(model.quantized(), seed=0, trained=True)
    difference = disagreement(model, frozen, images(network, 8, seed=9))
    assert (difference > 0).mean() < 1e-3
    assert difference.max() <= 1


def relu(step: Step, value: torch.Tensor) -> torch.Tensor:
    return torch.relu(value) if step.relu else value


@pytest.mark.parametrize("network", [zoo(), None], ids=["zoo", "resnet"])
def test_folding_keeps_the_float_network(network: NetworkSpec | None, branch_of, network_of) -> None:
    network = network or network_of(branch_of(blocks=(2, 2)))
    model = shaken_float(network)
    program = lower(network, Precision.parse("float32"))
    inputs = images(network, 16, seed=5)
    with torch.no_grad():
        expected = model(to_inputs(inputs)).numpy()
        folded = fold(program, model.units)
        stepwise = execute(program, real_parameters(folded), to_inputs(inputs), relu).numpy()
    largest = np.abs(expected).max()
    assert np.abs(stepwise - expected).max() < 1e-5 * largest
    frozen = freeze_float(program, folded, seed=0, trained=True)
    assert np.abs(run(frozen, inputs) - expected).max() < 1e-5 * largest


@pytest.mark.parametrize("precision", ["int8", *XNOR, *BY_STAGE[1:]])
def test_training_arithmetic_predicts_the_integers(precision: str, branch_of, network_of) -> None:
    """Fake quantization in real numbers and the integers give nearly the same embedding directions."""
    network = network_of(branch_of(blocks=(1, 1)))
    model = quantized(network, precision)
    frozen = freeze_integer(model.quantized(), seed=0, trained=True)
    inputs = images(network, 24, seed=1)
    found = run(frozen, inputs).astype(np.float64) * frozen.scales[frozen.program.output.name]
    model.train()
    model.observe_ranges(observing=False)
    with torch.no_grad():
        trained = model(to_inputs(inputs)).double().numpy()
    cosines = (found * trained).sum(1) / np.linalg.norm(found, axis=1) / np.linalg.norm(trained, axis=1)
    # a step of the residual stream can flip the few levels of a tiny XNOR network, so only most samples are close
    assert np.median(cosines) > (0.999 if precision == "int8" else 0.95)


@pytest.mark.parametrize("precision", ["int8", *XNOR])
def test_frozen_arrays_keep_the_runtimes_rules(precision: str) -> None:
    network = zoo()
    model = quantized(network, precision, steps=1)
    frozen = freeze_integer(model.quantized(), seed=3, trained=False)
    program = frozen.program
    assert (frozen.seed, frozen.trained) == (3, False)
    for step in program.steps:
        arrays = frozen.parameters.get(step.name, {})
        if step.has_weights:
            assert arrays["weights"].dtype == np.int8
            assert arrays["weights"].shape == program.weight_shape(step)
            assert np.abs(arrays["weights"].astype(int)).max() <= 127
            if step.weight_bits in (1, 2):
                assert set(np.unique(arrays["weights"])) <= ({-1, 1} if step.weight_bits == 1 else {-3, -1, 1, 3})
        if "multiplier" in arrays:
            multiplier, shift = arrays["multiplier"], arrays["shift"]
            assert ((multiplier == 0) | (multiplier >= 1 << 30)).all()
            last = shift if step.operator is not Operator.ADD else shift[2:]
            assert (last >= 1).all()
        if program.tensors[step.output].element is Element.BITS:
            assert (np.diff(arrays["thresholds"].astype(np.int64), axis=-1) >= 0).all()
    named = {name for name, tensor in program.tensors.items() if tensor.element is Element.INT8}
    assert set(frozen.zero_points) == named
    assert named <= set(frozen.scales)


def test_a_dead_channel_stays_constant() -> None:
    """A scale of zero: the channel is its shift, whatever the weights; no accumulator overflows."""
    network = zoo()
    model = quantized(network, "xnor2/1", steps=0)
    frozen = freeze_integer(model.quantized(), seed=0, trained=True)
    tensors = trace(frozen, images(network, 10, seed=2))
    for name in ("stem", "embed"):
        assert np.ptp(tensors[name][..., 0]) <= 1
    for step in frozen.program.steps:
        bias = frozen.parameters.get(step.name, {}).get("bias")
        assert bias is None or np.abs(bias.astype(np.int64)).max() <= 1 << 30


def test_the_float_network_is_torchvisions() -> None:
    """Two basic blocks, pool and classifier of torchvision's ResNet with the same weights."""
    from torchvision.models.resnet import BasicBlock

    def block(name: str, source: str, channels: int, stride: int) -> list:
        units = [
            Convolution(name=f"{name}a", input=source, out_channels=channels, kernel=3, stride=stride, padding=1),
            Convolution(name=f"{name}b", input=f"{name}a", out_channels=channels, kernel=3, padding=1, relu=False),
        ]
        if stride > 1:
            units.append(
                Convolution(name=f"{name}s", input=source, out_channels=channels, kernel=1, stride=stride, relu=False)
            )
            source = f"{name}s"
        return [*units, Addition(name=name, left=f"{name}b", right=source)]

    stem = Convolution(name="stem", input=INPUT, out_channels=4, kernel=1, batch_norm=False, relu=False)
    units = [stem, *block("x", "stem", 4, 1), *block("y", "x", 8, 2), GlobalAveragePool(name="mean", input="y")]
    spec = NetworkSpec(
        name="tv",
        input_shape=Shape(height=9, width=9, channels=3),
        units=(*units, Linear(name="out", input="mean", out_features=5)),
    )
    ours = shaken_float(spec)
    shortcut = torch.nn.Sequential(torch.nn.Conv2d(4, 8, 1, stride=2, bias=False), torch.nn.BatchNorm2d(8))
    theirs = [BasicBlock(4, 4), BasicBlock(4, 8, stride=2, downsample=shortcut)]
    for name, module in zip("xy", theirs, strict=True):
        for part, conv, norm in (("a", module.conv1, module.bn1), ("b", module.conv2, module.bn2)):
            conv.weight.data.copy_(ours.units[name + part].weight)
            norm.load_state_dict(ours.units[name + part].norm.state_dict())
    shortcut[0].weight.data.copy_(ours.units["ys"].weight)
    shortcut[1].load_state_dict(ours.units["ys"].norm.state_dict())
    inputs = to_inputs(images(spec, 6))
    with torch.no_grad():
        value = torch.nn.functional.conv2d(inputs, ours.units["stem"].weight)
        for module in theirs:
            value = module.eval()(value)
        expected = value.mean((2, 3)) @ ours.units["out"].weight.T
        assert torch.allclose(ours(inputs), expected, rtol=1e-4, atol=1e-5)
