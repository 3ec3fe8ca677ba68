"""The embedded motions: what is in them, who is in which split, and what is refused."""

import numpy as np
import pytest

from tinysearch.core.errors import UserError
from tinysearch.core.protocols import SPLITS
from tinysearch.core.task import Input
from tinysearch.data.motions import MotionsDataset
from tinysearch.data.recordings import Recording, WindowDataset
from tinysearch.data.wrists import EXERCISES
from tinysearch.inputs.camera import Camera
from tinysearch.inputs.motion import Motion

SHAPE = {"input_size": 10, "channels": 6}


def test_it_is_what_the_data_card_says():
    data = MotionsDataset(hop_s=2.0)
    assert data.modalities == ("wrist",) and data.classes == 7 and data.class_names == EXERCISES
    recordings = {split: len(np.unique(data.groups("wrist", split))) for split in SPLITS}
    assert recordings == {"train": 84, "validation": 14, "test": 42}  # 14 of each of 6, 1 and 3 people
    for split in SPLITS:
        samples = data.load("wrist", split, **SHAPE)
        assert samples.inputs.shape[1:] == (10, 10, 6)
        assert np.array_equal(samples.identities, data.labels(split))
        assert np.bincount(samples.identities).min() > 20


def test_gravity_is_seen_in_the_image():
    samples = MotionsDataset(hop_s=2.0).load("wrist", "train", **SHAPE)
    lengths = np.linalg.norm(samples.inputs[..., :3].mean(axis=(1, 2)), axis=1)
    assert 45 < np.median(lengths) < 70  # 1 g of a span of 2 g is 64 steps


def test_an_accelerometer_alone_has_three_axes():
    alone = MotionsDataset(given=Input(name="wrist", kind=Motion(gyroscope=False)), hop_s=2.0)
    both = MotionsDataset(hop_s=2.0)
    three = alone.load("wrist", "test", input_size=10, channels=3)
    assert np.array_equal(three.inputs, both.load("wrist", "test", **SHAPE).inputs[..., :3])
    assert alone.digest != both.digest


def test_overlapping_windows_are_more_of_the_same():
    far, near = (MotionsDataset(hop_s=hop) for hop in (2.0, 1.0))
    assert near.digest != far.digest
    assert 1.9 < len(near.labels("test")) / len(far.labels("test")) < 2.1


def test_unseen_exercises_are_anomalies_that_training_lacks():
    data = MotionsDataset(hop_s=2.0, unseen=("PEN", "ROW"))
    assert data.classes is None and data.normal == 5 and set(data.class_names[5:]) == {"PEN", "ROW"}
    assert data.labels("train").max() == 4
    assert set(data.labels("test").tolist()) == set(range(7))
    assert data.people("train")["wrist"].tolist() == [0, 1, 2, 3, 4]


def test_without_validation_people_the_last_fifth_of_a_recording_validates():
    data = MotionsDataset(hop_s=2.0, validation_people=())
    assert {split: len(np.unique(data.groups("wrist", split))) for split in SPLITS} == {
        "train": 98,
        "validation": 98,
        "test": 42,
    }
    train, validation = len(data.labels("train")), len(data.labels("validation"))
    assert 0.15 < validation / (train + validation) < 0.2  # of whole windows


def test_training_sees_recordings_at_other_speeds():
    plain, varied = MotionsDataset(hop_s=2.0), MotionsDataset(hop_s=2.0, speeds=(0.8, 1.0, 1.25))
    assert varied.digest != plain.digest
    assert 2.9 < len(varied.labels("train")) / len(plain.labels("train")) < 3.15
    assert np.array_equal(varied.load("wrist", "test", **SHAPE).inputs, plain.load("wrist", "test", **SHAPE).inputs)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"test_people": (7,)}, "must be different people"),
        ({"test_people": ()}, "must be different people"),
        ({"test_people": (11,)}, "must be different people"),
        ({"speeds": ()}, "speeds must be numbers from 0.5 to 2"),
        ({"speeds": (3,)}, "speeds must be numbers from 0.5 to 2"),
        ({"hop_s": 0}, "hop_s must be a sample or more; got 0"),
        ({"hop_s": float("inf")}, "hop_s must be a sample or more"),
        ({"unseen": ("RUN",)}, "unseen must be exercises"),
        ({"given": Input(name="wrist", kind=Motion(rate_hz=100))}, "motion sensor at 50 Hz"),
        ({"given": Input(name="face", kind=Camera())}, "motion sensor at 50 Hz"),
        ({"given": Input(name="wrist", kind=Motion(window_s=160.0))}, "must have a window in every split"),
        ({"root": "nowhere"}, "must hold motions.npz"),
    ],
)
def test_bad_input_is_one_line(wrong, says):
    with pytest.raises(UserError, match=says):
        MotionsDataset(**wrong)


def test_another_archive_is_refused(tmp_path):
    (tmp_path / "motions.npz").write_bytes(b"no archive")
    with pytest.raises(UserError, match=r"tools/convert_motions.py"):
        MotionsDataset(root=tmp_path)
    np.savez(tmp_path / "motions.npz", counts=np.zeros((3, 6), np.int16), lengths=np.array([4]))
    with pytest.raises(UserError, match=r"tools/convert_motions.py"):
        MotionsDataset(root=tmp_path)


def test_other_channels_are_refused():
    with pytest.raises(UserError, match=r"a channel an axis; .*; write wrist.channels=6"):
        MotionsDataset(hop_s=2.0).load("wrist", "test", input_size=10, channels=1)


def test_recordings_shorter_than_a_window_give_none():
    kind = Motion(window_s=0.32)
    rng = np.random.default_rng(0)

    def recording(length, label):
        return Recording(name="r", label=label, counts=rng.integers(-9, 9, (length, 6)).astype(np.int16))

    parts = (recording(16, 0), recording(15, 0), recording(40, 1))
    data = WindowDataset(
        name="own",
        digest="0",
        modality="wrist",
        kind=kind,
        hop_s=0.16,
        recordings=dict.fromkeys(SPLITS, parts),
        class_names=("a", "b"),
    )
    assert data.labels("test").tolist() == [0, 1, 1, 1, 1]
    assert data.groups("wrist", "test").tolist() == [0, 2, 2, 2, 2]
    assert data.load("wrist", "test", input_size=4, channels=6).inputs.shape == (5, 4, 4, 6)
