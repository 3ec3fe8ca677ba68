"""Nothing of somebody else's project is compiled or run before its code is known: the package's own, or accepted."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from projects import TEMPLATES, VERSION, alarmed, classified, emitted, face, voice, watching, wrist
from test_backends import emit as emitted_with

from tinysearch.app.cli import main
from tinysearch.firmware.verify import Package, verify
from tinysearch.firmware.verify.own_code import only_ours

PACKAGE = Package(templates=TEMPLATES, version=VERSION)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return emitted(voice("int8", (1,)), out=tmp_path_factory.mktemp("emitted") / "p")


@pytest.fixture
def copy(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "p"))


def forge(project: Path, name: str, text: str) -> None:
    """Add lines to a file, and its digest to candidate.json."""
    path = project / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text((path.read_text() if path.exists() else "") + text)
    point = json.loads((project / "candidate.json").read_text())
    point["firmware_facts"]["files"][name] = hashlib.sha256(path.read_bytes()).hexdigest()
    (project / "candidate.json").write_text(json.dumps(point))


def in_bands(out: Path) -> Path:
    """A project whose first layers run a few rows at a time."""
    layout = ["face.architecture=separable", "face.stages=[1,2,2]", "face.width=8", "face.input_size=96"]
    words = ["modality=face", *layout, "face.precision=int8", "memory=bands", "trainer=none", f"out={out}"]
    assert main(["emit", *words]) == 0
    assert "memmove(arena" in (out / "components/model_face/model_face.c").read_text()
    return out


def by_two_cores(out: Path) -> Path:
    """A project whose heavy layers are shared by the cores of an ESP32-S3."""
    board = ["platform.processor=esp32s3", "platform.cores=2"]
    words = ["modality=face", "face.blocks=[1]", "face.precision=int8", *board, "trainer=none", f"out={out}"]
    assert main(["emit", *words]) == 0
    assert "CANDIDATE_BRANCH_CORES 2" in (out / "main/candidate.h").read_text()
    return out


@pytest.mark.parametrize(
    "written",
    [
        lambda out: emitted(face("xnor2/1"), voice("float32"), out=out, weights={"face": 400, "voice": 112}),
        lambda out: emitted(face(blocks=(1,)), out=out, component="my_lib"),
        lambda out: emitted_with(face("float32", (1,)), voice("int8", (1,)), out=out, backend="auto"),
        lambda out: classified(watching("hum"), watching("word", "float32"), out=out, schedule="button")[0],
        lambda out: alarmed(wrist(), watching("eye", "xnor1/1"), out=out)[0],
        in_bands,
        by_two_cores,
    ],
)
def test_what_is_emitted_is_known(written: Callable[[Path], Path], tmp_path: Path) -> None:
    rung = only_ours(written(tmp_path / "p"), package=PACKAGE, accept=[])
    assert rung.status == "passed", rung.detail


RUN = 'int system(const char *);\n__attribute__((constructor)) static void run(void) { system("touch owned"); }\n'


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("host/Makefile", "$(shell touch owned)\n"),
        ("host/Makefile", "CC = ../main/evil.sh\n"),
        ("host/Makefile", "INCLUDES = -I../components/model -wrapper ../main/evil\n"),
        ("host/Makefile", "SOURCES = main.c $(shell touch owned)\n"),
        ("host/Makefile", "# a remark \\\n$(shell touch owned)\n"),
        ("host/GNUmakefile", "all:\n\ttouch owned\n"),
        ("host/golden.c", RUN),
        ("host/golden.c", "#include </etc/passwd>\n"),
        ("host/golden.c", '/* "*/ int system(const char *); /* " */\n'),
        ("host/golden.c", "// \\\n*/\nint x;\n"),
        ("host/golden.c", "static const void *const x = (void *)&system;\n"),
        ("main/candidate.c", "const uint32_t x = system(0);\n"),
        ("main/candidate.h", "#define CANDIDATE_BRANCHES system(0)\n"),
        ("main/candidate.h", '#define printf(...) ts_x("%s")\n'),
        ("components/model_voice/model_voice.c", "        printf(0);\n"),
        ("components/model_voice/model_voice_weights.c", "__attribute__((constructor)) static void ts_x(void) {\n"),
        ("components/model_voice/model_voice_weights.c", "int sys\\\ntem(const char *);\n"),
        ("components/model_voice/model_voice_weights.c", "int sys??/\ntem(const char *);\n"),
        ("components/other/other.c", RUN),
        ("components/model_voice/CMakeLists.txt", "execute_process(COMMAND touch owned)\n"),
        ("components/model_voice/CMakeLists.txt", f"    INCLUDE_DIRS {'many words ' * 40}$\n"),
        ("main/idf_component.yml", "  evil: {git: https://example.org/evil}\n"),
        ("main/Kconfig.projbuild", 'source "/etc/passwd"\n'),
        ("components/runtime/ts_crc32.c", "\n"),
    ],
)
def test_code_that_no_template_writes_is_refused(name: str, text: str, copy: Path) -> None:
    forge(copy, name, text)
    rung = only_ours(copy, package=PACKAGE, accept=[])
    assert (rung.status, name in rung.detail) == ("failed", True), rung.detail
    assert only_ours(copy, package=PACKAGE, accept=[name]).status == "passed"


def test_a_link_and_the_code_of_plug_ins_must_be_accepted(copy: Path) -> None:
    forge(copy, "main/input_nose.c", RUN)
    forge(copy, "components/backend_mine/ts_mine.c", RUN)
    rung = only_ours(copy, package=PACKAGE, accept=[])
    assert (rung.status, "accept=" in rung.detail) == ("not run", True), rung.detail
    assert only_ours(copy, package=PACKAGE, accept=["main/input_*", "components/backend_mine/*"]).status == "passed"
    (copy / "host/evil").symlink_to(copy.parent)
    assert only_ours(copy, package=PACKAGE, accept=["main/input_*", "components/backend_mine/*"]).status == "failed"


def test_nothing_of_a_forged_project_is_run(copy: Path) -> None:
    forge(copy, "host/Makefile", f"$(shell touch {copy}/owned)\n")
    rungs = verify(copy, quick=True, package=PACKAGE)
    assert [(rung.name, rung.status) for rung in rungs] == [
        ("files", "passed"),
        ("code", "failed"),
        ("host", "not run"),
        ("lock", "not run"),
        ("project", "passed"),
    ]
    assert not (copy / "owned").exists()


def test_a_project_of_another_version_runs_what_this_one_knows(copy: Path) -> None:
    newer = replace(PACKAGE, version="9.9")
    assert only_ours(copy, package=newer, accept=[]).status == "passed"
    forge(copy, "main/app_main.c", "\n")
    assert only_ours(copy, package=newer, accept=[]).status == "not run"
