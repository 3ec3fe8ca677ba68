"""Networks alone as a C library: golden vectors, layouts, and names that no compiler would take."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from projects import emitted, face, voice

from tinysearch.core.errors import UserError
from tinysearch.firmware.identifiers import component_name
from tinysearch.firmware.verify import component, verify

SMALL = {"input_size": 16, "width": 4, "embedding": 8}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("library") / "door_model"
    branches = (face("int8", (1,), **SMALL), voice("float32", (1,), **SMALL))
    return emitted(*branches, out=out, processor="esp32s3", component="door_model")


def test_a_library_compiles_as_c99_gives_its_golden_vectors_and_has_its_layouts(library: Path) -> None:
    rungs = {rung.name: rung.status for rung in verify(library, quick=True)}
    assert rungs == {"files": "not run", "host": "passed", "layout": "passed"}
    assert len((library / "examples/check.c").read_text().splitlines()) <= 25


def test_its_header_is_c_plus_plus_and_makes_inputs(library: Path) -> None:
    program = """
#include <door_model.h>
int main() {
  static int16_t clip[DOOR_MODEL_VOICE_SAMPLES];
  static int8_t input[DOOR_MODEL_VOICE_INPUT_BYTES];
  static uint64_t scratch[4096];
  if (door_model_voice_scratch_bytes() <= sizeof scratch) door_model_voice_prepare(clip, input, scratch);
  return 0;
}
"""
    command = [
        "g++",
        "-std=c++17",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-fsyntax-only",
        f"-I{library / 'src'}",
        "-xc++",
        "-",
    ]
    done = subprocess.run(command, input=program, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_changed_weight_and_a_broken_layout_are_found(library: Path) -> None:
    for name, old, new, rung in (
        ("src/door_model_face.h", "GOLDEN_CRC UINT32_C(0x", "GOLDEN_CRC UINT32_C(0x1", component.golden_vectors),
        ("library.properties", "includes=door_model.h", "includes=door.h", component.layouts),
        ("CMakeLists.txt", ' "src/ts_crc32.c"', "", component.layouts),
        ("idf_component.yml", 'version: "0.0.0"', 'version: "new"', component.layouts),
        ("esphome/door_model/__init__.py", "CONFIG_SCHEMA", "SCHEMA", component.layouts),
    ):
        before = (library / name).read_text()
        assert old in before, name
        (library / name).write_text(before.replace(old, new, 1))
        assert rung(library).status == "failed", name
        (library / name).write_text(before)


def test_a_name_that_cannot_be_one_is_refused() -> None:
    for name in ("", "Door", "1door", "do", "door-model", "door__x", "door_", "while", "class", "a" * 33):
        with pytest.raises(UserError, match=r"emit\.name must be"):
            component_name(name)
