"""The ladder finds what is wrong, leaves the project alone, and says what it could not do."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from projects import TEMPLATES, VERSION, emitted, face, voice

from tinysearch.core.errors import UserError
from tinysearch.firmware.verify import Package, Rung, emulator, host, idf, lock, project_rules, stack, verify
from tinysearch.firmware.verify.emitted import as_emitted
from tinysearch.firmware.verify.facts import LockedBranch
from tinysearch.firmware.verify.objects import Objects, shared_objects

PACKAGE = Package(templates=TEMPLATES, version=VERSION)


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
    rungs = verify(original, quick=True, package=PACKAGE)
    assert [(rung.name, rung.status) for rung in rungs] == [
        ("files", "passed"),
        ("code", "passed"),
        ("host", "passed"),
        ("lock", "passed"),
        ("project", "passed"),
    ]
    assert snapshot(original) == before
    assert json.loads(json.dumps([rung.to_dict() for rung in rungs]))[0].keys() == {"name", "status", "detail"}


def test_a_back_door_that_no_driving_opens_is_found(copy: Path) -> None:
    edit(copy / "main/owner.c", swap("return differing == 0;", "return differing == 0 || pin[0] == '9';"))
    rung = as_emitted(copy, package=PACKAGE)
    assert (rung.status, rung.detail.partition(":")[0]) == ("failed", "changed"), rung.detail
    assert "main/owner.c: emit the project again, or accept=" in rung.detail
    rung = as_emitted(copy, package=PACKAGE, accept=["main/own*"])
    assert (rung.status, "accepted: changed: main/owner.c" in rung.detail) == ("passed", True), rung.detail
    forge(copy, "main/owner.c")
    rung = as_emitted(copy, package=PACKAGE)
    assert rung.detail.startswith(f"not as this version {VERSION} has it: main/owner.c"), rung.detail


def forge(project: Path, name: str) -> None:
    """Let candidate.json list the digest that a file has now."""
    point = json.loads((project / "candidate.json").read_text())
    point["firmware_facts"]["files"][name] = hashlib.sha256((project / name).read_bytes()).hexdigest()
    (project / "candidate.json").write_text(json.dumps(point))


def test_files_changed_added_and_removed_are_named(copy: Path) -> None:
    edit(copy / "components/model_voice/model_voice_weights.c", lambda text: text + "\n")
    edit(copy / "host/Makefile", lambda text: text + "\n")
    (copy / "components/runtime/ts_arithmetic.h").unlink()
    (copy / "main/string.h").write_text("")
    (copy / "main/line.h").symlink_to("string.h")
    (copy / "main/.editor").write_text("")
    (copy / "host/build").mkdir()
    (copy / "host/build/host").write_text("")
    rung = as_emitted(copy, package=PACKAGE)
    assert rung.status == "failed"
    assert rung.detail.partition(": emit")[0] == (
        "changed: components/model_voice/model_voice_weights.c, host/Makefile; "
        "removed: components/runtime/ts_arithmetic.h; no plain file: main/line.h; added: main/string.h"
    )


def test_a_project_of_another_version_is_not_passed(copy: Path) -> None:
    edit(copy / "candidate.json", swap(f'"version": "{VERSION}"', '"version": "9.9"'))
    rung = as_emitted(copy, package=PACKAGE)
    assert (rung.status, rung.detail.partition(",")[0]) == ("not run", "written by version 9.9")
    edit(copy / "main/owner.c", lambda text: text + "\n")
    assert as_emitted(copy, package=PACKAGE).status == "failed"
    edit(copy / "candidate.json", swap('"files"', '"felis"'))
    assert as_emitted(copy, package=PACKAGE).status == "not run"
    edit(copy / "candidate.json", swap('"version": "9.9"', f'"version": "{VERSION}"'))
    assert as_emitted(copy, package=PACKAGE).status == "failed"


@pytest.mark.slow
def test_sanitizers_pass(original: Path) -> None:
    rung = host.sanitizers(original)
    assert rung.status == "passed", rung.detail


@pytest.mark.emulator
@pytest.mark.slow
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


@pytest.fixture(scope="module")
def objects() -> Iterator[Objects]:
    with shared_objects() as shared:
        yield shared


def swap(old: str, new: str) -> Callable[[str], str]:
    return lambda text: text.replace(old, new)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("main/candidate.h", swap("INT32_C(1887437)", "INT32_C(1887436)"), "CANDIDATE_THRESHOLD"),
        ("candidate.json", swap('"threshold": null', '"threshold": 1000000'), "CANDIDATE_THRESHOLD"),
        ("main/candidate.c", swap("{&model_face, &model_voice}", "{&model_face, &model_face}"), "the branches"),
        ("components/model_face/include/model_face.h", swap("_ID UINT32_C(0x", "_ID UINT32_C(0x1"), "another network"),
        ("main/app_lock.c", swap(">= ACCEPTING_SCORE", "<= ACCEPTING_SCORE"), "must say"),
        ("main/app_lock.c", swap(">= ACCEPTING_SCORE", ">= ACCEPTING_SCORE - 40000"), "must say"),
        ("components/runtime/ts_cosine_s8.c", swap("return dot < 0 ? -cosine : cosine;", "return cosine;"), "must say"),
        ("main/attempts.c", swap("seconds *= 2;", "seconds *= 1;"), "error|must say"),
        ("main/attempts.c", swap("failures = record.failures;", "failures = 0;"), "must say"),
        ("main/attempts.c", swap("if (!kept || keep(count) != 0)", "keep(count);\n    if (!kept)"), "must say"),
        ("main/app_lock.c", swap("        owner_close();\n    }", "    }"), "must say"),
        ("main/owner.c", swap("return differing == 0;", "return 1;"), "must say"),
        (
            "main/branches.c",
            swap("problem = candidate_kinds[branch]->judge(model, branches_input(branch));", "problem = NULL;"),
            "must say",
        ),
        (
            "main/app_lock.c",
            swap("#define ACCEPTING_SCORE CANDIDATE_THRESHOLD", "#define ACCEPTING_SCORE 0"),
            "must say",
        ),
        (
            "sdkconfig.defaults",
            lambda text: text + "CONFIG_TS_THRESHOLD=9\n",
            "CONFIG_TS_THRESHOLD must be [0-9]+ or more",
        ),
        ("main/Kconfig.projbuild", swap("default 5\n", "default 1000\n"), "CONFIG_TS_ATTEMPTS must be 1 to 10"),
        ("sdkconfig.defaults", lambda text: text + "CONFIG_TS_FEED=y\n", "CONFIG_TS_FEED must be off"),
        ("main/Kconfig.projbuild", swap('(tests)"\n        default n', '(tests)"\n        default y'), "must be off"),
    ],
)
def test_a_changed_lock_is_found(
    name: str, change: Callable[[str], str], message: str, copy: Path, objects: Objects
) -> None:
    edit(copy / name, change)
    rung = lock.drive(copy, objects=objects)
    assert (rung.name, rung.status) == ("lock", "failed")
    assert re.search(message, rung.detail), rung.detail


def test_a_project_that_takes_inputs_or_prints_scores_fails(copy: Path, objects: Objects) -> None:
    (copy / "sdkconfig").write_text("CONFIG_TS_DEBUG_SCORES=y\nCONFIG_TS_ATTEMPTS=3\n")
    assert "CONFIG_TS_DEBUG_SCORES must be off" in lock.drive(copy, objects=objects).detail
    (copy / "sdkconfig").write_text("# CONFIG_TS_DEBUG_SCORES is not set\nCONFIG_TS_ATTEMPTS=3\n")
    rung = lock.drive(copy, objects=objects)
    assert (rung.status, "after 3 failures" in rung.detail) == ("passed", True), rung.detail


@pytest.mark.parametrize(
    ("weights", "threshold"),
    [({"face": 400, "voice": 112}, -200_000), ({"face": 512, "voice": 0}, 1_000_000)],
)
def test_locks_of_any_weights_and_threshold_are_driven(
    weights: dict[str, int], threshold: int, tmp_path: Path, objects: Objects
) -> None:
    folder = emitted(
        *(face("float32", (1,)), voice("int8", (1,))), out=tmp_path / "p", weights=weights, threshold=threshold
    )
    rung = lock.drive(folder, objects=objects)
    assert rung.status == "passed", rung.detail


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("partitions.csv", lambda text: text.replace("0x10000,", "0x18000,"), "not aligned"),
        ("partitions.csv", lambda text: text.replace("factory, app", "factory, dat"), "no application"),
        ("partitions.csv", lambda text: text + "rest, data, fat\n", "offset and size"),
        (
            "partitions.csv",
            lambda text: re.sub(r"(factory.*, )0x\w+", r"\g<1>0x1000", text),
            "of constants and a program",
        ),
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
    for rung in (
        host.golden_vectors(original),
        lock.drive(original),
        emulator.target_instruction_set(original),
        idf.build(original),
        stack.stacks(original),
    ):
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


@pytest.mark.parametrize("weights", [(None, None, None), (512, 0, 0), (100, 206, 206)])
def test_captures_of_three_branches_are_drawn_about_a_high_threshold(
    weights: tuple[int | None, ...], tmp_path: Path
) -> None:
    """Uniform cosines of two branches nearly never leave the third one a score of 2.7 to reach."""
    sizes = enumerate(weights)
    branches = [
        LockedBranch(name=f"b{place}", input_bytes=64, embedding=32, is_float=place == 1, weight=weight)
        for place, weight in sizes
    ]
    whole = 1 << 20 if weights[0] is not None else 3 << 20
    words = lock._captures(tmp_path, branches, round(0.9 * whole), cascade=None)
    assert {right: len(names) for right, names in words.items()} == {True: lock.PROBES, False: lock.PROBES}
