"""The only way to a terminal: text from outside is spelled out on it, and holds no password.

Verbs print with :func:`say` and draw with :class:`SafeConsole`; names out of catalogues, data, runs and devices may
hold anything.
"""

from __future__ import annotations

import logging
import sys
from typing import Any, TextIO

from rich.console import Console
from rich.text import Text

from tinysearch.core.safe_text import printable, redacted


def say(text: object = "", *, file: TextIO | None = None) -> None:
    """Print one text, safe to look at."""
    print(safe(str(text)), file=file)


def safe(text: str) -> str:
    """The text without passwords, and without characters that steer a terminal."""
    return printable(redacted(text))


class SafeConsole(Console):
    """A console on which texts mean what they say: no markup, no emoji, nothing that steers the terminal."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**({"highlight": False, "markup": False, "emoji": False} | options))

    def render_str(self, text: str, **options: Any) -> Text:
        """Every text that is drawn, cells of tables included, comes through here."""
        return super().render_str(safe(text), **(options | {"markup": False, "emoji": False, "highlight": False}))


class SafeFormatter(logging.Formatter):
    """Log lines for a terminal: one each, also where a library adds the traceback of an error that it got over."""

    def format(self, record: logging.LogRecord) -> str:
        return safe(super().format(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802 - as logging calls it
        """No traceback: :meth:`formatMessage` tells of the error."""
        del ei
        return ""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - as logging calls it
        """The line, and in brackets what the error says of itself."""
        line = super().formatMessage(record)
        error = record.exc_info[1] if record.exc_info else None
        if error is None:
            return line
        return f"{line} ({type(error).__name__}: {next(iter(str(error).splitlines()), '')})"


def error_console(*, quiet: bool = False) -> SafeConsole:
    """The console of standard error."""
    return SafeConsole(file=sys.stderr, quiet=quiet)
