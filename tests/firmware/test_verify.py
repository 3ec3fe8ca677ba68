"""The ladder finds what is wrong, leaves the project alone, and says what it could not do."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from projects import emitted, face, voice

from tinysearch.core.errors import UserError
from tinysearch.firmware.verify import Rung, emulator, host, idf, project_rules, verify


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return emitted(face("xnor2/1"), voice("int8"), out=tmp_path_factory.mktemp("emitted") / "p", processor="esp32s3")


@pytest.fixture
def copy(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "p"))


def snapshot(folder: Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.stat().st_mtime_ns, path.stat().st_size) for path in sorted(folder.rglob("*"))}


def edit(path: Path, change: Callable[[str], str]) -> None:
    before = path.read_text()
    after = change(before)
    assert after != before
    path.write_text(after)


def test_quick_rungs_pass_and_leave_the_project_alone(original: Path) -> None:
    before = snapshot(original)
    rungs = verify(original, quick=True)
    assert [(rung.name, rung.status) for rung in rungs] == [("host", "passed"), ("project", "passed")]
    assert snapshot(original) == before
    assert json.loads(json.dumps([rung.to_dict() for rung in rungs]))[0].keys() == {"name", "status", "detail"}


@pytest.mark.slow
def test_sanitizers_pass(original: Path) -> None:
    rung = host.sanitizers(original)
    assert rung.status == "passed", rung.detail


@pytest.mark.slow
@pytest.mark.emulator
def test_the_target_instruction_set_gives_the_same_bytes_and_counts(original: Path) -> None:
    rung = emulator.target_instruction_set(original)
    if rung.status == "not run":
        pytest.skip(rung.detail)
    assert rung.status == "passed", rung.detail
    run = emulator.execute(original)
    assert run.outcome.passed
    assert set(run.layers) == {"face", "voice"}
    assert min(count for steps in run.layers.values() for count in steps.values()) > 0
    assert 10_000 < run.flash_bytes < 200_000
    assert emulator.execute(original).layers == run.layers


def test_a_changed_weight_is_noticed(copy: Path) -> None:
    weights = copy / "components/model_voice/model_voice_weights.c"
    edit(weights, lambda text: re.sub(r"(model_voice_stem_weights\[\d+\] = \{\n    )(-?\d+)", r"\g<1>99", text))
    rung = host.golden_vectors(copy)
    assert (rung.name, rung.status) == ("host", "failed")
    assert "DIFFERS" in rung.detail


def test_a_warning_is_an_error(copy: Path) -> None:
    edit(copy / "components/model/ts_model.c", lambda text: text + "\nstatic int unused_thing(void) { return 1; }\n")
    assert host.golden_vectors(copy).status == "failed"


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("partitions.csv", lambda text: text.replace("0x10000,", "0x18000,"), "not aligned"),
        ("partitions.csv", lambda text: text.replace("factory, app", "factory, dat"), "no application"),
        ("partitions.csv", lambda text: text + "rest, data, fat\n", "offset and size"),
        ("sdkconfig.defaults", lambda text: text + "CONFIG_SPIRAM=y\n", "does not know"),
        ("sdkconfig.defaults.esp32s3", lambda text: re.sub("FLASHSIZE_.*MB", "FLASHSIZE_32MB", text), "has a flash of"),
        ("main/CMakeLists.txt", lambda text: text.replace('"people.c"', '"persons.c"'), "does not exist"),
        ("main/CMakeLists.txt", lambda text: text.replace(' "people.c"', ""), "people.c is not built"),
        ("components/store/CMakeLists.txt", lambda text: text.replace("set(requires nvs_flash", "set(requires x"), "x"),
        ("main/idf_component.yml", lambda text: text.replace("idf:", "abc:"), "version of ESP-IDF"),
        ("main/idf_component.yml", lambda text: text + "  - [", "idf_component"),
        ("candidate.json", lambda text: text.replace('"target"', '"tarjet"'), "target"),
        ("components/model_face/model_face.c", lambda text: '#include "gone.h"\n' + text, "no gone.h"),
    ],
)
def test_broken_projects_are_found(name: str, change: Callable[[str], str], message: str, copy: Path) -> None:
    edit(copy / name, change)
    rung = project_rules.project(copy)
    assert rung.status == "failed"
    assert message in rung.detail or message == "idf_component"


def test_a_missing_file_is_found(copy: Path) -> None:
    (copy / "main/Kconfig.projbuild").unlink()
    assert project_rules.project(copy) == Rung(name="project", status="failed", detail="no main/Kconfig.projbuild")


def test_missing_tools_are_not_a_pass(original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("IDF_PATH", raising=False)
    for rung in (host.golden_vectors(original), emulator.target_instruction_set(original), idf.build(original)):
        assert rung.status == "not run"
        assert rung.detail.startswith("not run: needs ")


def test_only_projects_of_ours_are_verified(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(UserError, match="folder of an emitted project"):
            verify(folder)


def test_a_make_around_us_changes_nothing(original: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAKEFLAGS", "nw")
    monkeypatch.setenv("MAKELEVEL", "1")
    assert host.golden_vectors(original).status == "passed"


def test_a_run_away_tool_is_ended(tmp_path: Path) -> None:
    from tinysearch.firmware.verify.rung import run_tool

    outcome = run_tool(("sh", "-c", "echo begun; sleep 600 & wait"), timeout_s=0.3, folder=tmp_path)
    assert outcome.status is None
    assert "begun" in outcome.text
