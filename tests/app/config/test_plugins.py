"""Plug-ins of every kind are found by entry point, by path and by Hydra's ``_target_``, and take part."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tinysearch.analytic.stepwise import StepwiseLatency
from tinysearch.app.building.datasets import build_dataset
from tinysearch.app.building.errors import build_trainer
from tinysearch.app.building.spaces import build_space
from tinysearch.app.building.wiring import build_backend, build_models
from tinysearch.app.cli import main
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.app.config.plugins import KINDS, make, plugin
from tinysearch.core.errors import UserError
from tinysearch.core.protocols import LatencyEstimate
from tinysearch.core.trust import trust_words
from tinysearch.evaluation.enumeration import NO_OPTION, enumerate_designs
from tinysearch.firmware.backends import Backend, check_backend

EXAMPLES = Path(__file__).parents[2] / "testing/example_plugins.py"
ENTRY_POINTS = """
[tinysearch.architectures]
mine = mine_plugins:architecture
[tinysearch.trainers]
mine = mine_plugins:Trainer
[tinysearch.datasets]
mine = mine_plugins:Data
[tinysearch.latency_models]
mine = mine_plugins:Latency
[tinysearch.samplers]
mine = mine_plugins:Sampler
[tinysearch.events]
mine = mine_plugins:tell
[tinysearch.backends]
mine = mine_plugins:Backend
broken = no_such_module:Backend
"""
NAMES = {
    "architectures": "architecture",
    "trainers": "Trainer",
    "datasets": "Data",
    "latency_models": "Latency",
    "samplers": "Sampler",
    "backends": "Backend",
    "events": "tell",
}
FACE = ("modality=face", "face.blocks=[1]", "face.precision=float32", "face.width=4", "face.input_size=24")
BOARD = ("platform.processor=esp32s3", "emit.verify=false")


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package that registers a plug-in of every kind, as if pip had installed it."""
    site = tmp_path / "site"
    (site / "mine_plugins-1.0.dist-info").mkdir(parents=True)
    (site / "mine_plugins-1.0.dist-info/METADATA").write_text(
        "Metadata-Version: 2.1\nName: mine-plugins\nVersion: 1.0\n"
    )
    (site / "mine_plugins-1.0.dist-info/entry_points.txt").write_text(ENTRY_POINTS)
    shutil.copy(EXAMPLES, site / "mine_plugins.py")
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.chdir(tmp_path)
    yield site
    sys.modules.pop("mine_plugins", None)


def composed(*words: str) -> dict:
    return plain(compose_config([*words, "cache.dir=cache"]))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_found_by_entry_point_and_path(kind: str) -> None:
    found = plugin(kind, "mine")
    trust_words([f"plug_ins=[mine_plugins:{NAMES[kind]},mine_plugins.{NAMES[kind]}]"])
    assert found.__module__ == "mine_plugins" or kind == "architectures"
    assert found is plugin(kind, f"mine_plugins:{NAMES[kind]}") is plugin(kind, f"mine_plugins.{NAMES[kind]}")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["theirs", "no_such_module:x", "no_such_module.x", "mine_plugins:x", "mine_plugins:"])
def test_what_is_not_there_is_one_line(kind: str, name: str) -> None:
    with pytest.raises(UserError) as caught:
        plugin(kind, name)
    assert "\n" not in str(caught.value)
    assert name in str(caught.value)
    assert name != "theirs" or "mine" in str(caught.value)


def test_an_entry_point_that_leads_nowhere_is_one_line() -> None:
    with pytest.raises(UserError, match="backends must be importable; got broken"):
        plugin("backends", "broken")


def test_wrong_settings_are_one_line() -> None:
    with pytest.raises(UserError, match="unexpected keyword argument 'speed'"):
        make("trainers", "mine", seed=0, speed=2)


@pytest.mark.parametrize(
    ("words", "key", "name"),
    [
        (("sampler=mine",), ("sampler", "name"), "mine"),
        (("sampler=mine_plugins:Sampler",), ("sampler", "name"), "mine_plugins:Sampler"),
        (("trainer=mine",), ("trainer", "name"), "mine"),
        (("data=mine",), ("data", "name"), "mine"),
        (("sampler._target_=mine_plugins.Sampler",), ("sampler", "name"), "mine_plugins.Sampler"),
        (("trainer=plugin", "trainer._target_=mine_plugins.Trainer"), ("trainer", "name"), "mine_plugins.Trainer"),
        (("data._target_=mine_plugins.Data",), ("data", "name"), "mine_plugins.Data"),
        (("latency=mine",), ("latency", "model"), "mine"),
        (("latency._target_=mine_plugins.Latency",), ("latency", "model"), "mine_plugins.Latency"),
        (("firmware._target_=mine_plugins.Backend",), ("firmware", "backend"), "mine_plugins.Backend"),
    ],
)
def test_short_forms_and_targets_name_a_plug_in(words: tuple[str, ...], key: tuple[str, str], name: str) -> None:
    assert composed(*words)[key[0]][key[1]] == name


def test_trainers_and_data_sets_are_made() -> None:
    config = composed("trainer=mine", "data=mine", "seed=7", "task.voice.clip_s=2.0")
    assert build_trainer(config).digest == "d7"
    assert build_dataset(config)._made._clip_s == 2.0


def test_a_latency_model_of_ones_own_times_candidates() -> None:
    models, usual = build_models(composed("latency=mine")), build_models(composed())
    assert isinstance(models.latency, StepwiseLatency)
    branch = composed_branch()
    found = models.branch_latency(branch, processor="esp32s3", arena_in_psram=False)
    program = models.needs(branch).program
    assert found.seconds == pytest.approx(sum(1000 + step.macs for step in program.steps) / 240e6)
    assert found.seconds != usual.branch_latency(branch, processor="esp32s3", arena_in_psram=False).seconds
    assert models.latency.acquisition_s == usual.latency.acquisition_s
    with pytest.raises(UserError):
        models.branch_latency(branch, processor="z80", arena_in_psram=False)


def test_a_latency_model_of_ones_own_times_whole_spaces() -> None:
    config = composed("latency=mine", "space.modalities=[face]", "space.layouts=[[1],[1,1]]", "space.input_sizes=[24]")
    models, space, found = build_models(config), build_space(config), 0
    branches = space.branches("face")
    for chunk in enumerate_designs(models, space):
        for row in np.flatnonzero(chunk.option != NO_OPTION):
            (branch,) = (branches[place] for place in chunk.branches[row])
            cycles = sum(1000 + step.macs for step in models.needs(branch).program.steps)
            seconds = cycles / models.catalog.chip(chunk.processor).frequency_hz.value
            assert chunk.latency_s[row] == pytest.approx(seconds)  # so small an arena lies in SRAM on every chip
            found += 1
    assert found > len(branches)


def composed_branch():
    from tinysearch.app.building.branches import branches_of

    return branches_of(composed(*FACE))[0]


@pytest.mark.parametrize("wrong", [{"low": 0.0}, {"low": 9.0}, {"high": float("inf")}, {"seconds": float("nan")}])
def test_times_that_are_none_are_refused(wrong: dict[str, float], monkeypatch: pytest.MonkeyPatch) -> None:
    import mine_plugins

    given = replace(LatencyEstimate(seconds=1.0, low=0.5, high=2.0, calibrated=False), **wrong)
    monkeypatch.setattr(mine_plugins.Latency, "step", lambda self, program, step, **where: given)
    models = build_models(composed("latency=mine"))
    with pytest.raises(UserError, match="0 < low <= seconds <= high"):
        models.branch_latency(composed_branch(), processor="esp32s3", arena_in_psram=False)


def test_a_sampler_of_ones_own_searches_and_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["budget=25usd", "experiment=paper", "trainer=published", "space.modalities=[face]", "emit.top=none"]
    words += ["sampler=mine", "run_dir=run", "cache.dir=cache"]
    assert main(["search", *words, "n_trials=3"]) == 0
    first = json.loads(Path("run/front.json").read_text())
    assert main(["search", *words, "n_trials=6"]) == 0
    assert len(json.loads(Path("run/front.json").read_text())["points"]) >= len(first["points"]) > 0
    assert main(["search", *words, "sampler.settings.haste=1"]) == 2
    assert "a sampler of your own must take" in capsys.readouterr().err


@pytest.fixture
def component(tmp_path: Path) -> Path:
    import mine_plugins

    return mine_plugins.write_component(tmp_path / "rows")


def test_a_backend_of_ones_own_is_in_the_firmware(component: Path, tmp_path: Path) -> None:
    chosen = ["firmware.backend=mine", f"firmware.settings.component={component}"]
    backend = build_backend(composed(*chosen))
    assert isinstance(backend, Backend)
    (component / "notes.pyc").write_bytes(b"x")
    (component / "Kconfig.txt").write_text("")
    assert main(["emit", *FACE, *BOARD, *chosen, "trainer=none", "out=project", "cache.dir=cache"]) == 0
    project = tmp_path / "project"
    facts = json.loads((project / "candidate.json").read_text())["firmware_facts"]["branches"]["face"]
    assert (facts["backend"], facts["backend_steps"]) == ("rows", ["embed"])
    written = {path.name for path in (project / "components/backend_rows").rglob("*") if path.is_file()}
    assert written == {"CMakeLists.txt", "Kconfig.txt", "ts_rows.c", "ts_rows.h"}
    readme = (project / "README.md").read_text()
    assert "component `backend_rows`" in readme
    assert "espressif/rows" not in readme
    if shutil.which("gcc") and shutil.which("make"):
        done = subprocess.run(
            ["make", "-s", "-C", project / "host", "check"], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "backend face rows" in done.stdout


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"name": "esp_nn"}, "name of its own"),
        ({"name": "my-rows"}, "identifier of C"),
        ({"component": None}, "must bring the folder"),
        ({"name": "columns"}, "no ts_columns.c"),
    ],
)
def test_half_a_backend_is_refused(change: dict[str, object], rule: str, component: Path) -> None:
    backend = plugin("backends", "mine")(component=component)
    for name, value in change.items():
        setattr(backend, name, value)
    with pytest.raises(UserError, match=rule):
        check_backend(backend)


def test_what_is_no_backend_is_refused() -> None:
    with pytest.raises(UserError, match="backend"):
        build_backend(composed("firmware.backend=mine_plugins:architecture"))
