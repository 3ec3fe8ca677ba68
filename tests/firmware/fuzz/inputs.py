"""Valid inputs of the fuzzed application, and words of its grammars.

The first byte of an input names the parser: a face's file, a voice's file, console lines, a record, the host's store.
The second byte of a file says its name (``a``, ``.raw``, ``.inputs``, ``.pcm``) and its window (alone, or one of 3).
"""

from __future__ import annotations

import struct
from pathlib import Path

FACE, VOICE, LINES, RECORD, STORE = b"\0", b"\1", b"\2", b"\3", b"\4"

_STRIPES = bytes((x * 37 + y * 11) % 256 for y in range(24) for x in range(24))
_SOUND = b"".join(struct.pack("<h", (n * n * 7919 + n * 104729) % 30011 - 15000) for n in range(3200))

_FED = "feed face seed 1\nfeed voice seed 2\n"
_STRANGER = "feed face seed 3\nfeed voice seed 4\nverify\n"
_FILES = "face.ppm voice.wav"
_LINES = (
    f"{_FED}enroll ann\npin 471108\n{_FED}verify\nlist",
    f"{_FED}enroll ann\nenroll bob - -\npin 471108\nclose\nowner 1\nowner 471108\ndelete ann",
    f"enrol ann {_FILES}\nverify ann {_FILES}\nverify - {_FILES}\nselftest\nbenchmark\nhelp",
    "enroll ann voice.wav face.ppm\nverify x nosuch nosuch\nsensors\nbench\nunknown\n\nfeed face 0 80ff00",
    f"{_FED}picture face\nrecord voice\npicture\nrecord\n{_FED}picture x\nsensors\nverify\ncancel",
    f"feed face 0 {'80ff0041' * 90}\nfeed face 360 {'00' * 64}\nfeed voice 0 {'7f81' * 200}\nowner\npin\nverify",
    f"{_FED}enroll ann\nclose\n{_STRANGER * 6}ahead 40\nverify ann\nfeed voice 4294967295 00",
)


def picture(colors: int, width: int, height: int) -> bytes:
    """A PPM of three colors, or a PGM of one."""
    pixels = (_STRIPES * (1 + width * height * colors // len(_STRIPES)))[: width * height * colors]
    return b"P%d\n# c\n%d %d\n255\n" % (6 if colors == 3 else 5, width, height) + pixels


def recording(*, chunks: bytes = b"", samples: bytes = _SOUND) -> bytes:
    """A WAV of 16 kHz with more chunks before its samples."""
    head = b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, 16_000, 32_000, 2, 16)
    body = b"WAVE" + head + chunks + b"data" + struct.pack("<I", len(samples)) + samples
    return b"RIFF" + struct.pack("<I", len(body)) + body


def seeds() -> dict[str, bytes]:
    """Inputs by name."""
    lists = b"LIST" + struct.pack("<I", 5) + b"INFO\0\0"
    lines = {f"lines{number}": LINES + text.encode() for number, text in enumerate(_LINES)}
    return lines | {
        "ppm": FACE + b"\0" + picture(3, 24, 24),
        "pgm": FACE + b"\0" + picture(1, 24, 20),
        "video": FACE + b"\x08" + 3 * picture(1, 9, 7),
        "raw": FACE + b"\1" + (_STRIPES * 6)[:3072],
        "inputs": FACE + b"\x0a" + (_STRIPES * 12)[:6144],
        "wav": VOICE + b"\0" + recording(),
        "list": VOICE + b"\0" + recording(chunks=lists),
        "pcm": VOICE + b"\3" + _SOUND,
        "stream": VOICE + b"\x0b" + _SOUND,
        "long": VOICE + b"\0" + recording(samples=_SOUND[:40])[:-20],
        "endless": VOICE + b"\0" + recording().replace(struct.pack("<I", len(_SOUND)), b"\xff" * 4),
        "person": RECORD + b"\1\0\2\0\1\0" + bytes(8) + b"ann" + bytes(13 + 32 + 128),
        "attempts": RECORD + b"\1\2\1\0\0\0\5\0\0\0" + bytes(4),
        "pin": RECORD + b"\1\3\1\0\0\0" + bytes(16 + 32 + 4),
        "store": STORE + b"r0" + bytes(14) + b"\x40\0\0\0" + b"attempts" + bytes(8) + b"\x0c\0\0\0",
    }


def write_seeds(folder: Path) -> list[Path]:
    """A file an input; beside them the pictures and recordings that lines name."""
    folder.mkdir()
    (folder.parent / "face.ppm").write_bytes(picture(3, 24, 24))
    (folder.parent / "voice.wav").write_bytes(recording())
    for name, content in seeds().items():
        (folder / name).write_bytes(content)
    return sorted(folder.iterdir())


DICTIONARY = (
    *("enroll ", "enrol ", "verify", "verify - ", "list", "delete ", "owner ", "pin ", "close", "benchmark", "sensors"),
    *("selftest", "feed ", "help", "face ", "voice ", "seed ", "ann", "471108", "face.ppm", "voice.wav", "ahead 86400"),
    *(
        "P5",
        "P6",
        "255",
        "4096",
        "picture ",
        "record ",
        "RIFF",
        "WAVE",
        "fmt ",
        "data",
        "LIST",
        "\\x80\\x3e",
        "r0",
        "r1",
        "attempts",
    ),
)
"""Words of what is parsed, in libFuzzer's spelling."""
