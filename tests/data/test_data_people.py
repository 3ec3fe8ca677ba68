"""People's own folders: what is a sample, what is none and why, and samples that are there twice."""

import os
import unicodedata

import numpy as np
import pytest
from sample_files import encode_picture, encode_wave, picture_of, wave_of

from tinysearch.core.errors import UserError
from tinysearch.core.protocols import SPLITS
from tinysearch.data import AudioOptions, FolderDataset
from tinysearch.data.copies import find_copies
from tinysearch.data.pairs import evaluation_pairs
from tinysearch.data.people import find_people

SHAPE = {"input_size": 16, "channels": 1}


@pytest.fixture
def people(tmp_path):
    """Eight people with three faces each."""
    for person in range(8):
        folder = tmp_path / f"p{person}" / "face"
        folder.mkdir(parents=True)
        for number in range(3):
            (folder / f"{number}.png").write_bytes(encode_picture(picture_of(person, number)))
    return tmp_path


def _skipped(data, modality="face"):
    reasons = {}
    for split in SPLITS:
        reasons |= data.skipped(modality, split, **SHAPE).reasons
    return reasons


def test_whatever_is_not_read_is_counted_by_reason(people, caplog):
    face = people / "p0" / "face"
    (face / "0.png").rename(face / "0.heic")
    (face / "1.png").rename(face / "1.PNG")
    (people / "p1" / "face").rename(people / "p1" / "Face")
    (people / "p2" / "face" / "session").mkdir()
    (people / "p2" / "face" / "0.png").rename(people / "p2" / "face" / "session" / "0.png")
    (people / "p3" / "face" / "0.png").rename(people / "p3" / "0.png")
    (people / "p4" / "face" / "note.wav").write_bytes(b"")
    (people / "p4" / "face" / ".DS_Store").write_bytes(b"")
    (people / "p4" / "face" / "Thumbs.db").write_bytes(b"")
    (people / "README").write_bytes(b"")
    os.mkfifo(people / "p5" / "face" / "3.png")
    (people / "p5" / "face" / "4.png").symlink_to("4.png")
    (people / "p6" / "face" / b"\xff.png".decode("utf-8", "surrogateescape")).write_bytes(b"")
    (people / "p6" / "face" / "a\nb.png").write_bytes(b"")
    tree = find_people(people)
    assert {reason: len(names) for reason, names in tree.unread.items()} == {
        "it does not lie in <person>/face or <person>/voice": 1,
        "it lies deeper than <person>/face/FILE or <person>/voice/FILE: move it up": 1,
        "its folder must be called face, not Face": 3,
        "its name is not UTF-8, or not one line: rename it": 2,
        "no regular file": 2,
        "suffix .heic: convert it with heif-convert or ImageMagick to .jpg": 1,
        "suffix .wav: none of face": 1,
    }
    assert len(tree.found["face"]["p0"]) == 2
    assert "\n" not in caplog.messages[-1]
    assert "11 files are not read" in caplog.text


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_used(people, monkeypatch):
    monkeypatch.setattr("tinysearch.data.splits.MOST_SAMPLE_BYTES", 2**20)
    (people / "p1" / "face" / "long.png").write_bytes(bytes(2**20 + 1))
    (people / "p2" / "face" / "wire.png").symlink_to("/proc/self/mem")  # a regular file whose reading fails
    reasons = _skipped(FolderDataset(root=people))
    assert reasons == {"p1/face/long.png": "must have at most 1 MiB", "p2/face/wire.png": "Input/output error"}


def test_links_in_a_circle_end(people):
    (people / "p0" / "face" / "again").symlink_to(people)
    (people / "all").symlink_to(people)
    assert sorted(find_people(people).found["face"]) == [f"p{number}" for number in range(8)]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_lists_name_people_in_any_encoding_and_form(people, encoding):
    decomposed = unicodedata.normalize("NFD", "zoë")
    (people / "p0").rename(people / decomposed)
    (people / "p1").rename(people / "anna maria")
    (people / "test.txt").write_bytes("zoë\r\nanna maria/\r\n".encode(encoding))
    data = FolderDataset(root=people)
    assert len(data.load("face", "test", **SHAPE).inputs) == 6
    lines = "1\tzoë\\face\\0.png\tzoë\\face\\1.png\r\n0\t./zoë/face/0.png\tanna maria/face/0.png\r\n"
    (people / "test.txt").write_bytes(lines.encode(encoding))
    pairs = evaluation_pairs(FolderDataset(root=people), "test", {"face": (16, 1)})
    assert pairs.genuine.tolist() == [True, False]


def test_a_name_in_two_encodings_is_refused(people):
    for form in ("NFC", "NFD"):
        (people / unicodedata.normalize(form, "zoë") / "face").mkdir(parents=True)
        (people / unicodedata.normalize(form, "zoë") / "face" / "0.png").write_bytes(b"")
    with pytest.raises(UserError, match="NFC, NFD"):
        find_people(people)


def test_copies_under_two_people_or_in_two_splits_belong_to_nobody(people):
    (people / "test.txt").write_text("p0\np1\n")
    (people / "p0" / "face" / "0.png").rename(people / "p0" / "face" / "9.png")
    (people / "p1" / "face" / "9.bmp").write_bytes(encode_picture(picture_of(0, 0), kind="BMP"))
    (people / "p2" / "face" / "9.tif").write_bytes(encode_picture(picture_of(0, 1), kind="TIFF"))
    (people / "p3" / "face" / "9.png").write_bytes(encode_picture(picture_of(3, 2)))
    data = FolderDataset(root=people, broken_limit=0.5)
    assert _skipped(data) == {
        "p0/face/9.png": "the same as p1/face/9.bmp of another person",
        "p1/face/9.bmp": "the same as p0/face/9.png of another person",
        "p0/face/1.png": f"the same as p2/face/9.tif of another person, in {_split_of(data, 'p2')}",
        "p2/face/9.tif": "the same as p0/face/1.png of another person, in test",
        "p3/face/9.png": "the same as p3/face/2.png",
    }
    samples = data.load("face", "test", **SHAPE)
    assert samples.identities.tolist() == [0, 1, 1, 1]
    assert len(samples.inputs) == 4
    with pytest.raises(UserError, match="of a split's files must be unusable"):
        FolderDataset(root=people).load("face", "test", **SHAPE)


def _split_of(data, person):
    return next(s for s in SPLITS if any(f.name.startswith(person) for f in data._files["face"][s]))


def test_copies_are_found_in_the_cache_too(people, tmp_path):
    (people / "p1" / "face" / "9.png").write_bytes(encode_picture(picture_of(0, 0)))
    first, again = (FolderDataset(root=people, cache_dir=tmp_path / "c", broken_limit=0.9) for _ in range(2))
    assert _skipped(first) == _skipped(again) != {}
    assert all(
        np.array_equal(first.load("face", split, **SHAPE).inputs, again.load("face", split, **SHAPE).inputs)
        for split in SPLITS
    )


def test_a_sample_three_times_names_another_owner_for_each():
    found = find_copies([((7, "test", 0), "a"), ((7, "test", 0), "b"), ((7, "test", 1), "c"), ((8, "test", 0), "d")])
    assert found == {
        0: "the same as c of another person",
        1: "the same as c of another person",
        2: "the same as a of another person",
    }


def test_what_the_firmware_would_refuse_is_no_sample(people):
    voice = people / "p0" / "voice"
    voice.mkdir()
    silent, loud = np.zeros(9600), np.sign(wave_of(0, 0))
    for name, wave in (
        ("good", wave_of(0, 0)),
        ("silent", silent),
        ("offset", silent + 0.2),
        ("clipped", loud),
        ("down", loud / 3),
    ):
        (voice / f"{name}.wav").write_bytes(encode_wave(wave))
    (people / "p1" / "face" / "black.png").write_bytes(encode_picture(np.zeros((16, 16), np.uint8)))
    data = FolderDataset(root=people, audio=AudioOptions(clip_s=0.4), broken_limit=0.9)
    assert {name: reason.split(":")[0] for name, reason in _skipped(data, "voice").items()} == dict.fromkeys(
        ("p0/voice/clipped.wav", "p0/voice/down.wav", "p0/voice/offset.wav", "p0/voice/silent.wav"), "no signal"
    )
    assert "one brightness" in _skipped(data)["p1/face/black.png"]


def test_a_split_that_cannot_be_judged_is_named(people):
    for person in range(8):
        for number in (1, 2):
            (people / f"p{person}" / "face" / f"{number}.png").unlink()
    with pytest.raises(UserError, match="got folder/validation: 2 people with 2 samples in face"):
        evaluation_pairs(FolderDataset(root=people), "validation", {"face": (16, 1)})


def test_a_split_of_which_nothing_can_be_used_is_refused_whatever_the_limit(people):
    for path in people.rglob("*.png"):
        path.write_bytes(b"")
    data = FolderDataset(root=people, broken_limit=1.0)
    with pytest.raises(UserError, match=r"a split must have a file that can be used; got none of \d+ in folder/face"):
        data.load("face", "test", **SHAPE)
