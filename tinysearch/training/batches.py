"""Batches of a split in a seeded order with light augmentation, the same for any number of workers."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tinysearch.core.protocols import Dataset, Samples
from tinysearch.core.task import Augmentation

Augment = Callable[..., npt.NDArray[np.float32]]
"""Inputs int8 [N, H, W, C] to varied ones; keywords strength, rng and ordered."""

Batch = tuple[Tensor, Tensor]
"""Inputs [N, C, H, W] (int8 / 128, channels last) and identities [N]."""

Values = npt.NDArray[np.int8] | npt.NDArray[np.float32]
"""Samples in steps of the firmware's input, whole ones or parts."""

_INPUT_SCALE = np.float32(1 / 128)


def to_inputs(values: npt.NDArray[np.generic]) -> Tensor:
    """[N, H, W, C] int8 steps (or floats in such steps) as a network's input."""
    scaled = np.multiply(values, _INPUT_SCALE, dtype=np.float32)
    return torch.from_numpy(scaled).permute(0, 3, 1, 2)


def plain_batches(inputs: npt.NDArray[np.int8], *, batch_size: int) -> Iterator[Tensor]:
    """Inputs in their own order, without augmentation."""
    for start in range(0, len(inputs), batch_size):
        yield to_inputs(inputs[start : start + batch_size])


def batch_count(length: int, *, batch_size: int) -> int:
    """Batches of an epoch of so many samples; a last one of less than half, or of one sample, does not count."""
    whole, rest = divmod(length, batch_size)
    return max(1, whole + (rest >= max(2, batch_size / 2)))


def epoch_batches(
    samples: Samples,
    *,
    length: int,
    batch_size: int,
    varied_as: Augmentation,
    augmentation: float,
    seed: tuple[int, ...],
    workers: int = 0,
    ordered: bool = False,
    half_size: bool = False,
) -> Iterator[Batch]:
    """One epoch: all samples in random order, then again in another one until there are enough.

    Args:
        samples: of the training split.
        length: samples an epoch; the last batch is dropped where it is smaller than half a batch.
        batch_size: samples a batch.
        varied_as: which of the augmentations below.
        augmentation: strength, 0 for none.
        seed: of this epoch; a batch depends on it and on its index alone.
        workers: threads that prepare batches ahead.
        ordered: left and right, first and last matter, so that nothing is mirrored or rolled (letters, words).
        half_size: pictures of half the side.
    """
    rng = np.random.default_rng(seed)
    total = len(samples.inputs)
    order = np.concatenate([rng.permutation(total) for _ in range(-(-length // total))])[:length]
    count = batch_count(length, batch_size=batch_size)
    augment = AUGMENTATIONS[varied_as]

    def make(index: int) -> Batch:
        chosen = order[index * batch_size : (index + 1) * batch_size]
        inputs: Values = samples.inputs[chosen]
        if half_size:
            inputs = halved(samples.inputs[chosen])
        if augmentation > 0:
            rng = np.random.default_rng((*seed, index))
            inputs = augment(inputs, strength=augmentation, rng=rng, ordered=ordered)
        return to_inputs(inputs), torch.from_numpy(samples.identities[chosen].astype(np.int64))

    if workers <= 0:
        yield from map(make, range(count))
        return
    yield from _ahead(make, count, workers)


def _ahead(make: Callable[[int], Batch], count: int, workers: int) -> Iterator[Batch]:
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[Batch]] = deque()
        for index in range(count):
            waiting.append(pool.submit(make, index))
            if len(waiting) > 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def halved(inputs: npt.NDArray[np.int8]) -> npt.NDArray[np.float32]:
    """Pictures [N, H, W, C] of even sides at half of them: means of four values, in quarters of a step."""
    rows = np.add(inputs[:, ::2], inputs[:, 1::2], dtype=np.int16)
    means: npt.NDArray[np.float32] = np.float32(0.25) * (rows[:, :, ::2] + rows[:, :, 1::2]).astype(np.float32)
    return means


def _shifted(inputs: Values, rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64]) -> Values:
    """Each sample moved by whole pixels, its border repeated."""
    reach = int(max(np.abs(rows).max(initial=0), np.abs(columns).max(initial=0)))
    height, width = inputs.shape[1:3]
    padded = np.pad(inputs, ((0, 0), (reach, reach), (reach, reach), (0, 0)), mode="edge")
    moved = np.empty_like(inputs)
    for index, (row, column) in enumerate(zip(reach + rows, reach + columns, strict=True)):
        moved[index] = padded[index, row : row + height, column : column + width]
    return moved


def augment_image(
    inputs: Values, *, strength: float, rng: np.random.Generator, ordered: bool = False
) -> npt.NDArray[np.float32]:
    """Shift by up to 6 % of the side, mirror (unless ``ordered``), brightness, contrast and color balance."""
    count, side, channels = len(inputs), inputs.shape[1], inputs.shape[3]
    reach = round(0.06 * strength * side)
    moved = _shifted(inputs, *rng.integers(-reach, reach + 1, (2, count)))
    mirrored = (rng.random(count) < 0.5) & (not ordered)
    moved[mirrored] = moved[mirrored, :, ::-1]
    contrast = 1 + 0.25 * strength * rng.uniform(-1, 1, (count, 1, 1, 1))
    contrast = contrast * (1 + 0.08 * strength * rng.uniform(-1, 1, (count, 1, 1, channels)))
    brightness = 32 * strength * rng.uniform(-1, 1, (count, 1, 1, 1))
    values = moved.astype(np.float32)
    rows = values.reshape(count, side, -1)  # long ones: NumPy multiplies three channels at a time slowly
    rows *= np.tile(contrast.astype(np.float32).reshape(count, 1, channels), values.shape[2])
    rows += brightness.astype(np.float32).reshape(count, 1, 1)
    return np.clip(values, -128, 127, out=values)


def augment_spectrogram(
    inputs: npt.NDArray[np.int8], *, strength: float, rng: np.random.Generator, ordered: bool = False
) -> npt.NDArray[np.float32]:
    """Rows are frames, columns bands: roll, shift by up to two bands, loudness, tilt, a masked stripe an axis.

    ``ordered`` leaves out the roll, which lets a recording begin anywhere.
    """
    count, frames, bands = inputs.shape[:3]
    reach = round(2 * strength)
    moved = _shifted(inputs, np.zeros(count, np.int64), rng.integers(-reach, reach + 1, (count,)))
    slope = np.linspace(-1, 1, bands, dtype=np.float32)[None, None, :, None]
    tilt = (12 * strength * rng.uniform(-1, 1, (count, 1, 1, 1))).astype(np.float32)
    values = moved + (10 * strength * rng.uniform(-1, 1, (count, 1, 1, 1))).astype(np.float32) + tilt * slope
    means = values.mean(axis=(1, 2), keepdims=True)
    offsets = rng.integers(0, frames, (count,)) * (not ordered)
    lengths = rng.integers(0, [[round(0.2 * strength * frames) + 1], [round(0.15 * strength * bands) + 1]], (2, count))
    for index in range(count):
        values[index] = np.roll(values[index], offsets[index], axis=0)
        row = rng.integers(0, frames - lengths[0, index] + 1)
        column = rng.integers(0, bands - lengths[1, index] + 1)
        values[index, row : row + lengths[0, index]] = means[index]
        values[index, :, column : column + lengths[1, index]] = means[index]
    return np.clip(values, -128, 127, out=values)


def augment_series(
    inputs: Values,
    *,
    strength: float,
    rng: np.random.Generator,
    ordered: bool = False,
) -> npt.NDArray[np.float32]:
    """Gain of up to 30 % and offset of up to 16 steps an axis, noise of up to 8 steps: sensors differ, places too."""
    del ordered  # nothing is mirrored or rolled in any case
    count, axes = len(inputs), inputs.shape[3]
    gain = 1 + 0.3 * strength * rng.uniform(-1, 1, (count, 1, 1, axes))
    offset = 16 * strength * rng.uniform(-1, 1, (count, 1, 1, axes))
    noise = 8 * strength * rng.uniform(0, 1, (count, 1, 1, 1)) * rng.standard_normal(inputs.shape)
    values = (inputs * gain + offset + noise).astype(np.float32)
    return np.clip(values, -128, 127, out=values)


def augment_motion(
    inputs: npt.NDArray[np.int8], *, strength: float, rng: np.random.Generator, ordered: bool = False
) -> npt.NDArray[np.float32]:
    """As a series, on a sensor worn askew: axes in threes are turned together by about 25 degrees at full strength."""
    axes = inputs.shape[3]
    turned = inputs.astype(np.float32)
    if axes % 3 == 0:
        turns = _rotations(0.45 * strength * rng.standard_normal((len(inputs), 3)))
        for first in range(0, axes, 3):
            turned[..., first : first + 3] = np.einsum("nij,nhwj->nhwi", turns, turned[..., first : first + 3])
    return augment_series(turned, strength=strength, rng=rng, ordered=ordered)


def _rotations(vectors: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Rotation matrices [N, 3, 3] of rotation vectors [N, 3] (radians), by Rodrigues' formula."""
    angle = np.maximum(np.linalg.norm(vectors, axis=1), 1e-12)[:, None, None]
    x, y, z = (vectors / angle[:, 0]).T
    zero = np.zeros_like(x)
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=1).reshape(-1, 3, 3)
    turns: npt.NDArray[np.float64] = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * (cross @ cross)
    return turns.astype(np.float32)


AUGMENTATIONS: Mapping[Augmentation, Augment] = {
    "image": augment_image,
    "spectrogram": augment_spectrogram,
    "series": augment_series,
    "motion": augment_motion,
}
"""By the name that a kind of input gives."""


def augmentation_of(data: Dataset, modality: str) -> Augmentation:
    """How samples of a data set are varied: as it says, or by the names that there were before it could say."""
    return data.varied_as(modality) or ("spectrogram" if modality == "voice" else "image")
