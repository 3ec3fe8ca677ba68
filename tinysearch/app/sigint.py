"""Ctrl-C on the command line: one line and status 130, whatever it meets.

Little is imported here, so that the first second of a command is covered, too; what Python itself does before it reads
the first line of ours is not.
"""

from __future__ import annotations

import os
import signal

INTERRUPTED = 130
_LINE = b"tinysearch: interrupted before anything had begun\n"


def end_at_once() -> None:
    """From now on Ctrl-C ends the process where it stands, which is right as long as there is nothing to save.

    An exception would be told as a traceback by imports of our own, and lost in others: callbacks of Python's imports
    and C extensions drop it. Who has Ctrl-C ignored (``nohup``) or caught is left alone.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)


def raise_from_now_on() -> None:
    """After :func:`end_at_once`: there is work to end, so Ctrl-C raises ``core.errors.Interrupted``."""
    if signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, _raise)


def _end(number: int, frame: object) -> None:
    del number, frame
    os.write(2, _LINE)
    os._exit(INTERRUPTED)


def _raise(number: int, frame: object) -> None:
    from tinysearch.core.errors import Interrupted

    del number, frame
    raise Interrupted
