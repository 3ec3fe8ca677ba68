"""The lock by itself: networks that hand through what they are given, and a clock that the test moves."""

from __future__ import annotations

import ctypes
import hashlib
import os
import struct
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path

import ckernels
import numpy as np
import numpy.typing as npt
import pytest
from projects import TEMPLATES, emitted, face

SANITIZED = "-O0 -fsanitize=address,undefined -fno-sanitize-recover=all"
MAIN = TEMPLATES / "esp_idf/main"
ATTEMPTS, LOCKOUT_S, OPEN_S, DAY_S = 5, 30, 120, 86_400
EMBEDDING, SIDE = 32, 32
CLOSED = "closed: verify first, or give the owner's PIN"
Console = Callable[..., list[str]]


def built(project: Path, flags: str) -> Path:
    build = project.parent / "build"
    command = ["make", "-s", "-C", str(project / "host"), f"BUILD={build}", "CC=gcc", f"CFLAGS={flags}", "scripted"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return build / "scripted"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(emitted(face("int8"), out=tmp_path_factory.mktemp("lock") / "p"), SANITIZED)


@pytest.fixture(scope="module")
def float_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = emitted(face("float32"), out=tmp_path_factory.mktemp("lock") / "p")
    return built(folder, "-O0 -DCONFIG_TS_FEED=1 -DCONFIG_TS_DEBUG_SCORES=1")


def session(program: Path, folder: Path, *commands: str, flash: str = "flash") -> list[str]:
    """All answers of one session, those of the start included."""
    done = subprocess.run(
        [program],
        input="\n".join(commands) + "\n",
        capture_output=True,
        text=True,
        env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0", "TS_FLASH": str(folder / flash)},
        cwd=folder,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()


@pytest.fixture
def console(program: Path, tmp_path: Path) -> Console:
    """Answers after the start; ``ann.raw`` and ``stranger.raw`` lie there, whose cosine is far from one."""
    for seed, name in enumerate(("ann", "stranger", "bob")):
        (tmp_path / f"{name}.raw").write_bytes(capture(seed))

    def run(*commands: str, flash: str = "flash") -> list[str]:
        lines = session(program, tmp_path, *commands, flash=flash)
        return [line for line in lines[lines.index("READY") + 1 :] if not line.startswith("NOTE ")]

    return run


def capture(seed: int) -> bytes:
    """An input of noise; its first bytes become the embedding."""
    return np.random.default_rng(seed).bytes(SIDE * SIDE * 3)


VERIFY, FAIL = "verify - ann.raw", "verify - stranger.raw"
ANN = "enroll ann ann.raw"


def test_nothing_but_who_is_told(console: Console) -> None:
    """No score and no threshold, and no command that takes pictures, unless they are asked for in menuconfig."""
    answers = console(ANN, VERIFY, FAIL, "feed face seed 1", "help")
    assert answers[:4] == ["OK enroll ann", "OK verify ann", "OK verify nobody", "ERR unknown command: say help"]
    assert not any("feed" in line for line in answers[4:])


def test_strangers_change_nothing(console: Console) -> None:
    answers = console(ANN, "close", "enroll bob bob.raw", "delete ann", "pin 123456", "list", FAIL, "delete ann")
    assert answers[2:5] == [f"ERR enroll: {CLOSED}", f"ERR delete: {CLOSED}", f"ERR pin: {CLOSED}"]
    assert answers[5:7] == ["entry ann", "OK list"]
    assert answers[8] == f"ERR delete: {CLOSED}"


def test_an_accepted_verification_opens_for_a_while(console: Console) -> None:
    answers = console(
        *(ANN, f"ahead {OPEN_S}", "enroll bob bob.raw", VERIFY, "enroll bob bob.raw"),
        *(f"ahead {OPEN_S}", "delete bob", VERIFY, "delete bob", "delete ann"),
    )
    assert answers == [
        *("OK enroll ann", f"ERR enroll: {CLOSED}", "OK verify ann", "OK enroll bob"),
        *(f"ERR delete: {CLOSED}", "OK verify ann", "OK delete bob", "OK delete ann"),
    ]


def test_the_owners_pin_opens_and_an_empty_device_is_then_owned(console: Console, tmp_path: Path) -> None:
    assert console("pin 471108", "delete ann")[:2] == [
        f"ERR {word}: closed: enroll the first person, who needs no PIN" for word in ("pin", "delete")
    ]
    answers = console(ANN, "pin 12345", "pin 12345a", "pin 471108", "delete ann", "close", "enroll bob bob.raw")
    assert answers[1:3] == ["ERR pin: a PIN has 6 to 16 digits"] * 2
    assert answers[3:] == ["OK pin", "OK delete ann", "OK close", f"ERR enroll: {CLOSED}"]
    answers = console("enroll bob bob.raw", "owner 471107", "owner 471108", "enroll bob bob.raw", "pin 555555")
    assert answers == [
        *(f"ERR enroll: {CLOSED}", "ERR owner: this is not the PIN"),
        *("OK owner", "OK enroll bob", "OK pin"),
    ]
    assert b"471108" not in (tmp_path / "flash").read_bytes()
    assert console("owner 471108", "owner 555555") == ["ERR owner: this is not the PIN", "OK owner"]


def test_wrong_pins_are_failed_attempts(console: Console) -> None:
    console(ANN, "pin 471108")
    assert console(f"owner {'1' * 400}", "owner 471108") == ["ERR owner: this is not the PIN", "OK owner"]
    answers = console(*["owner 000000"] * (ATTEMPTS - 1), FAIL, "owner 471108", VERIFY)
    assert answers[: ATTEMPTS - 1] == ["ERR owner: this is not the PIN"] * (ATTEMPTS - 1)
    assert answers[ATTEMPTS:] == [f"ERR {what}: locked for {LOCKOUT_S} s" for what in ("owner", "verify")]


def test_lock_outs_double_until_somebody_is_accepted(console: Console) -> None:
    seconds = LOCKOUT_S
    console(ANN)
    for _ in range(3):
        answers = console(f"ahead {DAY_S}", *[FAIL] * ATTEMPTS, VERIFY)
        assert answers[-1] == f"ERR verify: locked for {seconds} s"
        seconds *= 2
    assert console(VERIFY)[0].startswith("ERR verify: locked for ")  # a restart waits as long again
    assert console(f"ahead {seconds // 2 - 1}", VERIFY)[0] == "ERR verify: locked for 1 s"
    assert console(f"ahead {seconds // 2}", VERIFY, *[FAIL] * ATTEMPTS, VERIFY)[-1] == (
        f"ERR verify: locked for {LOCKOUT_S} s"
    )


def test_a_lock_out_lasts_a_day_at_most_and_closes_the_lock(console: Console) -> None:
    answers = console(ANN, VERIFY, *([FAIL] * ATTEMPTS + [f"ahead {DAY_S}"]) * 12, *[FAIL] * ATTEMPTS, VERIFY)
    assert answers[-1] == f"ERR verify: locked for {DAY_S} s"
    answers = console(f"ahead {DAY_S}", VERIFY, *[FAIL] * ATTEMPTS, "enroll bob bob.raw")
    assert answers[-1] == f"ERR enroll: {CLOSED}"


def test_an_attempt_is_counted_before_it_is_judged(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever cuts the power or wears out the store at the comparison has not saved an attempt."""
    console(ANN)
    monkeypatch.setenv("TS_FLASH_WRITES", "0")
    assert console(VERIFY, FAIL) == ["ERR verify: no attempt is allowed while the store cannot count it"] * 2
    monkeypatch.setenv("TS_FLASH_WRITES", "1")
    assert console(VERIFY) == ["OK verify ann"]  # the count could not start anew
    monkeypatch.delenv("TS_FLASH_WRITES")
    assert console(*[FAIL] * (ATTEMPTS - 1), VERIFY)[-1] == f"ERR verify: locked for {LOCKOUT_S} s"


def test_a_store_that_fails_lets_nobody_in(program: Path, tmp_path: Path) -> None:
    (tmp_path / "ann.raw").write_bytes(capture(0))
    lines = session(program, tmp_path, ANN, VERIFY, flash="no/such/folder/flash")
    assert "ERR attempts: the store cannot count them, so none is allowed" in lines
    assert lines[-2:] == [
        "ERR enroll ann: the store did not take it",
        "ERR verify: no attempt is allowed while the store cannot count it",
    ]


RECORD = struct.Struct("<16sI")
"""An entry of the host's store; 64 of these, then 64 pieces of 64 KiB."""


def records(flash: Path) -> dict[str, tuple[int, bytes]]:
    """Offset and content of the records of the host's store by name."""
    data = flash.read_bytes()
    found = {}
    for index in range(64):
        name, size = RECORD.unpack_from(data, index * RECORD.size)
        start = 64 * RECORD.size + index * 65_536
        if name[0]:
            found[name.rstrip(b"\0").decode()] = (start, data[start : start + size])
    return found


def forge(flash: Path, name: str, content: bytes) -> None:
    start, old = records(flash)[name]
    assert len(content) == len(old)
    data = bytearray(flash.read_bytes())
    data[start : start + len(old)] = content
    flash.write_bytes(bytes(data))


def person(content: bytes, template: bytes) -> bytes:
    """A record with another template, and a CRC that fits."""
    record = bytearray(content)
    record[28 : 28 + len(template)] = template
    record[8:12] = bytes(4)
    record[8:12] = zlib.crc32(bytes(record)).to_bytes(4, "little")
    return bytes(record)


@pytest.mark.parametrize("place", [0, 2, 4, 9, 12, 28, 59])
def test_a_flipped_bit_in_a_person_is_found(place: int, console: Console, tmp_path: Path) -> None:
    console(ANN)
    _, content = records(tmp_path / "flash")["r0"]
    forge(tmp_path / "flash", "r0", content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
    answers = console(VERIFY, "enroll bob bob.raw", "list")
    assert answers == ["ERR verify: nobody is enrolled", f"ERR enroll: {CLOSED}", "OK list"]


def test_damaged_attempts_lock_and_a_damaged_pin_opens_nothing(console: Console, tmp_path: Path) -> None:
    console(ANN, "pin 471108", FAIL)
    for name in ("attempts", "pin"):
        _, content = records(tmp_path / "flash")[name]
        forge(tmp_path / "flash", name, bytes([*content[:-1], content[-1] ^ 1]))
    answers = console(VERIFY, f"ahead {DAY_S}", "owner 471108", "enroll bob bob.raw", VERIFY)
    assert answers == [
        *(f"ERR verify: locked for {DAY_S} s", "ERR owner: the PIN's record is damaged", f"ERR enroll: {CLOSED}"),
        "OK verify ann",
    ]


FORGED = {
    "nan": [np.nan] * EMBEDDING,
    "one nan": [1.0, *[2.0] * (EMBEDDING - 2), np.nan],
    "infinity": [np.inf, *[1.0] * (EMBEDDING - 1)],
    "overflow": [3e38, -3e38] * (EMBEDDING // 2),
    "constant": [7.0] * EMBEDDING,
    "zeros": [0.0] * EMBEDDING,
    "tiny": [1e-30, 2e-30] * (EMBEDDING // 2),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_float_template_matches_nobody(name: str, float_program: Path, tmp_path: Path) -> None:
    (tmp_path / "ann.raw").write_bytes(capture(0))
    session(float_program, tmp_path, ANN)
    _, content = records(tmp_path / "flash")["r0"]
    forge(tmp_path / "flash", "r0", person(content, np.array(FORGED[name], "<f4").tobytes()))
    answer = session(float_program, tmp_path, VERIFY)[-1]
    assert answer == "ERR verify: nobody is enrolled" or answer.startswith("OK verify nobody ")


def test_scores_and_feeds_are_there_where_menuconfig_says_so(float_program: Path, tmp_path: Path) -> None:
    (tmp_path / "ann.raw").write_bytes(capture(0))
    answers = session(float_program, tmp_path, ANN, VERIFY, "feed face seed 1")
    assert answers[-2].startswith(f"OK verify ann {1 << 20} threshold ")
    assert answers[-1] == "OK feed ready"


DEAD = {
    "black": bytes(SIDE * SIDE * 3),
    "gray": bytes([77]) * (SIDE * SIDE * 3),
    "half": capture(5)[: SIDE * 3 * 7] + bytes(SIDE * 3 * (SIDE - 7)),
}


@pytest.mark.parametrize("name", DEAD)
def test_a_dead_camera_neither_enrolls_nor_matches(name: str, console: Console, tmp_path: Path) -> None:
    (tmp_path / "dead.raw").write_bytes(DEAD[name])
    answers = console("enroll ghost dead.raw", "list", ANN, "verify - dead.raw", *[VERIFY] * 2)
    assert answers[0].startswith("ERR enroll ghost: this capture ")
    assert answers[1:3] == ["OK list", "OK enroll ann"]
    assert answers[3].startswith("ERR verify: this capture ")
    assert answers[4:] == ["OK verify ann"] * 2


def test_a_constant_embedding_does_not_enroll(console: Console, tmp_path: Path) -> None:
    (tmp_path / "constant.raw").write_bytes(bytes([9]) * EMBEDDING + capture(6)[EMBEDDING:])
    assert console("enroll ann constant.raw") == ["ERR enroll ann: the networks make nothing of this capture"]


def test_sha256_and_pbkdf2_are_those_of_hashlib() -> None:
    code = ckernels.library([], extra=f'#include "{MAIN}/sha256.c"\n')
    context, digest = ctypes.create_string_buffer(256), ctypes.create_string_buffer(32)
    random = np.random.default_rng(0)
    for size in (0, 1, 55, 56, 63, 64, 65, 119, 120, 1000):
        data = random.bytes(size)
        code.sha256_start(context)
        code.sha256_add(context, data[: size // 3], ctypes.c_size_t(size // 3))
        code.sha256_add(context, data[size // 3 :], ctypes.c_size_t(size - size // 3))
        code.sha256_end(context, digest)
        assert digest.raw == hashlib.sha256(data).digest()
    for pin in (b"471108", b"0123456789012345", bytes(64), b"of more than a block" * 10):
        salt = random.bytes(16)
        code.sha256_pbkdf2(pin, ctypes.c_size_t(len(pin)), salt, ctypes.c_size_t(16), 50, digest)
        assert digest.raw == hashlib.pbkdf2_hmac("sha256", pin, salt, 50)


def floats(*values: float) -> npt.NDArray[np.float32]:
    return np.array(values, np.float32)


def test_cosines_of_what_is_no_number_are_the_lowest() -> None:
    code = ckernels.library(["ts_cosine_f32.h"])
    code.ts_cosine_f32.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int32]
    good, one = floats(1, 2, 3, 4), 1 << 20

    def cosine(left: npt.NDArray[np.float32], right: npt.NDArray[np.float32]) -> int:
        return int(code.ts_cosine_f32(left.ctypes.data, right.ctypes.data, 4))

    bad = (np.nan, np.inf, -np.inf, 3e38, -3e38)
    for value in bad:
        for place in range(4):
            forged = good.copy()
            forged[place] = value
            for other in (good, forged, floats(0, 0, 0, 0), floats(*bad[:4])):
                assert cosine(forged, other) == cosine(other, forged) == -one
    assert cosine(good, floats(0, 0, 0, 0)) == cosine(good, good * np.float32(1e-20)) == 0
    assert (cosine(good, good), cosine(good, -good), cosine(good, good * np.float32(1e15))) == (one, -one, one)


def test_an_embedding_of_the_least_numbers_is_equal_to_itself() -> None:
    code = ckernels.library(["ts_cosine_s8.h"])
    code.ts_cosine_s8.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int32]
    least = np.full(1024, -128, np.int8)
    assert code.ts_cosine_s8(least.ctypes.data, least.ctypes.data, 1024) == 1 << 20
    assert code.ts_cosine_from_dots(5, 0, 7) == code.ts_cosine_from_dots(5, -3, 7) == 0
    assert code.ts_cosine_from_dots(2**31 - 1, 1, 1) == 1 << 20
