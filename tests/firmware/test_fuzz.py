"""The C parsers of the application under mutated bytes and sanitizers, the short form of ``benchmarks/fuzz.py``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from projects import emitted, face, voice

sys.path.insert(0, str(Path(__file__).parent / "fuzz"))

from inputs import write_seeds

HARNESS = Path(__file__).parent / "fuzz" / "application.c"
REPLACED = (
    "app/main.c",
    "app/store_host.c",
    "app/scripted_port.c",
    "../main/files.c",
    "../main/sha256.c",
    "../main/app_main.c",
)
RUNS = 5_000


def small_project(out: Path) -> Path:
    """Face and voice in both arithmetics, with a clip so short that its spectrogram is not most of the time."""
    return emitted(face("int8", (1,)), voice("float32", (1,)), out=out, processor="esp32s3", clip_s=0.1)


def compile_harness(project: Path, program: Path, *compiler: str) -> None:
    """The application around the harness, whose includes bring what is replaced."""
    host = project / "host"
    listed = subprocess.run(["make", "-s", "-C", host, "list-scripted"], capture_output=True, text=True, check=True)
    _, includes, sources = (line.split() for line in listed.stdout.splitlines()[-3:])
    kept = [source for source in sources if source not in REPLACED]
    command = [*compiler, *includes, "-DCONFIG_TS_FEED=1", HARNESS, *kept, "-o", program, "-lm"]
    done = subprocess.run([str(word) for word in command], cwd=host, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_mutated_inputs_find_no_fault(tmp_path: Path) -> None:
    project = small_project(tmp_path / "p")
    sanitized = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    compile_harness(project, tmp_path / "fuzz", "gcc", "-std=gnu11", "-O1", "-Wall", "-Wextra", *sanitized, "-DALONE")
    done = subprocess.run(
        [tmp_path / "fuzz", str(RUNS), "7", *write_seeds(tmp_path / "seeds")],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"},
        check=False,
        cwd=tmp_path,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-3000:]
