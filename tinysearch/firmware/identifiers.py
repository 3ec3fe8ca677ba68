"""Text from catalogues, configurations and users on its way into C, CMake, Kconfig, CSV and Markdown.

Names that become identifiers must match a pattern; everything else is escaped for the language it goes into. Nothing
that comes from outside reaches a generated file by another way.
"""

from __future__ import annotations

import re

from tinysearch.core.errors import UserError

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MODALITY = re.compile(r"[a-z][a-z0-9]{0,14}")
_COMPONENT = re.compile(r"[a-z][a-z0-9_]{2,31}")
_FOLDER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+_-]{0,60}")
_DIGEST = re.compile(r"[0-9a-f]{4,64}")

_C_KEYWORDS = frozenset(
    {
        *("auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else", "enum", "extern"),
        *("float", "for", "goto", "if", "inline", "int", "long", "register", "restrict", "return", "short", "signed"),
        *("sizeof", "static", "struct", "switch", "typedef", "union", "unsigned", "void", "volatile", "while"),
    }
)
_CPP_KEYWORDS = frozenset(
    {
        *("and", "asm", "bool", "catch", "class", "delete", "explicit", "export", "false", "friend", "mutable"),
        *("namespace", "new", "not", "operator", "private", "protected", "public", "template", "this", "throw", "true"),
        *("try", "typeid", "typename", "using", "virtual", "xor", "nullptr", "concept", "requires", "constexpr"),
    }
)


def _matched(pattern: re.Pattern[str], text: str, *, rule: str, remedy: str) -> str:
    if pattern.fullmatch(text) is None:
        raise UserError(rule, value=repr(text), remedy=remedy)
    return text


def c_identifier(text: str) -> str:
    """The text, if it is an identifier of C.

    Raises:
        UserError: it is not, or it is a keyword.
    """
    rule = "the name of a layer must be an identifier of C"
    remedy = "use letters, digits and _, and no keyword"
    if text in _C_KEYWORDS:
        raise UserError(rule, value=repr(text), remedy=remedy)
    return _matched(_IDENTIFIER, text, rule=rule, remedy=remedy)


def modality_name(text: str) -> str:
    """The text, if a component can be named after it: ``face``, ``voice``."""
    return _matched(
        _MODALITY,
        text,
        rule="the name of a modality must be a lower-case letter, then letters and digits",
        remedy="use for example face or voice",
    )


def component_name(text: str) -> str:
    """The text, if a library of C, Arduino, ESP-IDF and ESPHome can have it as its name.

    Raises:
        UserError: it is not one, or a keyword.
    """
    rule = "emit.name must be a lower-case letter, then letters, digits and single _, 3 to 32 in all, and no keyword"
    remedy = "write for example emit.name=door_model"
    if text in _C_KEYWORDS | _CPP_KEYWORDS or "__" in text or text.endswith("_"):
        raise UserError(rule, value=repr(text), remedy=remedy)
    return _matched(_COMPONENT, text, rule=rule, remedy=remedy)


def candidate_id(text: str) -> str:
    """The text, if it can name a folder and stand in a string of C."""
    return _matched(
        _FOLDER_NAME,
        text,
        rule="a candidate's id must consist of letters, digits, dots, - and _",
        remedy="use the id of front.json",
    )


def version_text(text: str) -> str:
    """A version, for comments and strings."""
    return _matched(
        _VERSION, text, rule="a version must consist of letters, digits, dots, +, - and _", remedy="use e.g. 1.2.0"
    )


def digest_text(text: str) -> str:
    """A configuration digest: hexadecimal."""
    return _matched(_DIGEST, text, rule="a digest must be hexadecimal", remedy="use 4 to 64 digits 0-9a-f")


def c_string(text: str) -> str:
    """A string literal of C, quotes included, for any text: printable ASCII as it is, the rest as octal bytes."""
    parts = []
    for byte in text.encode("utf-8"):
        char = chr(byte)
        parts.append(char if 32 <= byte < 127 and char not in '"\\?' else f"\\{byte:03o}")
    return '"' + "".join(parts) + '"'


def markdown_text(text: str) -> str:
    """One line of plain text in Markdown: no line ends, no markup, no table cells."""
    line = " ".join(str(text).split())
    return re.sub(r"([\\`*_{}\[\]<>#|!~$])", r"\\\1", line)
