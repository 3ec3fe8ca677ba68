"""The embedded archives keep their promises, and the parts of their generators that need no input keep theirs."""

import io
import json
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
EMBEDDED = ROOT / "tinysearch" / "data" / "embedded"
ARCHIVES = {"faces": "jpg", "voices": "opus"}

sys.path.insert(0, str(ROOT / "tools"))

from archive import SPLITS, write_archive  # noqa: E402
from faces.render import rasterize, rotation  # noqa: E402
from voices.channel import CLIP_SAMPLES, SAMPLE_RATE_HZ, draw_channel, encode, transmit, with_serial  # noqa: E402
from voices.people import blended_people, original_people  # noqa: E402


@pytest.fixture(params=sorted(ARCHIVES))
def archive(request):
    with zipfile.ZipFile(EMBEDDED / f"{request.param}.zip") as opened:
        yield opened


def _samples(archive):
    return [name for name in archive.namelist() if name != "dataset.json"]


def test_archives_are_small():
    assert sum((EMBEDDED / f"{name}.zip").stat().st_size for name in ARCHIVES) < 12_000_000


def test_members_are_stored_sorted_and_undated(archive):
    assert archive.namelist()[0] == "dataset.json"
    assert _samples(archive) == sorted(_samples(archive))
    for info in archive.infolist():
        assert info.compress_type == zipfile.ZIP_STORED
        assert info.date_time == (1980, 1, 1, 0, 0, 0)


def test_no_identity_is_in_two_splits(archive):
    described = json.loads(archive.read("dataset.json"))["identities"]
    found = {}
    for name in _samples(archive):
        split, identity, _ = name.split("/")
        assert split in SPLITS
        assert found.setdefault(identity, split) == split
    assert found == {identity: entry["split"] for identity, entry in described.items()}


def test_blends_train_only_and_mix_training_voices():
    with zipfile.ZipFile(EMBEDDED / "voices.zip") as archive:
        identities = json.loads(archive.read("dataset.json"))["identities"]
    by_split = {split: set() for split in SPLITS}
    for entry in identities.values():
        by_split[entry["split"]] |= set(entry["styles"])
        assert len(entry["styles"]) == 1 or entry["split"] == "train"
    assert by_split["train"].isdisjoint(by_split["test"] | by_split["validation"])
    assert by_split["validation"].isdisjoint(by_split["test"])


def test_samples_decode_to_the_described_shape(archive):
    described = json.loads(archive.read("dataset.json"))
    for name in _samples(archive)[::200]:
        content = io.BytesIO(archive.read(name))
        if described["modality"] == "face":
            assert np.asarray(Image.open(content)).shape == (described["height"], described["width"], 3)
        else:
            wave, rate_hz = soundfile.read(content)
            assert (rate_hz, wave.shape) == (described["sample_rate_hz"], (described["clip_samples"],))
            assert np.abs(wave).max() <= 1
            assert wave.std() > 1e-3


def test_the_same_samples_give_the_same_archive(tmp_path):
    samples = {"train/f000/00.jpg": b"a", "test/f001/00.jpg": b"b"}
    write_archive(tmp_path / "one.zip", description={"name": "x"}, samples=samples)
    write_archive(tmp_path / "two.zip", description={"name": "x"}, samples=dict(reversed(samples.items())))
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    assert len(list(tmp_path.iterdir())) == 2


def test_a_clip_has_the_same_bytes_every_time_and_decodes_whole():
    speech = np.random.default_rng(0).normal(0, 0.1, CLIP_SAMPLES)
    rng = np.random.default_rng(1)
    clip = transmit(speech, draw_channel(rng=rng), rng=rng)
    first = encode(clip, serial=7)
    assert first == encode(clip, serial=7) == with_serial(encode(clip, serial=8), 7)
    wave, rate_hz = soundfile.read(io.BytesIO(first))
    assert (rate_hz, len(wave)) == (SAMPLE_RATE_HZ, CLIP_SAMPLES)


def test_people_are_split_once_and_blends_stay_in_one_sex():
    names = [f"a{sex}_{k}" for sex in "fm" for k in range(12)]
    people = original_people(names, rng=np.random.default_rng(0))
    assert sorted(name for p in people for name in p.weights) == sorted(names)
    for blend in blended_people(people, 10, rng=np.random.default_rng(1)):
        assert blend.split == "train"
        assert len({name[1] for name in blend.weights}) == 1
        assert sum(blend.weights.values()) == pytest.approx(1)


def test_the_nearer_triangle_hides_the_farther():
    screen = np.array([[0, 0], [8, 0], [0, 8], [0, 0], [8, 0], [0, 8]], float)
    depth = np.array([0, 0, 0, 1, 1, 1], float)
    hits = rasterize(screen, depth, np.array([[0, 1, 2], [3, 4, 5]]), side=8)
    assert len(hits.pixel) == 36
    assert (hits.triangle == 1).all()
    assert hits.place.sum(1) == pytest.approx(np.ones(36))


def test_a_rotation_keeps_lengths_and_handedness():
    turn = rotation(pitch_rad=0.3, yaw_rad=-0.8, roll_rad=0.1)
    assert turn @ turn.T == pytest.approx(np.eye(3))
    assert np.linalg.det(turn) == pytest.approx(1)
