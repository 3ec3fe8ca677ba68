"""The program of a BMI270: out of which files it is read, what is refused, and what a project has of it."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from projects import classified, wrist
from test_own_code import PACKAGE

from tinysearch.core.errors import UserError
from tinysearch.firmware.bmi270 import read_program
from tinysearch.firmware.verify.own_code import only_ours

SOURCE = """
/* const uint8_t bmi270_config_file[] = { 0xff }; is a comment */
const uint8_t bmi270_config_file[] = {
    0xc8, 0x2e, // the beginning
    0x00, 46,
};
const uint8_t another[] = { 1 };
"""


def test_the_bytes_are_read_as_they_are_or_out_of_bosch_s_source(tmp_path: Path) -> None:
    (tmp_path / "bmi270.c").write_text(SOURCE)
    (tmp_path / "program.bin").write_bytes(b"\xc8\x2e")
    assert read_program(tmp_path / "bmi270.c") == b"\xc8\x2e\x00\x2e"
    assert read_program(tmp_path / "program.bin") == b"\xc8\x2e"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.bin", b"", "0 bytes"),
        ("a.bin", b"\x01\x02\x03", "3 bytes"),
        ("a.bin", bytes(8194), "8194 bytes"),
        ("a.c", b"int main(void) { return 0; }", "no array bmi270_config_file"),
        ("a.c", b"const uint8_t bmi270_config_file[] = { 1, 256 };", "something else than bytes"),
        ("a.c", b"const uint8_t bmi270_config_file[] = { SIZE };", "something else than bytes"),
    ],
)
def test_what_is_no_program_is_refused(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=f"emit.bmi270_config must hold .*{said}"):
        read_program(tmp_path / name)


def test_a_project_has_the_program_of_a_motion_sensor_and_no_other(tmp_path: Path) -> None:
    project, _, _ = classified(wrist(), out=tmp_path / "with", bmi270_config=bytes(range(250)) * 2)
    source = (project / "main/bmi270_config.c").read_text()
    assert [int(word) for word in re.findall(r"(\d+),", source.partition("{")[2])] == [*range(250)] * 2
    assert "#define CANDIDATE_BMI270_CONFIG_BYTES 500" in (project / "main/candidate.h").read_text()
    assert '"bmi270_config.c"' in (project / "main/CMakeLists.txt").read_text()
    assert only_ours(project, package=PACKAGE, accept=[]).status == "passed"
    without, _, _ = classified(wrist(), out=tmp_path / "without")
    assert not (without / "main/bmi270_config.c").exists()
    assert "#define CANDIDATE_BMI270_CONFIG NULL" in (without / "main/candidate.h").read_text()


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UserError, match="named pipe"):
        read_program(tmp_path / "pipe")
