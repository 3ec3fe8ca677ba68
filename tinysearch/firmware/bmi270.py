"""The program of Bosch's that a BMI270 is loaded with, out of a file of the user's."""

from __future__ import annotations

import re
from pathlib import Path

from tinysearch.core.errors import UserError
from tinysearch.reading.regular import read_bytes

MOST_BYTES = 8192
"""Of the program: the sensor's memory for it (BST-BMI270-DS000, INIT_ADDR_0 and INIT_ADDR_1: 12 bits, in words)."""

_LARGEST_FILE = 2**22
_ARRAY = re.compile(r"\bbmi270_\w*config_file\s*\[[^\]]*\]\s*(?:\w+\s*)?=\s*\{([^}]*)\}")
_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)


def read_program(path: Path) -> bytes:
    """The program of a file: the bytes themselves, or C that has them as ``bmi270_config_file``, as Bosch's bmi270.c.

    Raises:
        UserError: the file cannot be read, or holds no such program.
    """
    try:
        content = read_bytes(path, most=_LARGEST_FILE)
    except OSError as error:
        raise UserError(
            "emit.bmi270_config must be a file that can be read",
            value=f"{path}: {error.strerror}",
            remedy="take bmi270.c of BMI270_SensorAPI (github.com/boschsensortec), or write emit.bmi270_config=null",
        ) from error
    if path.suffix.lower() in (".c", ".h", ".cpp", ".hpp"):
        content = _of_source(path, content.decode("utf-8", errors="replace"))
    if not content or len(content) % 2 or len(content) > MOST_BYTES:
        raise _unfit(path, f"{len(content)} bytes")
    return content


def _of_source(path: Path, text: str) -> bytes:
    found = _ARRAY.search(_COMMENT.sub(" ", text))
    if found is None:
        raise _unfit(path, "no array bmi270_config_file")
    try:
        return bytes(int(word, 0) for word in found.group(1).replace(",", " ").split())
    except ValueError as error:
        raise _unfit(path, "an array bmi270_config_file of something else than bytes") from error


def _unfit(path: Path, value: str) -> UserError:
    return UserError(
        f"emit.bmi270_config must hold an even number of bytes, at most {MOST_BYTES}, as they are or as C has them",
        value=f"{path}: {value}",
        remedy="take bmi270.c of BMI270_SensorAPI (github.com/boschsensortec)",
    )
