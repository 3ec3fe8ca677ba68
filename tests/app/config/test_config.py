from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tinysearch.app.building.branches import branches_of
from tinysearch.app.building.spaces import build_space
from tinysearch.app.building.wiring import wish_of
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.app.config.resources import data_dir
from tinysearch.app.config.words import options_of, overrides_of
from tinysearch.core.errors import UserError


def composed(*words: str) -> dict:
    return plain(compose_config(words))


def test_short_forms_reach_their_keys() -> None:
    words = ["objectives=[eer,bom_cost_usd]", "latency=opcount", "fusion=learned", "budget=15 eur", "rates.eur=1.1"]
    config = composed(*words)
    assert config["fusion"]["rule"] == "learned"
    assert config["objectives"]["names"] == ["eer", "bom_cost_usd"]
    assert config["latency"]["model"] == "opcount"
    assert (config["budget"], config["rates"]) == ("15 eur", {"eur": 1.1})


def test_a_path_stands_for_a_catalogue(tmp_path: Path) -> None:
    assert composed(f"catalog={tmp_path}/my parts")["catalog"]["name"] == f"{tmp_path}/my parts"


@pytest.mark.parametrize(
    ("word", "line"),
    [
        ("budgt=15usd", "budget"),
        ("+budgt=1", "set, not added"),
        ("face.precsion=int8", "face.precision"),
        ("sampler=tpee", "tpe"),
        ("catalog=espresif", "espressif"),
        ("trainer.path=x", "trainer"),
        ("face.blocks=[2,", "syntax"),
        ("n_trials", "key=value"),
        # A value of another kind than the default's.
        ("sampler.draws=x", "sampler.draws must be a whole number; got x; write sampler.draws=64"),
        ("sampler.draws=null", "sampler.draws must be a whole number; got null; write sampler.draws=64"),
        ("trainer.epochs=1.5", "trainer.epochs must be a whole number; got 1.5; write trainer.epochs=16"),
        (
            "sampler.cost_exponent=nan",
            "sampler.cost_exponent must be a number; got nan; write sampler.cost_exponent=0.25",
        ),
        ("sampler.prune=maybe", "sampler.prune must be true or false; got maybe; write sampler.prune=true"),
        ("n_trials=true", "n_trials must be a whole number; got true; write n_trials=40"),
        ("far=[a,b]", "every element of far must be a number; got a; write far=[0.01,0.02,0.05,0.1]"),
        ("space.precisions=int8,float32", "a list; got int8,float32; write space.precisions=[int8,float32]"),
        ("space.layouts=2", "write space.layouts=["),
        ("emit=3", "emit must be a group of options; got 3; write emit.format=.."),
        ("sampler=null", "got null; choose one of them"),
        ("budget=[a]", "budget must be one value, no list; got [a]; write budget=VALUE"),
        ("objectives=[[eer]]", "got [eer]; write objectives.names=[eer]"),
    ],
)
def test_what_nobody_meant_gets_one_line(word: str, line: str) -> None:
    with pytest.raises(UserError) as caught:
        compose_config([word])
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("word", "key", "listed"),
    [
        ("space.precisions=int8", "space.precisions", ["int8"]),
        ("space.modalities=voice", "space.modalities", ["voice"]),
        ("space.widths=8", "space.widths", [8]),
        ("objectives=eer", "objectives.names", ["eer"]),
        ("objectives.names=eer", "objectives.names", ["eer"]),
        ("far=0.1", "far", [0.1]),
    ],
)
def test_a_word_stands_for_a_list_of_it(word: str, key: str, listed: list[object]) -> None:
    group, name = (*key.split("."), None)[:2]
    found = composed(word)[group]
    assert (found if name is None else found[name]) == listed


@pytest.mark.parametrize(
    "word", ["n_trials=null", "far=0.1", "warm_start=runs/x", "timeout=30", "trainer.lr_decay=0", "ray.num_gpus=0.5"]
)
def test_values_of_another_spelling_are_taken(word: str) -> None:
    assert composed(word)


def test_a_path_may_look_like_a_number() -> None:
    config = composed("run_dir=2026", "trainer=table", "trainer.path=5", "out=1.50")
    assert (config["run_dir"], config["trainer"]["path"], config["out"]) == ("2026", "5", "1.50")
    assert composed("run_dir=null")["run_dir"] is None


_NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12).filter(
    lambda name: (
        "${" not in name and name != "null" and name[0] != "~" and not (name[0] in "'\"" and name[-1] == name[0])
    )
)


@settings(max_examples=15, deadline=None)
@given(name=_NAMES)
@example(name="müller/people")
@example(name="C:\\people\\")
@example(name='it\'s [a] {b}=c, d\\\\"e" (f) #1~;&!?%$x')
@example(name="[a,b]")
@example(name="日本語\n\t")
def test_a_path_has_any_letter(name: str) -> None:
    config = composed(f"run_dir={name}", f"out=x/{name}", "trainer=table", *overrides_of({"trainer.path": name}))
    assert (config["run_dir"], config["out"], config["trainer"]["path"]) == (name, f"x/{name}", name)


def test_quotes_around_a_path_are_those_of_hydra() -> None:
    words = ["run_dir='a b'", 'out="c\\"d"', "trainer=table", "trainer.path=${oc.env:HOME}/x", "seed=1"]
    config = composed(*words)
    assert (config["run_dir"], config["out"]) == ("a b", 'c"d')
    assert config["trainer"]["path"].endswith("/x") and "$" not in config["trainer"]["path"]


@pytest.mark.parametrize(
    ("word", "paths"),
    [
        ("warm_start=größe.csv", "größe.csv"),
        ("warm_start=[größe.csv, b c.csv]", ["größe.csv", "b c.csv"]),
        ("warm_start=null", None),
        ("warm_start=[]", []),
    ],
)
def test_a_list_of_paths_has_any_letter(word: str, paths: object) -> None:
    assert composed(word)["warm_start"] == paths


def test_a_path_in_python_is_one_text() -> None:
    assert composed(*overrides_of({"run_dir": "'a'"}))["run_dir"] == "'a'"
    with pytest.raises(UserError, match="run_dir must be one path, no list"):
        overrides_of({"run_dir": ["a"]})


@pytest.mark.parametrize("group", ["task", "space", "catalog", "trainer", "data", "sampler", "objectives", "report"])
def test_every_configuration_composes(group: str) -> None:
    for name in options_of(group):
        if name != "path":
            assert composed(f"{group}={name}")[group]


def test_arrays_are_lists_and_bytes_are_paths() -> None:
    assert overrides_of({"far": np.array([0.01, 0.1])}) == ["far=[0.01,0.1]"]
    assert overrides_of({"n_trials": np.array(3)}) == ["n_trials=3"]
    assert composed(*overrides_of({"run_dir": "rück".encode()}))["run_dir"] == "rück"


def test_keyword_arguments_spell_the_same_configuration() -> None:
    words = overrides_of({"face": {"blocks": [2, 2], "precision": "xnor2/1"}, "budget": "15usd", "seed": 3})
    config = composed(*words)
    assert config["branches"]["face"]["blocks"] == [2, 2]
    assert config["branches"]["face"]["precision"] == "xnor2/1"
    assert config["seed"] == 3


def test_a_branch_takes_the_tasks_sizes_unless_it_says_otherwise() -> None:
    (branch,) = branches_of(composed("face.blocks=[2,1]", "face.precision=int8", "face.width=24"))
    own = branch.architecture
    assert (branch.modality, own.blocks, own.width, branch.input_size) == (
        "face",
        (2, 1),
        24,
        64,
    )
    (paper,) = branches_of(composed("experiment=paper", "face.blocks=[2,1]", "face.precision=int8"))
    assert (paper.architecture.width, paper.input_size, paper.channels, paper.architecture.embedding) == (
        64,
        224,
        3,
        512,
    )


@pytest.mark.parametrize(
    "words",
    [
        ("modality=smell",),
        ("modality=face",),
        ("face.blocks=[2,2]",),
        ("face.blocks=[]", "face.precision=int8"),
        ("face.blocks=2", "face.precision=int8"),
        ("face.blocks=[2,0]", "face.precision=int8"),
        ("face.blocks=[2,2]", "face.precision=int4"),
        ("face.blocks=[2,2]", "face.precision=int8", "face.width=wide"),
        ("modality=fusion", "face.blocks=[1]", "face.precision=int8"),
    ],
)
def test_impossible_candidates_are_refused(words: tuple[str, ...]) -> None:
    with pytest.raises(UserError):
        branches_of(composed(*words))


def test_platform_sizes_read_as_in_a_data_sheet() -> None:
    wish = wish_of(composed("platform.flash=4MB", "platform.psram=512KiB", "platform.processor=esp32s3"))
    assert (wish.processor, wish.flash_bytes, wish.psram_bytes) == ("esp32s3", 4 << 20, 512 << 10)


def test_the_paper_space_has_six_layouts_by_six_precisions_a_modality() -> None:
    space = build_space(composed())
    assert len(space.branches("face")) == len(space.branches("voice")) == 36
    assert sorted(space.combinations) == [("face",), ("face", "voice"), ("voice",)]


def test_a_space_may_come_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({"name": "mine", "layouts": [[1]], "precisions": ["int8"], "widths": [8, 16]}))
    space = build_space(composed(f"space={path}"))
    assert len(space.branches("face")) == 2
    path.write_text("layouts: 3\nsurprise: 1\n")
    with pytest.raises(UserError, match="keys"):
        build_space(composed(f"space={path}"))


def test_every_option_of_a_group_says_what_it_is() -> None:
    for path in (data_dir("conf") / "data").glob("*.yaml"):
        assert path.read_text().startswith("# ")
