"""Flags and files of Hydra's users: they work as with Hydra, or one line says what does."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tinysearch.app.cli import main, parse
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.app.hydra_front import run_many, values_of
from tinysearch.app.invocation import Invocation
from tinysearch.core.errors import UserError


@pytest.fixture
def options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of options outside the package, in the working folder."""
    monkeypatch.chdir(tmp_path)
    files = {
        "data/mine.yaml": "name: folder\nroot: people\nsplit_seed: 3\n",
        "space/small.yaml": "modalities: voice\n",
        "task/kws.yaml": "inputs: {word: {kind: microphone}}\n",
        "experiment/mine.yaml": "seed: 7\n",
    }
    for name, text in files.items():
        path = tmp_path / "options" / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
    return tmp_path / "options"


def test_options_of_ones_own_are_found_in_folders_and_by_path(options: Path) -> None:
    config = plain(
        compose_config(
            ["hydra.searchpath=[options]", "task=kws", "data=mine", "space=small", "experiment=mine", "hydra.run.dir=x"]
        )
    )
    assert config["data"]["root"] == "people"
    assert config["data"]["test_share"] == 0.3, "what the file leaves out"
    assert config["space"]["path"] == str(options / "space" / "small.yaml")
    assert (list(config["task"]["inputs"]), config["seed"], config["run_dir"]) == (["word"], 7, "x")
    assert plain(compose_config(["data=./options/data/mine.yaml"]))["data"] == config["data"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("name: folder\nrooot: x\n", "did you mean root?"),
        ("name: folder\nsplit_seed: x\n", "data.split_seed must be a whole number"),
        ("- folder\n", "must be a mapping"),
        ("name: [", "must be a readable YAML file"),
        (f"name: {'[' * 40}{']' * 40}", "must nest its values at most"),
    ],
)
def test_a_wrong_file_is_one_line(text: str, line: str, options: Path) -> None:
    (options / "data" / "mine.yaml").write_text(text)
    with pytest.raises(UserError) as caught:
        compose_config([f"data={options}/data/mine.yaml"])
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_cfg_prints_the_configuration(options: Path, capsys) -> None:
    assert main(["--config-dir", "options", "search", "--cfg=job", "data=mine", "budget=9usd"]) == 0
    shown = yaml.safe_load(capsys.readouterr().out)
    assert (shown["data"]["root"], shown["budget"]) == ("people", "9usd")
    assert "hydra" not in shown


def test_many_runs_one_verb_once_a_combination(capsys) -> None:
    ran: list[tuple[str, ...]] = []

    def run(invocation: Invocation) -> int:
        ran.append(invocation.overrides)
        return 0

    words = ["-m", "budget=10usd,15usd", "seed=range(0,2)", "objectives=[eer,latency_s]", "hydra.sweep.dir=here"]
    invocation = parse(words)
    assert invocation.hydra.multirun
    assert run_many(invocation, run) == 0
    rest = "objectives=[eer,latency_s]"
    assert ran == [
        (f"budget={budget}", f"seed={seed}", rest, f"run_dir=here/{number}")
        for number, (budget, seed) in enumerate((b, s) for b in ("10usd", "15usd") for s in (0, 1))
    ]
    assert "[job 3 of 4] budget=15usd seed=1" in capsys.readouterr().err
    assert run_many(invocation, lambda _: 2) == 2


@pytest.mark.parametrize(
    "word", ["data.root=/a b/c", "budget=12.50 usd", "space.layouts=[[1],[2,2]]", "x='a,b'", "y=ä,ö"]
)
def test_what_is_no_list_of_values_is_one(word: str) -> None:
    assert values_of(word) == [word]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["-cn", "x"], "experiment=FILE.yaml"),
        (["--cfg", "hydra"], "--cfg must be job"),
        (["--config-dir"], "must be followed by DIR"),
        (["--config-dir", "nowhere", "--cfg", "job"], "must be a folder"),
        (["-m", "doctor"], "leave out -m"),
        (["-m", "seed=0,1", "run_dir=x"], "write hydra.sweep.dir=DIR"),
        (["-m", "seed=interval(0,1)"], "must be listed"),
        (["hydra.verbose=true", "--cfg", "job"], "hydra.searchpath"),
        (["hydra/launcher=joblib", "--cfg", "job"], "hydra.searchpath"),
    ],
)
def test_the_rest_is_one_line(words: list[str], line: str, capsys, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    said = capsys.readouterr().err
    assert line in said
    assert said.count("\n") == 1
