"""Sounds and pictures in a folder a class: what is found, who is in which split, and what is refused."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from tinysearch.core.errors import UserError
from tinysearch.core.protocols import SPLITS
from tinysearch.core.task import Input
from tinysearch.data.classes import ClassesDataset
from tinysearch.data.keywords import SILENCE, UNKNOWN, KeywordsDataset
from tinysearch.inputs.camera import Camera
from tinysearch.inputs.microphone import Microphone
from tinysearch.inputs.motion import Motion

SOUND = Input(name="sound", kind=Microphone(clip_s=0.5))
VIEW = Input(name="view", kind=Camera())
SIZES = {"input_size": 16, "channels": 1}


def _wave(number: int, *, seconds: float = 0.5) -> np.ndarray:
    return 0.3 * np.random.default_rng(number).standard_normal(round(16_000 * seconds))


def _speak(path: Path, number: int, *, seconds: float = 0.5) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, _wave(number, seconds=seconds), 16_000)


def _commands(root: Path, *, words: tuple[str, ...] = ("yes", "no", "cat"), speakers: int = 6) -> Path:
    """A tiny tree in the layout of Speech Commands v2."""
    for place, word in enumerate(words):
        for speaker in range(speakers):
            _speak(root / word / f"s{speaker}_nohash_0.wav", 100 * place + speaker)
    _speak(root / "_background_noise_" / "tap.wav", 999, seconds=5.0)
    return root


def _lists(root: Path, *, validation: list[str], test: list[str]) -> None:
    (root / "validation_list.txt").write_text("\n".join(validation) + "\n")
    (root / "testing_list.txt").write_text("\n".join(test) + "\n")


def test_speech_commands_as_its_lists_split_it(tmp_path: Path) -> None:
    root = _commands(tmp_path)
    words = ("yes", "no", "cat")
    _lists(
        root,
        validation=[f"{word}/s4_nohash_0.wav" for word in words],
        test=[f"{word}/s5_nohash_0.wav" for word in words],
    )
    data = ClassesDataset(given=SOUND, root=root, known=["yes", "no"], most_unknown=2.0)
    assert data.class_names == (SILENCE, UNKNOWN, "no", "yes")
    labels = {split: data.load("sound", split, **SIZES).identities for split in SPLITS}
    # 5 s of background are ten clips of 0.5 s, of which one validates and one tests
    assert {split: np.bincount(own).tolist() for split, own in labels.items()} == {
        "train": [8, 4, 4, 4],
        "validation": [1, 1, 1, 1],
        "test": [1, 1, 1, 1],
    }
    assert np.unique(data.groups("sound", "test")).size == 2  # one speaker, one clip of silence


def test_without_lists_a_speaker_is_in_one_split(tmp_path: Path) -> None:
    data = ClassesDataset(given=SOUND, root=_commands(tmp_path, speakers=8), validation_share=0.25, test_share=0.25)
    speakers = {split: {file.group for file in data._labelled[split] if "#" not in file.group} for split in SPLITS}
    assert sum(map(len, speakers.values())) == len(set.union(*speakers.values())) == 8
    assert data.class_names == (SILENCE, "cat", "no", "yes")


def test_other_words_are_thinned_to_a_multiple_of_a_known_one(tmp_path: Path) -> None:
    root = _commands(tmp_path, words=("yes", "a", "b", "c", "d"), speakers=10)
    data = ClassesDataset(given=SOUND, root=root, known=["yes"], most_unknown=1.5)
    counts = np.bincount([file.sample.identity for file in data._labelled["train"]])
    names = dict(zip(data.class_names, counts.tolist(), strict=True))
    assert names[UNKNOWN] == round(1.5 * (names["yes"] + names[SILENCE]) / 2)


@pytest.mark.parametrize(
    ("validation", "message"),
    [
        (["yes/nobody.wav"], r"must name files that are there; got yes/nobody.wav in validation_list.txt, line 1"),
        (
            ["yes/s1_nohash_0.wav", "", "yes/s1_nohash_0.wav"],
            r"must name each file once; got yes/s1_nohash_0.wav in validation_list.txt, line 3",
        ),
    ],
)
def test_a_list_that_does_not_fit_is_refused_by_its_line(tmp_path: Path, validation: list[str], message: str) -> None:
    root = _commands(tmp_path)
    _lists(root, validation=validation, test=["no/s2_nohash_0.wav"])
    with pytest.raises(UserError, match=message):
        ClassesDataset(given=SOUND, root=root)
    (root / "testing_list.txt").unlink()
    with pytest.raises(UserError, match=r"must both be there or neither; got validation_list.txt alone"):
        ClassesDataset(given=SOUND, root=root)


def test_what_is_no_class_is_refused_in_one_line(tmp_path: Path) -> None:
    root = _commands(tmp_path)
    _speak(root / "rare" / "one.wav", 7)
    with pytest.raises(UserError, match=r"a class must have 3 files or more, one a split; got 1 of class rare"):
        ClassesDataset(given=SOUND, root=root)
    with pytest.raises(UserError, match=r"data.known must name folders of data.root; got maybe, and there are cat, no"):
        ClassesDataset(given=SOUND, root=root, known=["maybe"])
    with pytest.raises(UserError, match=r"must be positive and leave some"):
        ClassesDataset(given=SOUND, root=root, test_share=0.95)
    with pytest.raises(UserError, match=r"must be read as a camera's or a microphone's; got wrist: motion"):
        ClassesDataset(given=Input(name="wrist", kind=Motion()), root=_csv(tmp_path / "csv"))
    with pytest.raises(UserError, match=r"data.root must be a folder"):
        ClassesDataset(given=SOUND, root=tmp_path / "nowhere")
    with pytest.raises(UserError, match=r"must have a folder for each class.*19 x suffix .wav"):
        ClassesDataset(given=VIEW, root=_commands(tmp_path / "wrong"))


def _csv(root: Path) -> Path:
    for name in ("a", "b"):
        for number in range(3):
            path = root / name / f"{number}.csv"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("1\n")
    return root


def test_files_that_are_not_used_are_told_and_bad_ones_skipped(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = tmp_path
    for name in ("cup", "key"):
        for number in range(24):
            path = root / name / f"{number:02d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            picture = np.random.default_rng([number, len(name), ord(name[0])]).integers(0, 256, (20, 20, 3))
            Image.fromarray(picture.astype(np.uint8)).save(path)
    (root / "cup" / "notes.docx").write_bytes(b"x")
    for odd in (b"cup/\xe9.png", b"k\xe9y/0.png"):
        path = Path(os.fsdecode(os.path.join(os.fsencode(root), odd)))
        path.parent.mkdir(exist_ok=True)
        path.write_bytes((root / "cup" / "01.png").read_bytes())
    (root / "cup" / "more").mkdir()
    (root / "README.txt").write_text("hello")
    (root / "key" / "00.png").write_bytes((root / "cup" / "00.png").read_bytes())  # filed twice
    data = ClassesDataset(given=VIEW, root=root, validation_share=0.2, test_share=0.2, broken_limit=0.2)
    assert "4 files are not read" in caplog.text
    utf = "its name is not UTF-8, or not one line: rename it"
    assert data.unread[utf] == ("cup/\\xe9.png", "k\\xe9y/0.png")
    assert sorted(data.unread) == [
        "a folder within a class: move its files up",
        utf,
        "suffix .docx: convert or remove it",
    ]
    reasons: dict[str, str] = {}
    for split in SPLITS:
        data.load("view", split, input_size=16, channels=3)
        reasons |= data.skipped("view", split, input_size=16, channels=3).reasons
        assert len(data.groups("view", split)) == len(data.load("view", split, input_size=16, channels=3).identities)
    assert sorted(reasons) == ["cup/00.png", "key/00.png"]
    assert all("of another class" in reason for reason in reasons.values())


def test_a_background_that_cannot_be_read_is_told_of(tmp_path: Path) -> None:
    root = _commands(tmp_path, speakers=12)
    (root / "_background_noise_" / "bad.wav").write_bytes(b"RIFF no sound")
    data = ClassesDataset(given=SOUND, root=root)
    data.load("sound", "train", **SIZES)
    (name,) = data.skipped("sound", "train", **SIZES).reasons
    assert name == "_background_noise_/bad.wav#0"


def test_embedded_keywords_hold_out_people_and_words() -> None:
    data = KeywordsDataset(given=Input(name="word", kind=Microphone(clip_s=1.0)))
    assert data.classes == 10
    assert data.class_names[:2] == (SILENCE, UNKNOWN)
    speakers = {split: {f.group for f in data._labelled[split] if SILENCE not in f.group} for split in SPLITS}
    assert {split: len(own) for split, own in speakers.items()} == {"train": 24, "validation": 8, "test": 18}
    assert sum(map(len, speakers.values())) == len(set.union(*speakers.values()))


def test_an_archive_of_keywords_is_there_and_whole(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"data=keywords must find keywords.zip"):
        KeywordsDataset(given=SOUND, root=tmp_path)
    (tmp_path / "keywords.zip").write_bytes(b"no archive")
    with pytest.raises(UserError, match=r"must be a ZIP file"):
        KeywordsDataset(given=SOUND, root=tmp_path)


def test_clips_decode_to_a_second() -> None:
    data = KeywordsDataset(given=Input(name="word", kind=Microphone(clip_s=1.0)))
    wave, rate_hz = soundfile.read(io.BytesIO(data._labelled["test"][60].sample.read()))
    assert (len(wave) * 16_000 / rate_hz, wave.ndim) == (16_000, 1)
