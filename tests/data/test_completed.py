"""What a data set of one's own does not say has a default, what it says is kept."""

from __future__ import annotations

from tinysearch.core.protocols import Dataset, SampleSource
from tinysearch.data.completed import completed


class Plain:
    name, digest, modalities = "mine", "0", ("face",)

    def load(self, modality, split, *, input_size, channels):
        raise NotImplementedError(modality, split, input_size, channels)

    def people(self, split):
        return {"face": [split]}


class Telling(Plain):
    classes, caveat = 3, "made up"

    def groups(self, modality, split):
        return [modality, split]


def test_a_plain_data_set_gets_defaults():
    made = Plain()
    assert isinstance(made, SampleSource) and not isinstance(made, Dataset)
    data = completed(made)
    assert (data.name, data.modalities, data.people("test")) == ("mine", ("face",), {"face": ["test"]})
    assert (data.classes, data.normal, data.ordered, data.augmentation, data.caveat) == (None, None, False, None, "")
    assert data.groups("face", "test") is None and data.listed_pairs("test", {}) is None


def test_what_it_says_is_kept():
    data = completed(Telling())
    assert (data.classes, data.caveat, data.groups("face", "test")) == (3, "made up", ["face", "test"])
    assert completed(data) is data
