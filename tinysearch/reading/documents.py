"""YAML and JSON that people bring: of a bounded size and depth, and a plain tree.

As everywhere in this room, what cannot be read is an :class:`OSError` with the path and one line of reason.
"""

from __future__ import annotations

import errno
import json
import re
from pathlib import Path
from typing import Any

import yaml

from tinysearch.reading.regular import MOST_TABLE_BYTES
from tinysearch.reading.text import read_text

MOST_YAML_BYTES = 2**20
"""Of files that people write by hand."""

MOST_DEPTH, MOST_PLACES = 32, 100_000
SAFE_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""By libyaml where PyYAML was built with it: ten times as fast."""


def read_yaml(path: Path, *, loader: Any = SAFE_LOADER, most: int = MOST_YAML_BYTES) -> Any:
    """What a YAML file holds.

    Args:
        loader: a safe one.

    Raises:
        OSError: see :mod:`tinysearch.reading.regular`; also for wrong syntax, and for values that are nested deeply or,
            by aliases, within themselves.
    """
    text = read_text(path, most=most)
    try:
        document = yaml.load(text, Loader=loader)  # noqa: S506 - the caller's loader is a safe one
    except RecursionError:
        raise _refused(path, _TOO_DEEP) from None
    except (yaml.YAMLError, ValueError) as error:  # a date that there is not, a number of 5000 digits
        reason = " ".join(str(error).split())
        raise _refused(path, _TOO_DEEP if "nesting depth" in reason else f"must be YAML: {reason}") from None
    _check_tree(document, path)
    _check_characters(text, document, path)
    return document


def read_json(path: Path, *, most: int = MOST_TABLE_BYTES) -> Any:
    """What a JSON file holds.

    Raises:
        OSError: see :mod:`tinysearch.reading.regular`; also for wrong syntax and for values that are nested deeply.
    """
    text = read_text(path, most=most)
    try:
        document = json.loads(text)
    except RecursionError:
        raise _refused(path, _TOO_DEEP) from None
    except ValueError as error:
        raise _refused(path, f"must be JSON: {error}") from None
    _check_characters(text, document, path)
    return document


_TOO_DEEP = f"must nest its values at most {MOST_DEPTH} deep"


def _check_tree(document: Any, path: Path) -> None:
    waiting, places = [(document, 1)], 0
    while waiting:
        value, depth = waiting.pop()
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        places += len(inner)
        if depth > MOST_DEPTH:
            raise _refused(path, _TOO_DEEP)
        if places > MOST_PLACES:
            raise _refused(path, f"must have at most {MOST_PLACES} values")
        waiting += [(one, depth + 1) for one in inner]


_HALF = re.compile(r"\\[uU](0000)?[dD][89a-fA-F]")


def _check_characters(text: str, document: Any, path: Path) -> None:
    """Refuse halves of characters, which only escapes can spell: no file and no terminal takes them."""
    waiting = [document] if _HALF.search(text) else []
    while waiting:
        value = waiting.pop()
        if isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
            raise _refused(path, f"must have whole characters, and no half of one as in {ascii(value)[:60]}")
        waiting += [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else ()


def _refused(path: Path, reason: str) -> OSError:
    return OSError(errno.EINVAL, reason, str(path))
