"""Text as people's programs save it: UTF-8 with or without a byte order mark, UTF-16, Latin-1."""

from __future__ import annotations

import codecs
import errno
import unicodedata
from pathlib import Path

from tinysearch.reading.regular import MOST_TABLE_BYTES, read_bytes

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins as UTF-16's does, so it comes first
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def read_text(path: Path | str, *, most: int = MOST_TABLE_BYTES) -> str:
    """Text of a regular file in any of the module's encodings.

    Raises:
        OSError: see :func:`~tinysearch.reading.regular.read_bytes`; also for content that is no text.
    """
    text = decode_text(read_bytes(path, most=most))
    if "\0" in text:
        raise OSError(errno.EINVAL, "must be text and holds bytes of value 0", str(path))
    return text


def decode_text(content: bytes) -> str:
    """Text of bytes: by their byte order mark, else UTF-16 if every second byte is 0, else UTF-8, else Latin-1.

    Latin-1 is read as Windows writes it (code page 1252), where that has a letter. A damaged end of a UTF-16 text
    becomes U+FFFD.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content.decode(encoding, errors="replace")
    head = content[:512]
    if len(head) >= 4 and not any(head[1::2]):
        return content.decode("utf-16-le", errors="replace")
    if len(head) >= 4 and not any(head[0::2]):
        return content.decode("utf-16-be", errors="replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        try:
            return content.decode("cp1252")
        except UnicodeDecodeError:
            return content.decode("latin-1")


def same_name(name: str) -> str:
    """A name in composed form (NFC) with forward slashes: macOS decomposes letters, Windows writes backslashes."""
    return unicodedata.normalize("NFC", name.replace("\\", "/"))
