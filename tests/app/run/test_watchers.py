"""Hooks that watch a search: told of every event, typed by their user, and never in its way."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from tinysearch.app.run.watchers import scalars, watched
from tinysearch.core.errors import UserError
from tinysearch.core.trust import trust_words
from tinysearch.search.events import SearchEvent, ignore

TRIAL = SearchEvent(kind="trial", elapsed_s=1.0, trials=3, trainings=2, best=(0.1, 7.0), front_size=4, hypervolume=0.5)


def test_a_hook_is_told_after_the_program_and_with_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hook_of_a_user.py").write_text(
        "seen = []\ndef tell(event, folder): seen.append((event.kind, folder))\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    told: list[str] = []
    with pytest.raises(UserError, match="plug_ins"):
        watched(ignore, "hook_of_a_user:tell", tmp_path)
    trust_words(["events=hook_of_a_user:tell"])
    watched(lambda event: told.append(event.kind), "hook_of_a_user:tell", tmp_path)(TRIAL)
    import hook_of_a_user  # type: ignore[import-not-found]

    assert told == ["trial"]
    assert hook_of_a_user.seen == [("trial", tmp_path)]


def test_a_hook_that_raises_is_named_once_and_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "hook_that_raises.py").write_text("def tell(event, folder): raise OSError('no disk')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    trust_words(["events=hook_that_raises:tell"])
    tell = watched(ignore, "hook_that_raises:tell", tmp_path)
    with caplog.at_level(logging.WARNING):
        tell(TRIAL)
        tell(TRIAL)
    assert [record.getMessage() for record in caplog.records] == [
        "events=hook_that_raises:tell is not called again: OSError: no disk"
    ]


def test_what_is_plotted_is_named() -> None:
    assert scalars(TRIAL) == {"front": 4, "trainings": 2, "hypervolume": 0.5, "best_0": 0.1, "best_1": 7.0}


@pytest.mark.parametrize(("name", "package"), [("tensorboard", "tensorboard"), ("mlflow", "mlflow")])
def test_hooks_of_ours_write_where_their_package_is_installed(
    name: str, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip(package)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "mlflow").as_uri())
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    tell = watched(ignore, name, tmp_path / "run")
    tell(TRIAL)
    tell(SearchEvent(kind="stopped", elapsed_s=2.0, trials=3, trainings=2))
    assert any(path.is_file() for path in tmp_path.rglob("*"))
