"""Text from outside on its way to people: without passwords, and without characters that steer a terminal.

Names of people, parts and files are whatever somebody wrote. Before they are shown, :func:`printable` spells out what
would move a cursor, hide a line or turn the direction of reading. An address may hold a password; :func:`redacted`
leaves it out of anything that is shown, logged or written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, unquote_plus

HIDDEN = "***"

_STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters but tabulator and line feed
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # marks, embeddings, overrides and isolates of direction
    "\u2028\u2029\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"  # separators, marks within a line, tags
    "\ud800-\udfff]"  # halves of characters: bytes of a file name that are not UTF-8
)

_ADDRESS = re.compile(r"\b[A-Za-z][\w+.-]*://[^\s'\"<>]*")
_KEYWORD = re.compile(
    r"""(?ix) (?P<key> \b \w* pass(?:word|wd|phrase)? | \b pwd ) (?P<sign> ['"]? \s* (?:=|:|%3d) \s* )
    (?: '(?:[^'\\]|\\.)*' | "(?:[^"\\]|\\.)*" | [^\s&;'")\]}]+ )"""
)
_SECRET_KEYS = ("password", "sslpassword", "passwd", "token", "secret")
_SHOWN_KEYS = frozenset(
    {"host", "port", "dbname", "user", "sslmode", "application_name", "connect_timeout", "target_session_attrs"}
)
"""Keys of an address's query whose values may be shown; everything else in it is hidden."""

_LEAST = 4
"""Letters of a secret that is hidden wherever they stand; shorter ones only where an address or a keyword tells."""

_secrets: set[str] = set()


def printable(text: str) -> str:
    """The text with control and direction characters spelled out in hexadecimal; tabulators and line ends stay."""
    return _STEERING.sub(_spelled, text)


def _spelled(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def redacted(text: str) -> str:
    """The text with passwords replaced by stars: those of addresses, of ``password=..``, and those that were typed."""
    for secret in sorted(_secrets, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    text = _ADDRESS.sub(lambda found: _hide(found[0]), text)
    return _KEYWORD.sub(lambda found: f"{found['key']}{found['sign']}{HIDDEN}", text)


def remember_secrets(address: str) -> None:
    """Hide the passwords of an address from now on wherever they stand, also where a library repeats a part of it."""
    address = address.strip("\"' ")
    head, _, query = address.partition("?")
    found = [part.partition("=")[2] for part in query.split("&") if _hidden_key(part)]
    userinfo = address.partition("://")[2].rpartition("@")[0]
    if "?" not in userinfo.partition("@")[0]:
        userinfo = head.partition("://")[2].rpartition("@")[0] or userinfo
    password = userinfo.partition(":")[2]
    place = re.split("[/?]", address.rpartition("@")[2])[0]
    found.append(password)
    if "@" in password:  # a library may take what follows the first @ for the server
        found += [f"{tail}@{place.partition(':')[0]}" for tail in _tails(password)]
    found += [match[0].partition("=")[2].strip("'\" ") for match in _KEYWORD.finditer(address) if "=" in match[0]]
    for secret in found:
        _secrets.update(form for form in (secret, unquote(secret), unquote_plus(secret)) if len(form) >= _LEAST)


def _tails(password: str) -> list[str]:
    """What stands behind each ``@`` of a password, the longest first."""
    parts = password.split("@")
    return ["@".join(parts[start:]) for start in range(1, len(parts))]


def redacted_tree(value: Any, *, key: str = "") -> Any:
    """Plain dictionaries and lists with every text :func:`redacted`, and what a key calls a secret replaced."""
    match value:
        case Mapping():
            return {name: redacted_tree(inner, key=str(name)) for name, inner in value.items()}
        case list() | tuple():
            return [redacted_tree(inner, key=key) for inner in value]
        case str():
            return HIDDEN if key.lower() in _SECRET_KEYS else redacted(value)
        case _:
            return value


def _hide(address: str) -> str:
    """An address without its password, and of a database's query only what is known to be harmless."""
    scheme, _, rest = address.partition("://")
    head, mark, query = rest.partition("?")
    userinfo, at, place = head.rpartition("@")
    database = scheme.lower().startswith("postgres")
    if at and (":" in userinfo or "@" in userinfo) and (database or "/" not in userinfo):
        user = re.split("[:@]", userinfo, maxsplit=1)[0]
        head = f"{user}:{HIDDEN}@{place}"
    elif database and re.match(r"[^/:\[\]]*:(?!\d*(?:/|$))", head):  # no port: a password that a question mark ended
        head = f"{head.partition(':')[0]}:{HIDDEN}"
    parts = [_hide_part(part, database=database) for part in query.split("&")] if query else []
    return f"{scheme}://{head}{mark}{'&'.join(parts)}"


def _hide_part(part: str, *, database: bool) -> str:
    key, sign, _ = part.partition("=")
    name = unquote(key).lower()
    if sign and name in _SECRET_KEYS:
        return f"{name}={HIDDEN}"
    shown = not database or (sign and name in _SHOWN_KEYS and "@" not in part)
    return part if shown else HIDDEN


def _hidden_key(part: str) -> bool:
    key, sign, _ = part.partition("=")
    return bool(sign) and unquote(key).lower() not in _SHOWN_KEYS


def plain_line(text: str) -> str:
    """One line without control characters, for a cell of a CSV; a leading formula sign is quoted for spreadsheets."""
    line = "".join(char for char in " ".join(str(text).split()) if char.isprintable())
    return f"'{line}" if line.startswith(("=", "+", "-", "@")) else line
