"""A project of a run: `verify` compares every file with what the run emits; every bill says which price is assumed."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from functools import partial
from pathlib import Path

import pytest

from tinysearch.app.cli import main
from tinysearch.app.config.resources import data_dir
from tinysearch.app.run.again import again_source
from tinysearch.core.trust import trust_words
from tinysearch.distribution import installed_version
from tinysearch.firmware.verify.again import as_the_run_emits
from tinysearch.firmware.verify.emitted import Package, as_emitted
from tinysearch.firmware.verify.rung import Rung

PACKAGE = Package(templates=data_dir("firmware_templates"), version=installed_version())
TRAINER = """
from tinysearch.core.program import lower
from tinysearch.core.quantization import Precision
from tinysearch.firmware.untrained import untrained


class Instant:
    digest = "instant"

    def __init__(self, **settings):
        pass

    def fit(self, branch, network, data, *, workspace, progress):
        return untrained(lower(network, Precision.parse(branch.precision)), 0)
"""


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of motions with one project, by a trainer that takes no time."""
    folder = tmp_path_factory.mktemp("again")
    (folder / "trainer_of_again.py").write_text(TRAINER)
    sys.path.insert(0, str(folder))
    words = [
        *("task=motions", "budget=15usd", "task.wrist.width=4", "space.layouts=[[1]]", "space.precisions=[int8]"),
        *("trainer.name=trainer_of_again:Instant", "n_workers=1", "sampler=exhaustive", "emit.top=1"),
        *("emit.verify=false", f"cache.dir={folder / 'cache'}", f"run_dir={folder / 'run'}"),
    ]
    assert main(words) == 0
    return folder / "run"


@pytest.fixture
def project(run_dir: Path) -> Path:
    (found,) = (run_dir / "firmware").iterdir()
    return found


@pytest.fixture(scope="module")
def fresh(run_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the run emits now, from a copy of its project elsewhere."""
    (project,) = (run_dir / "firmware").iterdir()
    copy = Path(shutil.copytree(project, tmp_path_factory.mktemp("moved") / "copy"))
    assert again_source(copy, None, levels=None) is None
    trust_words(["trainer.name=trainer_of_again:Instant"])
    again = again_source(copy, run_dir, levels=None)
    assert again is not None
    return again(copy.parent / "again")


def climbed(project: Path, fresh: Path, *, accept: tuple[str, ...] = ()) -> Rung:
    again = partial(shutil.copytree, fresh)
    return as_the_run_emits(project, again=again, package=PACKAGE, accept=accept)


def forged(project: Path, *, smooth: bool) -> None:
    """A threshold, or the smoothing, changed in what is rendered and in candidate.json, digests and all."""
    document = project / "candidate.json"
    point = json.loads(document.read_text())
    facts = point["firmware_facts"]
    if smooth:
        name, old, new = "main/candidate.h", "CLASSES_SMOOTH = 3", "CLASSES_SMOOTH = 1"
        facts["smooth"] = 1
    else:
        name, old, new = "main/classes.c", f"    {facts['class_thresholds'][2]},\n", "    7,\n"
        facts["class_thresholds"][2] = 7
    files = [path for path in project.rglob("*.[ch]") if old in path.read_text()]
    assert files, name
    for path in files:
        path.write_text(path.read_text().replace(old, new))
        facts["files"][path.relative_to(project).as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()
    document.write_text(json.dumps(point, indent=2) + "\n")


def test_a_project_is_as_its_run_emits_it(project: Path, fresh: Path) -> None:
    rung = climbed(project, fresh)
    assert (rung.name, rung.status) == ("run", "passed"), rung.detail
    rung = as_the_run_emits(project, again=None, package=PACKAGE, accept=())
    assert (rung.status, "weights of candidate.json" in rung.detail) == ("not run", True)


@pytest.mark.parametrize("smooth", [False, True])
def test_a_threshold_forged_with_its_digest_is_found(
    project: Path, fresh: Path, tmp_path: Path, *, smooth: bool
) -> None:
    copy = Path(shutil.copytree(project, tmp_path / "copy"))
    forged(copy, smooth=smooth)
    assert as_emitted(copy, package=PACKAGE).status == "passed"
    rung = climbed(copy, fresh)
    what = "smooth" if smooth else "class_thresholds"
    assert (rung.status, f"firmware_facts.{what}" in rung.detail) == ("failed", True), rung.detail
    assert climbed(copy, fresh, accept=("main/*", "candidate.json")).status == "passed"


def test_a_file_that_is_gone_is_found(project: Path, fresh: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(project, tmp_path / "copy"))
    (copy / "sdkconfig.encrypted").unlink()
    assert "removed: sdkconfig.encrypted" in climbed(copy, fresh).detail


def test_a_point_of_another_run_fails_and_lost_networks_pass_nothing(
    project: Path, run_dir: Path, tmp_path: Path
) -> None:
    trust_words(["trainer.name=trainer_of_again:Instant"])
    moved = Path(shutil.copytree(run_dir, tmp_path / "run"))
    config = (moved / "config.yaml").read_text()
    (moved / "config.yaml").write_text(config.replace(str(run_dir.parent / "cache"), str(tmp_path / "none")))
    shutil.rmtree(moved / "models")
    again = again_source(moved / "firmware" / project.name, None, levels=None)
    rung = as_the_run_emits(moved / "firmware" / project.name, again=again, package=PACKAGE, accept=())
    assert (rung.status, "must have kept its models" in rung.detail) == ("not run", True), rung.detail
    copy = moved / "firmware" / project.name / "candidate.json"
    copy.write_text(json.dumps(json.loads(copy.read_text()) | {"id": "another"}))
    rung = as_the_run_emits(moved / "firmware" / project.name, again=again, package=PACKAGE, accept=())
    assert (rung.status, rung.detail.startswith("another is no point of the run")) == ("failed", True)


def test_an_assumed_price_is_said_in_every_bill(
    project: Path, run_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", f"run_dir={run_dir}", f"shopping={project.name}"]) == 0
    capsys.readouterr()
    assert main(["evaluate", "task=motions", "modality=wrist", "wrist.blocks=[1]", "wrist.precision=int8"]) == 0
    terminal = capsys.readouterr().out
    sensor = next(part for part in json.loads(terminal)["bom"] if part["part"].startswith("MPU-6050"))
    assert sensor["kind"] == "assumed"
    for bill in ("README.md", "bom.csv", run_dir / "shopping" / f"{project.name}.csv"):
        (line,) = [line for line in (project / bill).read_text().splitlines() if "MPU-6050" in line and "2.9" in line]
        assert "assumed" in line, bill
    assert "MPU-6050 (GY-521) (price assumed)" in (run_dir / "report.html").read_text()
