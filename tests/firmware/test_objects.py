"""Objects are compiled once, kept for the next run where that is asked for, and believed only whole."""

from pathlib import Path

import pytest

from tinysearch.firmware.verify import objects as compiling
from tinysearch.firmware.verify.objects import shared_objects
from tinysearch.firmware.verify.rung import run_tool

MAKEFILE = "list:\n\t@echo -O0; echo -I.; echo main.c\n"


@pytest.fixture
def host(tmp_path: Path) -> Path:
    folder = tmp_path / "host"
    folder.mkdir()
    (folder / "Makefile").write_text(MAKEFILE)
    (folder / "answer.h").write_text("#define ANSWER 7\n")
    (folder / "main.c").write_text('#include "answer.h"\nint main(void) { return ANSWER; }\n')
    return folder


def _answer(host: Path, kept: Path) -> int | None:
    program = host.parent / "program"
    with shared_objects(workers=1, kept=kept) as shared:
        assert shared.link(host, program, goal="list").passed
    return run_tool((program,), timeout_s=60, folder=host).status


def test_what_was_compiled_is_kept_until_a_byte_of_it_or_of_its_sources_differs(host: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    assert _answer(host, kept) == 7
    (first,) = kept.glob("*.o")
    made, whole = first.stat().st_ino, first.read_bytes()
    assert _answer(host, kept) == 7
    assert first.stat().st_ino == made, "compiled again"
    first.write_bytes(whole[:-1] + b"!")
    assert _answer(host, kept) == 7
    assert first.read_bytes() == whole, "damaged and used"
    (host / "answer.h").write_text("#define ANSWER 8\n")
    assert _answer(host, kept) == 8
    assert len(list(kept.glob("*.o"))) == 2


def test_objects_that_were_not_used_for_longest_go_first(
    host: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "kept"
    assert _answer(host, kept) == 7
    (first,) = kept.glob("*.o")
    monkeypatch.setattr(compiling, "KEPT_BYTES", first.stat().st_size)
    (host / "answer.h").write_text("#define ANSWER 8\n")
    assert _answer(host, kept) == 8
    assert not first.exists()
    assert len(list(kept.glob("*.o"))) == 1
