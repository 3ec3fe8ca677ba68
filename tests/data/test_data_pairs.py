"""Pairs: which ones, how many, the same every time."""

import logging

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinysearch.core.errors import UserError
from tinysearch.data import pairs as pairs_module
from tinysearch.data.pairs import PairOptions, draw_pairs, listed_names, read_pairs

EVERYTHING = PairOptions(genuine=10**6, impostor=10**6)


def _same(one, other):
    return all(np.array_equal(one.samples[m], other.samples[m]) for m in one.samples) and np.array_equal(
        one.left_person, other.left_person
    )


identities = st.lists(st.integers(0, 5), min_size=2, max_size=25).map(lambda own: np.array(own, np.int32))


@given(identities)
def test_all_pairs_of_one_modality_are_each_taken_once(own):
    equal = own[:, None] == own[None, :]
    genuine = (np.triu(equal, 1)).sum()
    if genuine == 0 or equal.all():
        with pytest.raises(UserError, match="a split must have two people"):
            draw_pairs({"face": own}, options=EVERYTHING)
        return
    drawn = draw_pairs({"face": own}, options=EVERYTHING)
    rows = np.sort(drawn.samples["face"], axis=1)
    assert len(drawn) == own.size * (own.size - 1) // 2 == len(np.unique(rows, axis=0))
    assert drawn.genuine.sum() == genuine
    assert np.all(rows[:, 0] < rows[:, 1])
    assert np.array_equal(own[drawn.samples["face"][:, 0]], drawn.left_person)
    assert np.array_equal(own[drawn.samples["face"][:, 1]], drawn.right_person)


@given(st.integers(0, 3), st.integers(1, 40), st.one_of(st.none(), st.integers(1, 40)))
def test_counts_are_kept_and_seeds_repeat(seed, genuine, impostor):
    own = np.repeat(np.arange(6, dtype=np.int32), 4)
    options = PairOptions(seed=seed, genuine=genuine, impostor=impostor)
    drawn = draw_pairs({"face": own}, options=options)
    assert drawn.genuine.sum() == min(genuine, 36)
    assert (~drawn.genuine).sum() == (min(genuine, 36) if impostor is None else impostor)
    assert _same(drawn, draw_pairs({"face": own}, options=options))


def test_seeds_differ():
    own = np.repeat(np.arange(6, dtype=np.int32), 4)
    first, second = (draw_pairs({"face": own}, options=PairOptions(seed=s, impostor=50)) for s in (0, 1))
    assert not _same(first, second)


@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=20),
    st.lists(st.integers(0, 3), min_size=1, max_size=20),
    st.lists(st.tuples(st.integers(-1, 4), st.integers(-1, 3)), min_size=1, max_size=6, unique=True),
)
@settings(max_examples=200)
def test_fusion_pairs(faces, voices, persons):
    samples = {"face": np.array(faces, np.int32), "voice": np.array(voices, np.int32)}
    people = {m: np.array([person[i] for person in persons], np.int32) for i, m in enumerate(("face", "voice"))}
    try:
        drawn = draw_pairs(samples, people=people, options=EVERYTHING)
    except UserError:
        return
    for side, who in ((0, drawn.left_person), (1, drawn.right_person)):
        for modality, own in samples.items():
            assert np.array_equal(own[drawn.samples[modality][:, side]], people[modality][who])
    for indices in drawn.samples.values():
        assert np.all(indices[:, 0] != indices[:, 1])  # a sample is never compared with itself
    for own in people.values():
        assert np.all((own[drawn.left_person] != own[drawn.right_person]) | drawn.genuine)
    counts = [min((own == person[i]).sum() for i, own in enumerate(samples.values())) for person in persons]
    expected = sum(n * (n - 1) // 2 for n, person in zip(counts, persons, strict=True) if min(person) >= 0)
    assert drawn.genuine.sum() == expected


def test_people_who_share_an_identity_are_one_group():
    samples = {m: np.repeat(np.arange(6, dtype=np.int32), 3) for m in ("face", "voice")}
    everyone = np.arange(6, dtype=np.int32)
    shared = draw_pairs(samples, people={"face": everyone, "voice": everyone % 3})
    assert shared.groups.tolist() == [0, 1, 2, 0, 1, 2]
    assert draw_pairs(samples, people={"face": everyone, "voice": everyone}).groups is None
    assert draw_pairs({"face": samples["face"]}).groups is None
    chained = {"face": np.array([0, 0, 1, 2, -1, -1], np.int32), "voice": np.array([5, 1, 1, 2, 3, 4], np.int32)}
    assert draw_pairs(samples, people=chained).groups.tolist() == [0, 0, 0, 3, 4, 5]


def test_fusion_needs_people():
    own = np.repeat(np.arange(3, dtype=np.int32), 3)
    with pytest.raises(UserError, match="people of a fusion must have"):
        draw_pairs({"face": own, "voice": own})


def test_many_samples_are_drawn_from_without_repeats(monkeypatch):
    monkeypatch.setattr(pairs_module, "_ENUMERATED", 100)
    own = np.repeat(np.arange(20, dtype=np.int32), 10)
    drawn = draw_pairs({"voice": own}, options=PairOptions(impostor=5000))
    impostor = drawn.samples["voice"][~drawn.genuine]
    assert len(impostor) == 5000 == len(np.unique(impostor, axis=0))
    assert np.all(own[impostor[:, 0]] != own[impostor[:, 1]])
    assert _same(drawn, draw_pairs({"voice": own}, options=PairOptions(impostor=5000)))


def test_options_are_checked():
    with pytest.raises(UserError):
        PairOptions(genuine=0)
    with pytest.raises(UserError):
        PairOptions(impostor=0)


NAMES = ["a/x/1.flac", "a/x/2.flac", "b/y/1.flac", "b/y/2.flac"]
OWN = np.array([0, 0, 1, 1], np.int32)
PEOPLE = np.array([0, 1], np.int32)


def _list(tmp_path, text):
    path = tmp_path / "test.txt"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_published_list_is_read(tmp_path):
    path = _list(tmp_path, "1 a/x/1.wav a/x/2.wav\n\n0 a/x/1.wav b/y/2.wav\n")
    pairs = read_pairs(path, names={"voice": NAMES}, identities={"voice": OWN}, people={"voice": PEOPLE})
    assert pairs.samples["voice"].tolist() == [[0, 1], [0, 3]]
    assert pairs.genuine.tolist() == [True, False]
    assert listed_names(path) == ["a/x/1.wav", "a/x/2.wav", "b/y/2.wav"]


def test_a_list_serves_two_modalities(tmp_path):
    path = _list(tmp_path, "1 a/x/1.wav a/x/2.wav\n0 a/x/1.wav b/y/2.wav\n")
    faces = ["b/y/2.jpg", "b/y/1.jpg", "a/x/2.jpg", "a/x/1.jpg"]
    pairs = read_pairs(
        path,
        names={"face": faces, "voice": NAMES},
        identities={"face": OWN[::-1], "voice": OWN},
        people={"face": PEOPLE, "voice": PEOPLE},
    )
    assert pairs.samples["face"].tolist() == [[3, 2], [3, 0]]
    assert pairs.samples["voice"].tolist() == [[0, 1], [0, 3]]
    assert pairs.left_person.tolist() == [0, 0]


def test_lines_with_skipped_files_are_dropped_with_a_warning(tmp_path, caplog):
    path = _list(tmp_path, "1 a/x/1.wav a/x/2.wav\n0 a/x/1.wav b/y/9.wav\n")
    with caplog.at_level(logging.WARNING):
        pairs = read_pairs(
            path, names={"voice": NAMES}, identities={"voice": OWN}, people={"voice": PEOPLE}, broken=["b/y/9.flac"]
        )
    assert len(pairs) == 1
    assert "dropped 1 lines" in caplog.text


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("1 a/x/1.wav\n", "label path path"),
        ("2 a/x/1.wav a/x/2.wav\n", "label path path"),
        ("1 a/x/1.wav a/x/7.wav\n", "must be a sample"),
        ("0 a/x/1.wav a/x/2.wav\n", "label 1 must mean"),
        ("1 a/x/1.wav b/y/2.wav\n", "label 1 must mean"),
        ("\n", "at least one line"),
    ],
)
def test_wrong_lists_are_refused_in_one_line(tmp_path, text, rule):
    with pytest.raises(UserError, match=rule) as caught:
        read_pairs(_list(tmp_path, text), names={"voice": NAMES}, identities={"voice": OWN}, people={"voice": PEOPLE})
    assert "\n" not in str(caught.value)


def test_a_list_of_people_is_no_list_of_pairs(tmp_path):
    assert listed_names(_list(tmp_path, "anna\nbob\n")) is None
    assert listed_names(_list(tmp_path, "")) is None
