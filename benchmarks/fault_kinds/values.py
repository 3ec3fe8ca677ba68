"""Values that nobody meant: of another kind, extreme, nested, long, in letters that no file has."""

from __future__ import annotations

import copy
import datetime
from collections.abc import Sequence
from typing import Any

import numpy as np

DEEP, LONG, MANY = 400, 5_000, 60


def choice(rng: np.random.Generator, values: Sequence[Any]) -> Any:
    """One of some values, as it stands (NumPy would make an array of them)."""
    return values[int(rng.integers(len(values)))]


def nested(depth: int) -> Any:
    """A list in a list in a list."""
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def document_value(rng: np.random.Generator) -> Any:
    """A value for a place in a YAML or JSON document."""
    simple = (None, True, False, 0, -1, 1, 3, 1.5, -0.5, 10**9, 2**63, 10**30, 1e308, 5e-324)
    odd = (
        float("nan"),
        float("inf"),
        -float("inf"),
        "",
        "x",
        "é\u0301",
        "\x1b[31m",
        "a\nb",
        "0x10",
        "1e5",
        "-1",
        "4MB",
    )
    lists = ([], [[]], {}, {"a": 1}, [1, 2], ["x"], [None], [[1, 2], [3]], {"a": {"b": [1]}}, {1: 2}, {None: None})
    long = ("x" * LONG, [1] * MANY, [[1, 1]] * 4, nested(20), nested(DEEP), datetime.date(2026, 11, 29), b"\x00\xff")
    return copy.deepcopy(choice(rng, (*simple, *odd, *lists, *long, "../x", "os:system", "nowhere:Thing")))


def word_value(rng: np.random.Generator) -> str:
    """A value on a command line."""
    simple = ("", "null", "true", "false", "0", "-1", "1", "7", "1.5", "-0.5", "1e9", "1000000000", "1e308", "1e-300")
    odd = ("nan", "inf", "-inf", "9" * 30, "abc", "'a", '"', "[1,", "{", "}", ",", "a,b", "a=b", "\\", "${", "???", "~")
    names = (
        "é",
        "e\u0301",
        "\udcff\udcfe",
        "\x1b[2J",
        "a\nb",
        "..",
        "nowhere/x",
        "/dev/null",
        "/proc/nowhere/x",
        "x:y",
    )
    references = ("${budget}", "${nope}", "${oc.env:NOPE}", "${seed}", "${oc.decode:x}", "nowhere:Thing", "math:pi")
    lists = ("[]", "[[]]", "[1,2]", "[[1,2],[3]]", "{a:1}", "{}", "[null]", "[abc]", "[-1]", "[0]", "[1.5]", "[1e9]")
    units = ("15usd", "15 eur", "-1usd", "4MB", "1e30MB", "10min", "-1s", "nan usd", "0MB", "1e400", "infusd", "4 XB")
    deep = "[" * DEEP + "1" + "]" * DEEP
    long = ("[" + ",".join(["1"] * MANY) + "]", "[[1,1],[1,1],[1,1]]", "x" * LONG, deep, "[1000000000]", "[[1],[1]]")
    return str(choice(rng, (*simple, *odd, *names, *references, *lists, *units, *long)))


def places(document: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every place of a document: keys and positions."""
    found = [here] if here else []
    pairs: Any = ()
    if isinstance(document, dict):
        pairs = document.items()
    elif isinstance(document, list):
        pairs = enumerate(document)
    for key, value in pairs:
        found += places(value, (*here, key))
    return found


def spoil(document: Any, rng: np.random.Generator) -> Any:
    """A copy of a document with one to three places of another value, deleted, doubled or under another name."""
    document = copy.deepcopy(document)
    for _ in range(int(rng.integers(1, 4))):
        way = choice(rng, places(document) or [()])
        if not way:
            return document_value(rng)
        inner = document
        for key in way[:-1]:
            inner = inner[key]
        last = way[-1]
        match int(rng.integers(6)):
            case 0:
                del inner[last]
            case 1 if isinstance(inner, list):
                inner.append(copy.deepcopy(inner[last]))
            case 1:
                inner[choice(rng, ("x", "", 7, None, f"{last}s"))] = inner.pop(last)
            case 2:
                inner[last] = copy.deepcopy(
                    inner[choice(rng, list(inner) if isinstance(inner, dict) else range(len(inner)))]
                )
            case _:
                inner[last] = document_value(rng)
    return document


def spoil_bytes(raw: bytes, rng: np.random.Generator) -> bytes:
    """A file flipped, cut, doubled, of zeros, in another encoding, or with what no text has."""
    at = int(rng.integers(len(raw) + 1))
    added = choice(rng, (b"\0", b"\xff\xfe", b"\x1b[2J", b"\r", b"[" * DEEP, b'"', b"&a [*a]"))
    flipped = raw[at : at + 1] and bytes([raw[at] ^ 1 << int(rng.integers(8))])
    encoding = choice(rng, ("utf-16", "utf-8-sig", "utf-32"))
    spoiled = (
        *(raw[:at] + flipped + raw[at + 1 :], raw[:at], raw[:at] + added + raw[at:], raw + raw[at:]),
        raw[:at] + bytes(min(512, len(raw) - at)) + raw[at + 512 :],
        raw.decode("latin-1").encode(encoding),
        rng.bytes(int(rng.integers(200))),
    )
    return bytes(choice(rng, (*spoiled[:2], *spoiled)))  # flips and cuts twice as often
