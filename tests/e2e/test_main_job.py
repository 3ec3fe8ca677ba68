"""The main job from the outside: files, front, resume, refusal, firmware."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import optuna
import pytest

import tinysearch as ts
from tinysearch.app.cli import main
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.app.run.setup import set_up

NAMES = ["eer", "bom_cost_usd", "latency_s"]


def run(tmp_path: Path, *words: str) -> dict:
    assert main([*words, f"run_dir={tmp_path}/run", "-q"]) == 0
    return json.loads((tmp_path / "run" / "front.json").read_text())


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def values(point: dict) -> list[float]:
    return [point["values"][name] for name in NAMES]


def test_the_front_is_the_exact_front_of_the_space(tmp_path: Path, small_space: list[str]) -> None:
    words = [*small_space, "budget=15usd", "sampler=exhaustive", "n_trials=1000", "emit.top=none"]
    front = run(tmp_path, *words)
    assert front["schema"] == 2
    assert front["budget_usd"] == 15.0
    assert front["objectives"] == NAMES
    shown = np.array([values(point) for point in front["points"]])
    setup = set_up(plain(compose_config(words)))
    table = setup.problem.table
    everything = np.array(
        [
            values(
                setup.evaluate(table.candidate(row), setup.errors.error_rates(table.candidate(row).branches)).to_dict()
            )
            for row in range(len(table))
        ]
    )
    beaten = [
        bool(((everything <= point).all(axis=1) & (everything < point).any(axis=1)).any()) for point in everything
    ]
    best = np.unique(everything[~np.array(beaten)].round(9), axis=0)
    np.testing.assert_allclose(np.unique(shown.round(9), axis=0), best)
    assert (shown[:, 1] <= 15.0).all()


def test_a_run_directory_holds_what_the_contract_says(tmp_path: Path, small_space: list[str]) -> None:
    front = run(tmp_path, *small_space, "budget=12usd", "n_trials=8", "emit.top=none")
    folder = tmp_path / "run"
    for name in ("front.csv", "trials.csv", "journal.log", "report.html", "config.yaml", "manifest.json"):
        assert (folder / name).stat().st_size > 0, name
    point = front["points"][0]
    assert set(point) >= {"id", "modality", "branches", "platform", "requires", "bom", "values", "evidence", "firmware"}
    assert point["evidence"]["eer"] == "table"
    low, high = point["values"]["eer_ci95"]
    assert low <= point["values"]["eer"] <= high
    attempt = point["values"]["acquisition_s"] + point["values"]["latency_s"]
    frr = 1 - attempt / point["values"]["effective_latency_far10_s"]
    assert frr == pytest.approx(1.2 * point["values"]["eer"], abs=1e-4)
    rows = read_csv(folder / "front.csv")
    assert [row["id"] for row in rows] == [point["id"] for point in front["points"]]
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["versions"]["tinysearch-boards"]


def test_the_study_shows_names_constraints_and_attributes(tmp_path: Path, small_space: list[str]) -> None:
    front = run(tmp_path, *small_space, "budget=12usd", "n_trials=12", "sampler=random", "emit.top=none")
    backend = optuna.storages.journal.JournalFileBackend(str(tmp_path / "run" / "journal.log"))
    study = optuna.load_study(study_name="tinysearch", storage=optuna.storages.JournalStorage(backend))
    assert study.metric_names == NAMES
    trials = study.get_trials()
    recorded = {trial.user_attrs["id"]: trial for trial in trials if trial.user_attrs.get("feasible")}
    assert {point["id"] for point in front["points"]} <= set(recorded)
    infeasible = [trial for trial in trials if not trial.user_attrs["feasible"]]
    assert infeasible
    assert all(max(trial.system_attrs["constraints"]) > 0 for trial in infeasible)
    assert all(not trial.user_attrs["trained"] for trial in infeasible)
    trained = [key for trial in trials for key in trial.user_attrs["trained"]]
    assert len(trained) == len(set(trained))


def test_running_again_resumes_and_repeats_nothing(tmp_path: Path, small_space: list[str]) -> None:
    words = [*small_space, "budget=15usd", "emit.top=none"]
    run(tmp_path, *words, "n_trials=4")
    first = read_csv(tmp_path / "run" / "trials.csv")
    run(tmp_path, *words, "n_trials=8")
    second = read_csv(tmp_path / "run" / "trials.csv")
    assert first
    assert [row["id"] for row in second[: len(first)]] == [row["id"] for row in first]
    proposals = [row for row in second if row["kind"] == "proposal"]
    assert len(proposals) == 8


@pytest.mark.parametrize(
    ("word", "named"),
    [
        ("budget=14usd", "budget was 15 usd, now 14 usd"),
        ("objectives=[eer,bom_cost_usd]", "objectives"),
        ("space.precisions=[int8]", 'space.precisions was ["int8", "xnor1/1"], now ["int8"]'),
        ("catalog=paper2023", "catalog.name was espressif, now paper2023"),
        ("task.face.width=8", "task.inputs.face.width was 16, now 8"),
        ("latency.settings.x=1", "latency.settings.x was absent, now 1"),
    ],
)
def test_a_run_is_not_resumed_under_other_rules(
    tmp_path: Path, small_space: list[str], word: str, named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [*small_space, "budget=15usd", "emit.top=none", "n_trials=3", f"run_dir={tmp_path}/run", "-q"]
    assert main(words) == 0
    kept = [tmp_path / "run" / name for name in ("front.json", "config.yaml")]
    before = [path.read_text() for path in kept]
    capsys.readouterr()
    changed = [item for item in words if item.split("=")[0] != word.split("=", maxsplit=1)[0]]
    assert main([*changed, word]) == 2
    message = capsys.readouterr().err
    assert named in message
    assert message.count("\n") == 1
    assert [path.read_text() for path in kept] == before


def test_equal_seeds_give_equal_fronts(tmp_path: Path, small_space: list[str]) -> None:
    words = [*small_space, "budget=15usd", "emit.top=none", "n_trials=5", "seed=3"]
    assert run(tmp_path / "a", *words) == run(tmp_path / "b", *words)


def test_the_api_answers_like_the_command(tmp_path: Path, small_space: list[str]) -> None:
    options = dict(word.split("=", 1) for word in small_space)
    result = ts.search(
        trainer="table",
        **{"trainer.path": options["trainer.path"]},
        space={"layouts": [[1], [1, 1], [2, 2]], "precisions": ["int8", "xnor1/1"]},
        budget="15usd",
        n_trials=5,
        seed=0,
        emit={"top": 0},
        run_dir=tmp_path / "api",
    )
    assert list(result.front["id"]) == [point.id for point in result.points]
    assert len(result.study.trials) >= 5
    assert json.loads((tmp_path / "api" / "front.json").read_text())["points"] == [p.document for p in result.points]
    project = result.points[0].emit(tmp_path / "firmware")
    assert (project / "candidate.json").is_file()


def test_firmware_of_a_point_is_verified_and_can_be_emitted_again(
    tmp_path: Path, small_space: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    front = run(tmp_path, *small_space, "budget=15usd", "n_trials=3", "emit.top=1")
    point = front["points"][0]
    project = tmp_path / "run" / point["firmware"]
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert {rung["status"] for rung in manifest["verify"][point["id"]]} == {"passed"}
    again = tmp_path / "again"
    assert main(["emit", f"run_dir={tmp_path}/run", f"id={point['id']}", f"out={again}"]) == 0
    files = {path.relative_to(project): path.read_bytes() for path in project.rglob("*") if path.is_file()}
    assert files == {path.relative_to(again): path.read_bytes() for path in again.rglob("*") if path.is_file()}
    capsys.readouterr()
    assert main(["emit", f"run_dir={tmp_path}/run", "id=nobody", f"out={again}"]) == 2


def test_real_training_end_to_end(tmp_path: Path) -> None:
    """Small networks, one epoch each: the same path as the first run of a user, in seconds."""
    words = [
        "budget=15usd",
        "space.layouts=[[1]]",
        "space.precisions=[int8,xnor2/1]",
        "task.face.width=4",
        "task.face.input_size=24",
        "task.voice.width=4",
        "task.voice.input_size=24",
        "trainer.epochs=2",
        "trainer.float_epochs=1",
        "trainer.samples_per_epoch=128",
        "n_workers=1",
        "n_trials=4",
        "emit.top=1",
        f"cache.dir={tmp_path}/cache",
    ]
    front = run(tmp_path, *words)
    assert all(point["evidence"]["eer"] == "trained" for point in front["points"])
    assert any((tmp_path / "run" / "models").iterdir())
    assert main([*words[:-3], "n_trials=4", "emit.top=none", words[-1], f"run_dir={tmp_path}/second", "-q"]) == 0
    manifest = json.loads((tmp_path / "second" / "manifest.json").read_text())
    assert manifest["search"]["trainings"] == 0


def test_the_wheel_works_in_an_empty_folder(tmp_path: Path) -> None:
    """Build the wheel, install it into an environment that borrows this one's libraries, run it elsewhere."""
    root = Path(__file__).resolve().parents[2]
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(root)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.stat().st_size < 16 * 2**20
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    target = next((tmp_path / "venv" / "lib").glob("python3*")) / "site-packages"
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--target", str(target), str(wheel)],
        check=True,
        capture_output=True,
    )
    borrowed = Path(np.__file__).resolve().parents[1]
    (target / "zz_borrowed.pth").write_text(f"{borrowed}\n")
    empty = tmp_path / "empty"
    empty.mkdir()
    words = ["evaluate", "modality=voice", "voice.blocks=[1,1]", "voice.precision=xnor2/1"]
    done = subprocess.run([python, "-m", "tinysearch", *words], cwd=empty, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["feasible"]
    code = "import tinysearch; print(tinysearch.__file__)"
    where = subprocess.run([python, "-c", code], cwd=empty, capture_output=True, text=True, check=True).stdout
    assert str(target) in where
    words = ["emit", *words[1:], "trainer=none", "out=lock"]
    subprocess.run([python, "-m", "tinysearch", *words], cwd=empty, capture_output=True, check=True)
    assert (empty / "lock" / "host" / "Makefile").is_file()
