"""The main job on Ray and with workers that share a study in PostgreSQL, as typed."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tinysearch.app.cli import main
from tinysearch.app.config.compose import compose_config
from tinysearch.app.run import main_job
from tinysearch.app.run.artifacts import publish

sys.path.insert(0, str(Path(__file__).parents[1] / "search"))

from postgres_server import PASSWORD, programs, server, stop

from tinysearch.core.errors import UserError
from tinysearch.core.safe_text import redacted

NAMES = ["eer", "bom_cost_usd", "latency_s"]


def points(folder: Path) -> list[dict]:
    return json.loads((folder / "front.json").read_text())["points"]


@pytest.mark.slow
def test_ray_finds_the_front_of_one_process(tmp_path: Path, small_space: list[str]) -> None:
    pytest.importorskip("ray", reason="ray is not installed: pip install '.[ray]'")
    words = [*small_space, "budget=15usd", "sampler=exhaustive", "n_trials=100", "emit.top=none"]
    assert main([*words, f"run_dir={tmp_path}/one", "-q"]) == 0
    command = [sys.executable, "-m", "tinysearch", *words, "engine=ray", "n_workers=2", f"run_dir={tmp_path}/ray", "-q"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert points(tmp_path / "ray") == points(tmp_path / "one")


@pytest.mark.slow
@pytest.mark.skipif(programs() is None, reason="PostgreSQL is not installed: apt-get install postgresql")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_search_and_worker_find_the_front_of_one_process(tmp_path: Path, small_space: list[str]) -> None:
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install '.[postgresql]'")
    words = [*small_space, "budget=15usd", "sampler=exhaustive", "n_trials=100", "emit.top=none"]
    assert main([*words, f"run_dir={tmp_path}/one", "-q"]) == 0
    with tempfile.TemporaryDirectory(prefix="pg-") as name, server(Path(name)) as database:
        shared = [*words, f"storage={database.url}", "study=typed"]
        command = [sys.executable, "-m", "tinysearch", "worker", *shared]
        worker = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        done = subprocess.run(
            [sys.executable, "-m", "tinysearch", *shared, f"run_dir={tmp_path}/shared"],
            capture_output=True,
            text=True,
            check=False,
        )
        said, _ = worker.communicate(timeout=300)
        assert (done.returncode, worker.returncode) == (0, 0), done.stderr + said
        assert points(tmp_path / "shared") == points(tmp_path / "one")
        trained = [
            key
            for (text,) in database.query("SELECT value_json FROM trial_user_attributes WHERE key = 'trained'")
            for key in json.loads(str(text))
        ]
        assert len(trained) == len(set(trained)) == 12
        # Other rules are refused, and no word of all this tells the password.
        changed = [word for word in shared if not word.startswith("budget")]
        refused = subprocess.run(
            [sys.executable, "-m", "tinysearch", "worker", *changed, "budget=14usd"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert refused.returncode == 2
        assert "budget was" in refused.stderr
    written = "".join(path.read_text(errors="replace") for path in (tmp_path / "shared").rglob("*") if path.is_file())
    assert PASSWORD not in done.stdout + done.stderr + said + refused.stderr + written


def test_a_worker_needs_a_database(capsys: pytest.CaptureFixture[str], small_space: list[str]) -> None:
    assert main(["worker", *small_space]) == 2
    assert "storage=postgresql://" in capsys.readouterr().err


@pytest.mark.parametrize("word", ["storag=postgresql://u:hunter2@h/d", "storage=postgresql://u:hunter2@h/d seed=[2,"])
def test_complaints_about_an_address_hide_its_password(word: str) -> None:
    with pytest.raises(UserError) as caught:
        compose_config(word.split())
    assert "hunter2" not in str(caught.value)
    assert redacted("postgresql://u:a@b@h/d and x") == "postgresql://u:***@h/d and x"
    assert redacted("https://host/@path") == "https://host/@path"


@pytest.mark.slow
@pytest.mark.skipif(programs() is None, reason="PostgreSQL is not installed: apt-get install postgresql")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_database_that_goes_away_after_the_search_is_one_line(
    tmp_path: Path, small_space: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install '.[postgresql]'")
    words = [*small_space, "budget=15usd", "n_trials=3", "emit.top=none", f"run_dir={tmp_path}/run", "-q"]
    with tempfile.TemporaryDirectory(prefix="pg-") as name, server(Path(name)) as database:

        def stopped(*given: object) -> None:
            stop(database.folder)
            publish(*given)

        monkeypatch.setattr(main_job, "publish", stopped)
        assert main([*words, f"storage={database.url}"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert said[-1].startswith("tinysearch: the database of storage must answer")
    assert not any("Traceback" in line for line in said)
    assert points(tmp_path / "run")
