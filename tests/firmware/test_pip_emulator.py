"""The target's instruction set by tools of pip: programs run to their end, with the bytes that gcc and QEMU give."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from projects import emitted, face

from tinysearch.firmware.verify import emulator, pip_emulator

ADDRESS = 0x10000


def elf(code: bytes) -> bytes:
    """A static program of one segment that starts with its code."""
    header = struct.pack("<16sHHIIIIIHHHHHH", b"\x7fELF\1\1\1", 2, 243, 1, ADDRESS + 84, 52, 0, 0, 52, 32, 1, 0, 0, 0)
    length = 84 + len(code)
    return header + struct.pack("<8I", 1, 0, ADDRESS, ADDRESS, length, length, 5, 0x1000) + code


def test_a_program_reads_its_count_and_ends(tmp_path: Path) -> None:
    pytest.importorskip("unicorn")
    # nop; nop; csrr a0, minstret; li a7, 93; ecall
    words = struct.pack("<HHIII", 0x0001, 0x0001, 0xB0202573, 0x05D00893, 0x00000073)
    program = tmp_path / "program"
    program.write_bytes(elf(words))
    assert pip_emulator.run(program).status == 3
    program.write_bytes(elf(struct.pack("<I", 0)))
    outcome = pip_emulator.run(program)
    assert (outcome.status, outcome.text[:14]) == (1, "ERR emulator: ")


def test_without_any_tools_both_ways_to_get_them_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    rung = emulator.target_instruction_set(tmp_path)
    assert rung.status == "not run"
    assert rung.detail.endswith('or pip install "tinysearch-boards[verify]")')


@pytest.mark.slow
@pytest.mark.emulator
@pytest.mark.skipif(not pip_emulator.available(), reason="needs the extra verify")
def test_clang_and_unicorn_give_the_same_bytes(tmp_path: Path) -> None:
    project = emitted(face("int8"), out=tmp_path / "p")
    built = pip_emulator.build(project, tmp_path, golden_limit=emulator.GOLDEN_LIMIT)
    assert built.passed, built.text
    outcome = pip_emulator.run(tmp_path / "host.elf")
    assert (outcome.status, "OK golden vectors" in outcome.text) == (0, True)
