"""People at a door: who they are put together from, in which split, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sample_files import write_door

from tinysearch.core.errors import UserError
from tinysearch.core.protocols import SPLITS
from tinysearch.core.task import Input
from tinysearch.data.chimeric import chimeric_people
from tinysearch.data.door import DoorDataset
from tinysearch.data.pairs import evaluation_pairs
from tinysearch.inputs.motion import Motion

SHAPES = {"face": (16, 3), "hand": (10, 6), "voice": (16, 1)}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_door(tmp_path_factory.mktemp("door") / "archives")


def test_those_who_share_one_identity_share_all_scarcer_ones() -> None:
    people = chimeric_people({"face": 50, "voice": 18, "hand": 21})
    assert people["face"].tolist() == list(range(50))
    assert np.array_equal(people["hand"], people["voice"])  # 18 of 21 hands
    scarce = chimeric_people({"face": 120, "voice": 64, "hand": 42})
    assert len({*zip(scarce["voice"].tolist(), scarce["hand"].tolist(), strict=True)}) == 64


def test_a_hand_is_a_real_person_with_one_exercise(root: Path) -> None:
    data = DoorDataset(root=root)
    assert data.modalities == ("face", "hand", "voice") and "chimeric" in data.caveat
    hands = {split: data.load("hand", split, input_size=10, channels=6).identities for split in SPLITS}
    assert {split: len(np.unique(own)) for split, own in hands.items()} == {"train": 42, "validation": 7, "test": 21}
    assert min(np.bincount(own).min() for own in hands.values()) >= 18  # windows of either arm
    assert [data.varied_as(name) for name in data.modalities] == ["image", "motion", "spectrogram"]


def test_people_of_all_three_are_compared(root: Path) -> None:
    data = DoorDataset(root=root)
    for split in SPLITS:
        pairs = evaluation_pairs(data, split, SHAPES)
        assert pairs.genuine.any() and not pairs.genuine.all()
        assert {name: used.shape for name, used in pairs.samples.items()} == dict.fromkeys(SHAPES, (len(pairs), 2))
    people = data.people("test")
    left = pairs.left_person[~pairs.genuine], pairs.right_person[~pairs.genuine]
    assert all((own[left[0]] != own[left[1]]).all() for own in people.values())  # impostors differ in everything


def test_what_changes_people_changes_the_digest(root: Path, tmp_path: Path) -> None:
    plain = DoorDataset(root=root).digest
    assert plain == DoorDataset(root=root).digest
    assert plain != DoorDataset(root=root, test_people=(9, 10)).digest
    assert plain != DoorDataset(given=Input(name="hand", kind=Motion(gyroscope=False)), root=root).digest
    assert plain != DoorDataset(root=write_door(tmp_path / "more", faces=(5, 3, 3))).digest


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"given": Input(name="face", kind=Motion())}, "must have a name of its own"),
        ({"given": Input(name="hand", kind=Motion(rate_hz=100))}, "data=door must be read as a motion sensor at 50 Hz"),
        ({"given": Input(name="hand", kind=Motion(window_s=30.0))}, "every hand must have two windows or more; got 0"),
        ({"test_people": (11,)}, "must be different people"),
        ({"root": "nowhere"}, "the embedded data must be faces.zip and voices.zip"),
    ],
)
def test_bad_input_is_one_line(root: Path, wrong: dict, says: str) -> None:
    with pytest.raises(UserError, match=says):
        DoorDataset(**({"root": root} | wrong))


def test_an_unknown_modality_is_refused(root: Path) -> None:
    with pytest.raises(UserError, match="must be one of face, hand, voice; got foot"):
        DoorDataset(root=root).load("foot", "test", input_size=10, channels=6)
