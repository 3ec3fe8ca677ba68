"""Errors that a user can act on.

An error says three things in one line, in this order: the rule, the value that broke it, the remedy. The line holds no
password and nothing that steers a terminal.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import ClassVar

from tinysearch.core.safe_text import printable, redacted


class TinysearchError(Exception):
    """Base class of every error that tinysearch raises on purpose."""


class DivergedError(TinysearchError):
    """A training whose loss is no number any more: of a search that branch fails, alone its settings are wrong."""


class UserError(TinysearchError):
    """The user's input is wrong; the command line prints one line and exits with status 2.

    Args:
        rule: what must hold, as a statement ("a budget is an amount of money").
        value: what was given instead, as the user spelled it.
        remedy: what to do about it ("write budget=15usd").

    Attributes:
        longest: characters of a value that are told in full; None: all.
    """

    longest: ClassVar[int | None] = 600

    def __init__(self, rule: str, *, value: object, remedy: str) -> None:
        self.rule = rule
        self.value = redacted(value) if isinstance(value, str) else value
        self.remedy = remedy
        super().__init__(
            printable(redacted(f"{rule}; got {_short(str(value), self.longest)}; {remedy}".replace("\n", " ")))
        )

    def __reduce__(self) -> tuple[object, ...]:
        """Survive the trip between processes, which the keyword-only arguments would otherwise prevent."""
        return _rebuild, (type(self), self.rule, str(self.value), self.remedy)


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, as a class of its own.

    A KeyboardInterrupt of exactly that class which passes through ``exec`` of a text (every dataclass is made by one)
    lets Python end by the signal, whatever exit status a program then asks for.
    """


def did_you_mean(word: object, known: Iterable[str], *, otherwise: str, before: str = "") -> str:
    """The remedy for a word that is none of those known: the one that is spelled most like it, or what else to do.

    Args:
        word: as it was read; a key of a YAML file may be a number or nothing.
        before: what stands before the word where it is written, for example ``data=``.
    """
    near = difflib.get_close_matches(str(word), tuple(known), n=1)
    return f"did you mean {before}{near[0]}?" if near else otherwise


def _short(text: str, most: int | None) -> str:
    """A text that leaves the rule and the remedy around it in sight."""
    if most is None or len(text) <= most:
        return text
    return f"{text[: most - 60]} .. {text[-50:]} ({len(text)} characters)"


class UnsupportedLayerError(UserError):
    """No model or kernel exists for a layer: an error, never a silent zero."""


class WritingError(UserError):
    """A disk is full or a place cannot be written: whatever is tried next would fail, too."""


def _rebuild(kind: type[UserError], rule: str, value: str, remedy: str) -> UserError:
    return kind(rule, value=value, remedy=remedy)
