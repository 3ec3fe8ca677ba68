"""The application of the device, on this machine and under sanitizers: enroll, verify, lock-out, files, feed."""

from __future__ import annotations

import os
import re
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from projects import emitted, face, voice

from tinysearch.data.image import prepare_image
from tinysearch.data.log_mel import LogMel, LogMelSettings

ATTEMPTS = 3
DEBUG = "-DCONFIG_TS_FEED=1 -DCONFIG_TS_DEBUG_SCORES=1"
FLAGS = f"-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -DCONFIG_TS_ATTEMPTS={ATTEMPTS} {DEBUG}"
Console = Callable[..., list[str]]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("application")
    project = emitted(face("xnor2/1"), voice("int8"), out=folder / "p", processor="esp32s3")
    command = ["make", "-s", "-C", str(project / "host"), f"BUILD={folder}", "CC=gcc", f"CFLAGS={FLAGS}", "app"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "app"


@pytest.fixture
def console(program: Path, tmp_path: Path) -> Console:
    """Runs commands in one session; answers without the lines of the start."""

    def run(*commands: str, flash: str | None = None) -> list[str]:
        environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}
        environment.pop("TS_FLASH", None)
        if flash is not None:
            environment["TS_FLASH"] = str(tmp_path / flash)
        done = subprocess.run(
            [program],
            input="\n".join(commands) + "\n",
            capture_output=True,
            text=True,
            env=environment,
            cwd=tmp_path,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        lines = done.stdout.splitlines()
        assert "READY" in lines, done.stdout
        return lines[lines.index("READY") + 1 :]

    return run


def people(folder: Path, count: int) -> list[str]:
    """Files of people, two pictures and two recordings each: ``face0a.ppm voice0a.raw`` ..."""
    random = np.random.default_rng(3)
    rates = np.arange(25_600) / 16_000
    for person in range(count):
        base = np.kron(random.integers(0, 256, (6, 6, 3)), np.ones((10, 10, 1)))
        tones = random.uniform(100, 6000, 4)
        for take in "ab":
            picture = np.clip(base + random.normal(0, 3, base.shape), 0, 255).astype(np.uint8)
            (folder / f"face{person}{take}.ppm").write_bytes(b"P6 60 60 255\n" + picture.tobytes())
            wave = sum(np.sin(2 * np.pi * tone * rates) for tone in tones) * 3000 + random.normal(0, 20, rates.size)
            (folder / f"voice{person}{take}.raw").write_bytes(wave.astype("<i2").tobytes())
    return [f"p{person}" for person in range(count)]


def wav(
    wave: npt.NDArray[np.int16],
    *,
    extra: bytes = b"",
    stated: int | None = None,
    channels: int = 1,
    rate: int = 16_000,
    bits: int = 16,
    tag: int = 1,
) -> bytes:
    """A WAV file; ``extra`` comes between its format and its samples, ``stated`` is the length that it claims."""
    samples = wave.astype("<i2").tobytes()
    form = struct.pack("<HHIIHH", tag, channels, rate, rate * channels * bits // 8, channels * bits // 8, bits)
    data = struct.pack("<I", len(samples) if stated is None else stated) + samples
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form + extra + b"data" + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def test_ten_people_are_enrolled_and_told_apart(console: Console, tmp_path: Path) -> None:
    names = people(tmp_path, 10)
    enroll = [f"enroll {name} face{i}a.ppm voice{i}a.raw" for i, name in enumerate(names)]
    verify = [f"verify - face{i}b.ppm voice{i}b.raw" for i in range(10)]
    first = console(*enroll, "list", flash="flash")
    assert first[0].startswith("NOTE the first person of an empty device needs no PIN")
    assert first[1:] == [*(f"OK enroll {name}" for name in names), *(f"entry {name}" for name in names), "OK list"]
    answers = [line.split() for line in console(*verify, flash="flash")]
    assert [words[:2] for words in answers] == [["OK", "verify"]] * 10
    assert sum(words[2] == name for words, name in zip(answers, names, strict=True)) >= 8


def test_the_same_capture_scores_full_marks_and_a_name_narrows_the_comparison(console: Console, tmp_path: Path) -> None:
    people(tmp_path, 2)
    answers = console(
        "enroll ann face0a.ppm voice0a.raw",
        "enroll bob face1a.ppm voice1a.raw",
        "verify ann face0a.ppm voice0a.raw",
        "verify bob face0a.ppm voice0a.raw",
        "verify eve face0a.ppm voice0a.raw",
    )[1:]
    assert answers[2].startswith(f"OK verify ann {2 << 20} threshold ")
    score = int(answers[3].split()[3])
    assert answers[3].startswith("OK verify ")
    assert score < 2 << 20
    assert answers[4] == "ERR verify: nobody of that name"


@pytest.mark.slow
def test_a_weighted_fusion_counts_a_branch_as_its_weight_says(tmp_path: Path) -> None:
    project = emitted(
        *(face("int8"), voice("int8")), out=tmp_path / "p", processor="esp32s3", weights={"face": 512, "voice": 0}
    )
    command = ["make", "-s", "-C", str(project / "host"), f"BUILD={tmp_path}", "CC=gcc", f"CFLAGS={FLAGS}", "app"]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    people(tmp_path, 2)
    told = "enroll ann face0a.ppm voice0a.raw\nverify ann face0a.ppm voice1a.raw\nverify ann face1a.ppm voice0a.raw\n"
    done = subprocess.run([tmp_path / "app"], input=told, capture_output=True, text=True, cwd=tmp_path, check=False)
    scores = [int(line.split()[3]) for line in done.stdout.splitlines() if line.startswith("OK verify")]
    assert scores[0] == 2 << 20  # another voice costs nothing
    assert scores[1] < 2 << 20


def test_people_come_and_go(console: Console) -> None:
    fed = ("feed face seed 1", "feed voice seed 2")
    answers = console(
        *(*fed, "enroll ann", "enroll ann", *fed, "enrol ann", "delete ann", "delete ann", "list"),
        *("enroll", "enroll a/b", "enroll aaaaaaaaaaaaaaaa", "verify", "nonsense", "delete", ""),
    )
    note = "NOTE nobody is left and no PIN is set: this device belongs to whoever enrolls next"
    assert answers[2].startswith("NOTE the first person")
    del answers[2]
    assert answers == [
        *("OK feed ready", "OK feed ready", "OK enroll ann"),
        "ERR enroll ann: nothing was fed to a branch, and it has no sensor",
        *("OK feed ready", "OK feed ready", "OK enroll ann", note, "OK delete ann"),
        *("ERR delete ann: nobody of that name", "OK list"),
        *["ERR enroll: a name has 1 to 15 letters, digits, - or _"] * 3,
        "ERR verify: nobody is enrolled",
        "ERR unknown command: say help",
        "ERR delete: name somebody",
    ]


def test_there_is_room_for_sixteen_and_not_more(console: Console) -> None:
    commands = [f"feed face seed {i}\nfeed voice seed {i}\nenroll p{i}" for i in range(17)]
    answers = [line for line in console(*commands) if " enroll " in line]
    assert answers[:16] == [f"OK enroll p{i}" for i in range(16)]
    assert answers[16] == "ERR enroll p16: no place for another person"


def test_failed_attempts_lock_the_device_even_over_a_restart(console: Console, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    (tmp_path / "other.pgm").write_bytes(b"P5\n# a gradient\n32 32\n255\n" + bytes(range(256)) * 4)
    (tmp_path / "noise.raw").write_bytes(rng.integers(-9000, 9000, 30_000).astype("<i2").tobytes())
    people(tmp_path, 1)
    fail = "verify - other.pgm noise.raw"
    answers = console("enroll ann face0a.ppm voice0a.raw", *[fail] * ATTEMPTS, fail, flash="flash")[1:]
    assert [line.split()[:3] for line in answers[1 : 1 + ATTEMPTS]] == [["OK", "verify", "nobody"]] * ATTEMPTS
    assert re.fullmatch(r"ERR verify: locked for \d+ s", answers[-1])
    again = console("verify - face0a.ppm voice0a.raw", flash="flash")
    assert re.fullmatch(r"ERR verify: locked for \d+ s", again[0])


def test_inputs_are_fed_in_pieces(console: Console) -> None:
    size = 32 * 32 * 3
    picture = np.random.default_rng(0).bytes(size)
    pieces = [f"feed face {at} {picture[at : at + 150].hex()}" for at in range(0, size, 150)]
    answers = console(
        *pieces, "feed voice seed 4", "enroll ann", "feed face 3071 8080", "feed face 0 8", "feed nose 0 80"
    )
    assert answers[: len(pieces)] == ["OK feed"] * (len(pieces) - 1) + ["OK feed ready"]
    assert answers[-4] == "OK enroll ann"
    assert console(f"feed face 0 {'80' * 512}", f"feed face 0 {'80' * 600}") == ["OK feed", "ERR this line is too long"]
    assert all(line.startswith("ERR feed: ") for line in answers[-3:])


def test_files_become_the_inputs_of_the_training_data(console: Console, tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    picture = random.integers(0, 256, (50, 70, 3)).astype(np.uint8)
    wave = random.integers(-20_000, 20_000, 25_600).astype(np.int16)
    (tmp_path / "x.ppm").write_bytes(b"P6\n70 50\n255\n" + picture.tobytes())
    (tmp_path / "x.wav").write_bytes(wav(wave))
    image = prepare_image(picture, input_size=32, channels=3)
    sound = LogMel(LogMelSettings(size=64))(wave[None])[0]
    (tmp_path / "face.raw").write_bytes((image.astype(np.int16) + 128).astype(np.uint8).tobytes())
    (tmp_path / "voice.raw").write_bytes((sound.astype(np.int16) + 128).astype(np.uint8).tobytes())
    answers = console("enroll ann x.ppm x.wav", "verify ann face.raw voice.raw", "verify ann face.raw nosuch")[1:]
    assert answers[1].startswith(f"OK verify ann {2 << 20} ")
    assert answers[2] == "ERR verify: this file cannot be read"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"extra": b"LIST" + struct.pack("<I", 5) + b"INFO\0\0"}, None),
        ({"stated": 0xFFFFFFFF}, None),
        ({"channels": 2}, "this WAV is not 16-bit mono at 16 kHz"),
        ({"rate": 8000}, "this WAV is not 16-bit mono at 16 kHz"),
        ({"bits": 8}, "this WAV is not 16-bit mono at 16 kHz"),
        ({"tag": 3}, "this WAV is not 16-bit mono at 16 kHz"),
        ({"extra": b"LIST" + struct.pack("<I", 0xFFFFFFF0)}, "this WAV has no samples"),
    ],
)
def test_a_wav_is_read_by_its_chunks(
    change: dict[str, Any], problem: str | None, console: Console, tmp_path: Path
) -> None:
    wave = np.random.default_rng(2).integers(-20_000, 20_000, 25_600).astype(np.int16)
    (tmp_path / "x.raw").write_bytes(wave.astype("<i2").tobytes())
    (tmp_path / "x.wav").write_bytes(wav(wave, **change))
    people(tmp_path, 1)
    answers = console("enroll ann face0a.ppm x.raw", "verify ann face0a.ppm x.wav")
    assert answers[2].startswith(f"OK verify ann {2 << 20} " if problem is None else f"ERR verify: {problem}")


def test_a_file_without_a_header_is_taken_by_its_name_alone(console: Console, tmp_path: Path) -> None:
    people(tmp_path, 1)
    text = b"The quick brown fox jumps over the lazy dog. " * 1200
    face_bytes, voice_bytes = 32 * 32 * 3, 64 * 64
    for name, content in {
        **{name: text for name in ("a.txt", "a.wav", "a.mp3", "a", "a.ppm", "raw")},
        "size.ppm": text[:face_bytes],
        "size.wav": text[:voice_bytes],
        "cut.wav": b"RIFF" + text,
        "a.pcm": text,
    }.items():
        (tmp_path / name).write_bytes(content)
    no_wav = "ERR enroll eve: this file is no WAV; 16-bit samples without a header must be named .raw or .pcm"
    no_picture = "ERR enroll eve: this file is no PPM or PGM picture"
    sounds = ("a.txt", "a.wav", "a.mp3", "a", "raw", "size.wav", "cut.wav")
    voices = [f"enroll eve face0a.ppm {name}" for name in sounds]
    faces = [f"enroll eve {name} voice0a.raw" for name in ("a.txt", "a.ppm", "size.ppm")]
    answers = console(*voices, *faces, "enroll ann face0a.ppm a.pcm", "list")
    assert answers[: len(voices)] == [no_wav] * len(voices)
    assert answers[len(voices) :][: len(faces)] == [no_picture] * len(faces)
    assert answers[-2:] == ["entry ann", "OK list"]


def test_the_self_test_and_the_benchmark_speak_as_documented(console: Console) -> None:
    assert console("sensors") == ["OK sensors"]
    answers = console("selftest", "benchmark", "help")
    assert re.fullmatch(r"OK selftest crc [0-9a-f]{8} tasks 2", answers[2])
    start = answers.index(next(line for line in answers if line.startswith("benchmark ")))
    assert re.fullmatch(r"benchmark host \d+", answers[start])
    layers = [line for line in answers if line.startswith("layer ")]
    assert all(re.fullmatch(r"layer (face|voice) \w+ \d+", line) for line in layers)
    assert "OK benchmark" in answers
    assert answers[-1] == "OK help"


def test_without_memory_the_console_still_answers(tmp_path: Path) -> None:
    project = emitted(voice("int8"), out=tmp_path / "p")
    port = project / "host/app/port_host.c"
    port.write_text(port.read_text().replace("count == sizeof kept / sizeof kept[0]", "size > 1000"))
    command = ["make", "-s", "-C", str(project / "host"), f"BUILD={tmp_path}", "CC=gcc", "CFLAGS=-O1", "app"]
    subprocess.run(command, check=True, capture_output=True)
    commands = "enroll ann\nlist\nselftest\n"
    done = subprocess.run([tmp_path / "app"], input=commands, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert any(line.startswith("ERR start: no memory for an arena") for line in lines)
    start = lines.index("READY")
    assert [line.split(":")[0] for line in lines[start + 1 :]] == ["ERR enroll", "OK list", "ERR selftest"]


def test_templates_are_never_printed(console: Console, tmp_path: Path) -> None:
    """Nothing that is printed changes with the embedding but CRCs of golden patterns, names and scores."""
    people(tmp_path, 2)
    one = console("enroll ann face0a.ppm voice0a.raw", "list", "verify ann face0a.ppm voice0a.raw", flash="one")
    two = console("enroll ann face1a.ppm voice1a.raw", "list", "verify ann face1a.ppm voice1a.raw", flash="two")
    assert one == two
    assert (tmp_path / "one").read_bytes() != (tmp_path / "two").read_bytes()


@pytest.mark.slow
def test_the_benchmark_counts_steps_that_last_longer_than_the_cycle_counter(tmp_path: Path) -> None:
    """A 32-bit counter wraps after 18 s at 240 MHz; here every step lasts 20 s of a counter that wraps after 4.3."""
    project = emitted(face("int8"), out=tmp_path / "p", processor="esp32s3")
    port = project / "host/app/port_host.c"
    slow = """static uint64_t now;
int64_t port_us(void) { return (int64_t)(now / 1000); }
uint32_t port_cycles(void)
{
    static int readings;
    const uint64_t read = now;
    now += readings++ % 2 == 0 ? UINT64_C(20000000000) : 0;
    return (uint32_t)read;
}
"""
    text = port.read_text()
    start, end = text.index("static uint64_t nanoseconds"), text.index("uint32_t port_cycle_hz")
    port.write_text(text[:start] + slow + text[end:])
    command = ["make", "-s", "-C", str(project / "host"), f"BUILD={tmp_path}", "CC=gcc", f"CFLAGS={FLAGS}", "app"]
    subprocess.run(command, check=True)
    done = subprocess.run(
        [tmp_path / "app"], input="benchmark\n", capture_output=True, text=True, check=True, timeout=60
    )
    layers = re.findall(r"^layer face \S+ (\d+)$", done.stdout, re.MULTILINE)
    assert layers and set(layers) == {"20000000000"}
    assert f"branch face {len(layers) * 20_000_000_000}" in done.stdout


def test_a_dead_microphone_neither_enrolls_nor_matches(console: Console, tmp_path: Path) -> None:
    people(tmp_path, 1)
    (tmp_path / "silent.raw").write_bytes(bytes(51_200))
    (tmp_path / "hum.raw").write_bytes(np.full(25_600, -1, "<i2").tobytes())
    (tmp_path / "loud.wav").write_bytes(wav(np.where(np.arange(25_600) % 40 < 20, 32767, -32768).astype(np.int16)))
    silent = "this capture is silent: is the microphone connected, to these pins?"
    answers = console(
        *("enroll ghost face0a.ppm silent.raw", "enroll ghost face0a.ppm hum.raw", "enroll ghost face0a.ppm loud.wav"),
        *("enroll ann face0a.ppm voice0a.raw", "verify - face0a.ppm silent.raw", "list"),
    )
    assert answers[:2] == [f"ERR enroll ghost: {silent}"] * 2
    assert answers[2].startswith("ERR enroll ghost: this capture is nearly all at its limits")
    assert answers[5:] == [f"ERR verify: {silent}", "entry ann", "OK list"]


OPENED = r"""
#include <stdio.h>
#include "branches.h"
static _Alignas(16) uint8_t memory[64];
static const ts_model model = {.name = "face", .arena_bytes = 32};
const ts_model *const branches[CANDIDATE_BRANCHES] = {&model, &model};
const uint8_t candidate_arena_in_psram[CANDIDATE_BRANCHES];
void *port_memory(size_t size, int external) { (void)size, (void)external; return memory + OFFSET; }
int port_branches_open(const uint8_t *workers, unsigned count) { (void)workers, (void)count; return 0; }
int main(void)
{
    const char *problem = branches_open();
    puts(problem == NULL ? "open" : problem);
    return 0;
}
"""
"""The memory of the application, with a heap that may be off its alignment and no networks behind."""


def test_an_arena_off_its_alignment_is_refused_at_start(program: Path, tmp_path: Path) -> None:
    project = program.parent / "p"
    (tmp_path / "opened.c").write_text(OPENED)
    folders = ["main", "host/app", *(path.relative_to(project) for path in project.glob("components/*/include"))]
    include = [f"-I{project / folder}" for folder in [*folders, "components/runtime"]]
    said = []
    for offset in (0, 8):
        command = ["gcc", *include, f"-DOFFSET={offset}", "-Wl,--unresolved-symbols=ignore-all", "-no-pie"]
        sources = [tmp_path / "opened.c", project / "main/branches.c", "-o", tmp_path / f"at{offset}"]
        subprocess.run([*command, *sources], check=True, capture_output=True)
        said.append(subprocess.run([tmp_path / f"at{offset}"], check=True, capture_output=True, text=True).stdout)
    assert said == ["open\n", "an arena must start at a multiple of 16 bytes\n"]
