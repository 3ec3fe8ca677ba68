"""What a data set promises."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from tinysearch.core.protocols import SPLITS, Dataset, Samples, SampleSource
from tinysearch.data.pairs import draw_pairs
from tinysearch.data.preparation import AudioOptions
from tinysearch.testing.laws import Suite, law, same_after_pickling


class DatasetConformance(Suite):
    """``plugin(audio=AudioOptions(..), cache_dir=..)`` makes a data set; a root is bound with ``functools.partial``.

    Attributes:
        input_size: side of the inputs that it is tried with.
        channels: by modality; others than face have one.
        repeats: whether two splits may hold the very same sample; only recordings of nothing (silence) excuse it.
    """

    input_size: ClassVar[int] = 32
    channels: ClassVar[dict[str, int]] = {"face": 3}
    repeats: ClassVar[bool] = False

    @pytest.fixture
    def cache_dir(self, tmp_path_factory: pytest.TempPathFactory) -> Path:
        """The folder where the data set may remember what it has decoded, the same for all tests of a suite."""
        return tmp_path_factory.getbasetemp() / f"cache of {type(self).__name__}"

    @pytest.fixture
    def data(self, plugin: Any, cache_dir: Path) -> Dataset:
        """The data set as tinysearch makes it."""
        made: Dataset = self._make(plugin, cache_dir)
        return made

    def _make(self, plugin: Any, cache: Path, *, clip_s: float = 1.6) -> Any:
        return plugin(audio=AudioOptions(clip_s=clip_s), cache_dir=cache)

    def _load(self, data: Dataset, modality: str, split: Any, *, size: int | None = None) -> Samples:
        channels = self.channels.get(modality, 1)
        return data.load(modality, split, input_size=size or self.input_size, channels=channels)

    def _everything(self, data: Dataset) -> dict[tuple[str, str], Samples]:
        return {(m, split): self._load(data, m, split) for m in data.modalities for split in SPLITS}

    def test_is_a_data_set(self, data: Dataset) -> None:
        law(isinstance(data, SampleSource), "a data set has name, digest, modalities, load and people", type(data))
        law(isinstance(data.digest, str) and data.digest, "a digest is a text, not empty", data.digest)
        law(isinstance(data.name, str) and data.name, "a name is a text, not empty", data.name)
        names = data.modalities
        law(isinstance(names, tuple) and names, "modalities are a tuple with at least one name", names)

    def test_samples_are_int8_images(self, data: Dataset) -> None:
        for (modality, split), samples in self._everything(data).items():
            size, channels = self.input_size, self.channels.get(modality, 1)
            where, inputs = f"{modality} of {split}", samples.inputs
            law(inputs.dtype == np.int8, f"inputs are int8 (byte - 128), {where}", inputs.dtype)
            law(
                inputs.shape[1:] == (size, size, channels),
                f"inputs are [N, {size}, {size}, {channels}], {where}",
                inputs.shape,
            )
            law(len(inputs) > 0, f"every split has samples, {where}")
            law(inputs.min() < inputs.max(), f"inputs are not all the same value, {where}")

    def test_identities_number_people_from_0(self, data: Dataset) -> None:
        for (modality, split), samples in self._everything(data).items():
            where, identities = f"{modality} of {split}", samples.identities
            law(identities.dtype == np.int32, f"identities are int32, {where}", identities.dtype)
            law(identities.shape == (len(samples.inputs),), f"there is one identity a sample, {where}")
            law(identities.min() >= 0, f"identities count from 0, {where}", identities.min())

    def test_splits_can_be_judged(self, data: Dataset) -> None:
        for (modality, split), samples in self._everything(data).items():
            if split == "train":
                law(len(np.unique(samples.identities)) > 1, f"training has two identities or more, {modality}")
                continue
            pairs = draw_pairs({modality: samples.identities})
            law(pairs.genuine.any(), f"{split} has two samples of one identity, {modality}")
            law((~pairs.genuine).any(), f"{split} has two identities or more, {modality}")

    def test_people_are_identities_of_their_modalities(self, data: Dataset) -> None:
        for split in SPLITS:
            people = data.people(split)
            law(set(people) == set(data.modalities), "people have one list a modality", sorted(people))
            law(len({len(ids) for ids in people.values()}) == 1, "lists of people are equally long", split)
            for modality, ids in people.items():
                law(ids.dtype == np.int32 and ids.ndim == 1, "people are int32 [P]", (ids.dtype, ids.shape))
                law(ids.min() >= -1, "a person without a modality has -1", ids.min())
                known = set(self._load(data, modality, split).identities.tolist()) | {-1}
                law(
                    set(ids.tolist()) <= known,
                    f"people are identities that the split has, {modality} of {split}",
                    sorted(set(ids.tolist()) - known)[:5],
                )

    def test_splits_share_no_sample(self, data: Dataset) -> None:
        """Identities cannot be told from outside, but a sample in two splits betrays that they are not disjoint."""
        if self.repeats:
            pytest.skip("the data set says that samples may repeat")
        for modality in data.modalities:
            seen: dict[bytes, str] = {}
            for split in SPLITS:
                for sample in self._load(data, modality, split).inputs:
                    other = seen.setdefault(sample.tobytes(), split)
                    law(other == split, "people of the splits are disjoint, so no sample is in two", (other, split))

    def test_the_same_again(self, data: Dataset, plugin: Any, tmp_path: Path) -> None:
        other = self._make(plugin, tmp_path / "another cache")
        law(other.digest == data.digest, "equal data and settings have equal digests", (data.digest, other.digest))
        for (modality, split), samples in self._everything(data).items():
            for again in (self._load(data, modality, split), self._load(other, modality, split)):
                law(
                    np.array_equal(again.inputs, samples.inputs)
                    and np.array_equal(again.identities, samples.identities),
                    "samples are the same each time, and for equal digests",
                    f"{modality} of {split}",
                )

    def test_whoever_writes_into_samples_spoils_no_others(self, data: Dataset) -> None:
        modality = data.modalities[0]
        samples = self._load(data, modality, "train")
        before = samples.inputs.copy()
        if samples.inputs.flags.writeable:
            samples.inputs[:] = 0
        law(
            np.array_equal(self._load(data, modality, "train").inputs, before),
            "what is loaded is read-only or a copy of its own",
        )

    def test_every_size_is_prepared(self, data: Dataset) -> None:
        for modality in data.modalities:
            for size in (self.input_size // 2, self.input_size + 8):
                shape = self._load(data, modality, "validation", size=size).inputs.shape[1:3]
                law(shape == (size, size), "samples come in the size asked for", shape)

    def test_other_settings_have_other_digests(self, data: Dataset, plugin: Any, cache_dir: Path) -> None:
        other = self._make(plugin, cache_dir, clip_s=0.8)
        for modality in data.modalities:
            left, right = self._load(data, modality, "validation"), self._load(other, modality, "validation")
            if not np.array_equal(left.inputs, right.inputs):
                law(data.digest != other.digest, "settings that change a sample change the digest", data.digest)

    def test_can_go_to_another_process(self, data: Dataset) -> None:
        law(
            same_after_pickling(data, "a data set").digest == data.digest,
            "a data set has the same digest in another process",
        )
