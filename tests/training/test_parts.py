"""Losses, batches, augmentation and quantizers: laws that hold for any input."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tinysearch.core.errors import UserError
from tinysearch.core.protocols import Dataset, Samples
from tinysearch.training.batches import (
    AUGMENTATIONS,
    augment_image,
    augment_motion,
    augment_spectrogram,
    augmentation_of,
    epoch_batches,
    halved,
    to_inputs,
)
from tinysearch.training.losses import IdentityHead
from tinysearch.training.quantized_program import thresholds
from tinysearch.training.quantizers import (
    LevelQuantizer,
    RangeQuantizer,
    binarize,
    fake_quantize,
    fake_quantize_weight,
    weight_levels,
)

FEW = settings(max_examples=30, deadline=None)


def samples(count: int = 21, *, channels: int = 3) -> Samples:
    rng = np.random.default_rng(0)
    inputs = rng.integers(-128, 128, (count, 10, 12, channels)).astype(np.int8)
    return Samples(inputs=inputs, identities=np.arange(count, dtype=np.int32))


def head(loss: str, margin: float) -> IdentityHead:
    torch.manual_seed(0)
    return IdentityHead(loss=loss, embedding=8, identities=5, margin=margin, temperature=10, smoothing=0.0)


@pytest.mark.parametrize("loss", ["cosine", "arcface"])
def test_a_margin_makes_the_task_harder(loss: str) -> None:
    torch.manual_seed(1)
    found, labels = torch.randn(40, 8), torch.arange(40) % 5
    losses = [head(loss, margin)(found, labels).item() for margin in (0.0, 0.1, 0.3, 0.6)]
    assert losses == sorted(losses)
    assert losses[0] == pytest.approx(head(loss, 0.5)(found, labels, strength=0.0).item(), rel=1e-5)


def test_angular_losses_ignore_length_and_coincide_without_margin() -> None:
    torch.manual_seed(1)
    found, labels = torch.randn(10, 8), torch.arange(10) % 5
    one = head("cosine", 0.2)(found, labels)
    assert torch.allclose(one, head("cosine", 0.2)(7 * found, labels), atol=1e-5)
    assert torch.allclose(head("cosine", 0.0)(found, labels), head("arcface", 0.0)(found, labels), atol=1e-4)
    with pytest.raises(UserError):
        head("triplet", 0.2)


@pytest.mark.parametrize("batch_size", [2, 4, 8, 50])
def test_an_epoch_shows_each_sample_once(batch_size: int) -> None:
    seen = list(
        epoch_batches(samples(), length=21, batch_size=batch_size, varied_as="image", augmentation=0, seed=(3, 1))
    )
    labels = np.concatenate([batch[1].numpy() for batch in seen])
    assert len(set(labels)) == len(labels) >= 21 - batch_size // 2
    assert min(len(batch[1]) for batch in seen) >= 2
    for inputs, identities in seen:
        assert torch.equal(inputs, to_inputs(samples().inputs[identities.numpy()]))
        assert inputs.is_contiguous(memory_format=torch.channels_last)


def test_a_longer_epoch_repeats_samples_evenly() -> None:
    seen = list(epoch_batches(samples(), length=50, batch_size=10, varied_as="image", augmentation=0, seed=(3,)))
    counts = np.bincount(np.concatenate([batch[1].numpy() for batch in seen]), minlength=21)
    assert counts.sum() == 50
    assert set(counts) == {2, 3}


def test_half_a_picture_is_the_means_of_fours() -> None:
    inputs = np.random.default_rng(0).integers(-128, 128, (3, 6, 4, 2)).astype(np.int8)
    small = halved(inputs)
    assert small.shape == (3, 3, 2, 2)
    assert small[1, 2, 0, 1] == inputs[1, 4:6, 0:2, 1].astype(float).mean()
    assert halved(np.full((1, 2, 2, 1), -128, np.int8)).item() == -128


@pytest.mark.parametrize("varied_as", AUGMENTATIONS)
def test_batches_depend_on_seed_and_not_on_workers(varied_as: str) -> None:
    def draw(*seed: int, workers: int = 0) -> list:
        options = {
            "length": 21,
            "batch_size": 4,
            "varied_as": varied_as,
            "augmentation": 1.0,
            "seed": seed,
            "workers": workers,
        }
        return [batch[0] for batch in epoch_batches(samples(), **options)]

    for left, right in zip(draw(1, 2), draw(1, 2, workers=3), strict=True):
        assert torch.equal(left, right)
    assert not torch.equal(draw(1, 2)[0], draw(1, 3)[0])


@pytest.mark.parametrize("modality", ["face", "voice"])
def test_ordered_samples_are_neither_mirrored_nor_rolled(modality: str) -> None:
    augment = augment_spectrogram if modality == "voice" else augment_image
    inputs = np.zeros((32, 16, 16, 1), np.int8)
    inputs[:, :4] = 100  # the first frames
    inputs[:, :, :4] = 100  # the left edge
    for ordered in (False, True):
        values = augment(inputs, strength=0.05, rng=np.random.default_rng(0), ordered=ordered)[..., 0]
        kept = (values[:, 0].mean(axis=1) > values[:, -1].mean(axis=1)) & (
            values[:, :, 0].mean(axis=1) > values[:, :, -1].mean(axis=1)
        )
        assert kept.all() == ordered


@pytest.mark.parametrize("augment", AUGMENTATIONS.values())
@pytest.mark.parametrize("strength", [0.1, 1.0, 3.0])
def test_augmentation_keeps_shape_range_and_its_input(augment, strength: float) -> None:
    inputs = samples(9, channels=1).inputs
    before = inputs.copy()
    changed = augment(inputs, strength=strength, rng=np.random.default_rng(0))
    assert np.array_equal(inputs, before)
    assert changed.shape == inputs.shape
    assert changed.min() >= -128
    assert changed.max() <= 127
    assert not np.array_equal(changed, inputs)


@FEW
@given(st.integers(0, 2**31), st.floats(1e-3, 10), st.booleans())
def test_range_quantization_is_torchs(seed: int, high: float, signed: bool) -> None:
    quantizer = RangeQuantizer(signed=signed)
    quantizer.observing = False
    quantizer.high.fill_(high)
    value = torch.randn(50, generator=torch.Generator().manual_seed(seed)) * high
    ours, theirs = value.clone().requires_grad_(), value.clone().requires_grad_()
    expected = torch.fake_quantize_per_tensor_affine(theirs, float(quantizer.scale), 0 if signed else -128, -128, 127)
    found = fake_quantize(ours, quantizer.scale, quantizer.zero_point)
    assert (found - expected).abs().max() <= float(quantizer.scale) * 1.001  # ties may fall either way
    assert ((found - expected).abs() > 1e-6 * high).float().mean() <= 0.04
    found.sum().backward()
    scale = float(quantizer.scale)
    low, top = (-128.5 * scale, 127.5 * scale) if signed else (0.0, 255.5 * scale)
    inside = (value > low) & (value < top)
    assert torch.equal(ours.grad, inside.float())


@FEW
@given(st.integers(0, 2**31), st.sampled_from([1, 2, 3]))
def test_levels_with_a_learned_step(seed: int, bits: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    value = torch.randn(2, 3, 5, 5, generator=generator).requires_grad_()
    quantizer = LevelQuantizer(bits=bits)
    found = quantizer(value)
    levels = found / quantizer.step
    assert torch.allclose(levels, levels.round(), atol=1e-4)
    assert levels.min() >= 0
    assert levels.max() <= quantizer.top + 1e-4
    weight = torch.randn(found.shape, generator=generator)
    (found * weight).sum().backward()
    step = quantizer.step.item()
    inside = ((value > 0) & (value < (quantizer.top + 0.5) * step)).float()
    ratio = (value / step).detach()
    slope = torch.where(inside > 0, levels.detach() - ratio, levels.detach())
    expected = (weight * slope).sum() / (value.numel() * quantizer.top) ** 0.5
    assert torch.allclose(quantizer.step.grad, expected, rtol=1e-3, atol=1e-4)
    assert torch.allclose(value.grad, weight * inside)


@FEW
@given(st.integers(0, 2**31), st.sampled_from([1, 2]))
def test_few_bit_weights(seed: int, bits: int) -> None:
    weight = torch.randn(4, 3, 3, 3, generator=torch.Generator().manual_seed(seed)).requires_grad_()
    levels, scale = weight_levels(weight, bits=bits)
    allowed = {-1.0, 1.0} if bits == 1 else {-3.0, -1.0, 1.0, 3.0}
    assert set(levels.unique().tolist()) <= allowed
    assert (scale > 0).all()
    assert ((levels > 0) == (weight >= 0)).all()
    found = binarize(weight, bits=bits)
    assert torch.equal(found, levels * scale)
    plain = (weight.detach() ** 2).sum()
    assert ((found - weight).detach() ** 2).sum() < plain


@pytest.mark.parametrize("shape", [(4, 3, 3, 3), (5, 7)])
def test_weight_quantization_is_torchs_and_passes_all_gradients(shape: tuple[int, ...]) -> None:
    generator = torch.Generator().manual_seed(0)
    weight, out = torch.randn(shape, generator=generator), torch.randn(shape, generator=generator)
    gain = torch.rand((shape[0], *[1] * (len(shape) - 1)), generator=generator) + 0.5
    scale = (weight * gain).abs().flatten(1).amax(1) / 127
    zeros = torch.zeros(shape[0], dtype=torch.int32)
    expected = torch.fake_quantize_per_channel_affine(weight * gain, scale, zeros, 0, -127, 127)
    weight.requires_grad_()
    held = fake_quantize_weight(weight, gain)
    held.backward(out)
    assert torch.equal(held, expected)
    assert torch.equal(weight.grad, out * gain)
    assert torch.equal(fake_quantize_weight(weight * gain), expected)


def test_weights_of_zero_have_a_scale() -> None:
    zero = torch.zeros(2, 3, 1, 1)
    assert torch.isfinite(binarize(zero, bits=1)).all()
    assert torch.equal(fake_quantize_weight(zero), zero)


@FEW
@given(
    st.floats(1e-4, 10), st.floats(-50, 50), st.floats(0.05, 20), st.integers(1, 3), st.lists(st.integers(-500, 500))
)
def test_thresholds_are_the_quantizer(unit: float, shift: float, level: float, bits: int, sums: list[int]) -> None:
    """Counting reached thresholds is rounding the scaled and shifted accumulator."""
    top = (1 << bits) - 1
    steps = thresholds(
        torch.tensor([unit], dtype=torch.float64), torch.tensor([shift], dtype=torch.float64), level=level, top=top
    )[0]
    for value in sums:
        exact = (unit * value + shift) / level + 0.5
        if abs(exact - round(exact)) < 1e-9:
            continue
        assert int((value >= steps).sum()) == min(max(int(np.floor(exact)), 0), top)


def test_a_sensor_worn_askew_still_feels_as_much() -> None:
    inputs = np.zeros((64, 8, 8, 6), np.int8)
    inputs[..., 2], inputs[..., 3] = 64, 40  # gravity along z, turning around x
    values = augment_motion(inputs, strength=1e-3, rng=np.random.default_rng(0))
    assert np.abs(values - inputs).max() < 1
    turned = augment_motion(inputs, strength=1.0, rng=np.random.default_rng(0)).mean(axis=(1, 2))
    assert np.abs(turned[:, :2]).mean() > 8  # other axes feel gravity too
    assert 50 < np.linalg.norm(turned[:, :3], axis=1).mean() < 75


def test_a_data_set_says_how_its_samples_are_varied() -> None:
    class Silent(Dataset):
        pass

    class Moving(Dataset):
        augmentation = "motion"

    class Both(Dataset):
        def varied_as(self, modality: str) -> str:
            return {"face": "image", "hand": "motion"}[modality]

    assert [augmentation_of(Silent(), name) for name in ("face", "voice")] == ["image", "spectrogram"]
    assert augmentation_of(Moving(), "voice") == "motion"
    assert [augmentation_of(Both(), name) for name in ("face", "hand")] == ["image", "motion"]
