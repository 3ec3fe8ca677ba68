"""How many bytes a recording lacks by what its own headers say; libsndfile reads what is there without a word."""

from __future__ import annotations

import struct

_UNKNOWN_FROM = 0x7FFFF000
"""Programs that write into a pipe do not know the length, and write 0 or about the largest number that fits."""


def shortfall(content: bytes) -> int:
    """Bytes missing at the end of a WAV, AIFF or Ogg file; 0 where none are, or the file does not say."""
    head, form = content[:4], content[8:12]
    if head in (b"RIFF", b"RIFX") and form == b"WAVE":
        return _chunk_shortfall(content, b"data", order="<" if head == b"RIFF" else ">")
    if head == b"FORM" and form in (b"AIFF", b"AIFC"):
        return _chunk_shortfall(content, b"SSND", order=">")
    if head == b"OggS":
        return _page_shortfall(content)
    return 0


def _chunk_shortfall(content: bytes, name: bytes, *, order: str) -> int:
    """Bytes that the chunk of samples lacks."""
    place = 12
    while place + 8 <= len(content):
        found, size = struct.unpack_from(f"{order}4sI", content, place)
        if found == name:
            known = 0 < size < _UNKNOWN_FROM
            return max(0, place + 8 + size - len(content)) if known else 0
        place += 8 + size + size % 2
    return 0


def _page_shortfall(content: bytes) -> int:
    """Bytes that the last page lacks: its header counts its segments, and these say how long they are."""
    place = content.rfind(b"OggS")
    if place + 27 > len(content):
        return place + 27 - len(content)
    segments = content[place + 26]
    sizes = content[place + 27 : place + 27 + segments]
    return max(0, place + 27 + segments + sum(sizes) - len(content))
