"""The command line: words in, exit status out.

Exit status: 0 done; 2 the user's input is wrong (one line: rule, value, remedy); 1 an internal failure;
130 interrupted.
"""

from __future__ import annotations

import importlib
import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence

from tinysearch.app.console import SafeFormatter, say
from tinysearch.app.hydra_front import run_many, show_config, take_flags
from tinysearch.app.invocation import INTERNAL, OK, WRONG_INPUT, Invocation
from tinysearch.app.sigint import INTERRUPTED, raise_from_now_on
from tinysearch.core.errors import DivergedError, TinysearchError, UserError
from tinysearch.distribution import installed_version

VERBS = {
    "search": "the main job: search, report, firmware for the points of the front",
    "evaluate": "one candidate: analytic numbers, trained if a trainer is named",
    "enumerate": "every candidate of a space through the analytic models, to CSV or Parquet",
    "train": "one branch with the configured trainer; prints its error rates",
    "emit": "firmware for one point of a run, or for one spelled-out candidate",
    "verify": "check an emitted project: host, and target instruction set where the tools are installed",
    "report": "rebuild report.html from a run",
    "journal": "check or repair the journal of a run",
    "compare": "two runs side by side: best points, and which front reaches further",
    "worker": "join a run that lives in a PostgreSQL storage",
    "calibrate": "fit the latency table from a device's log or the emulator",
    "catalog": "list, check and price parts",
    "data": "list, prepare and inspect data sets",
    "doctor": "what is installed, what is missing, what each missing thing would enable",
    "completion": "a script for the tab key of bash, zsh or fish",
}
FLAGS = {"--json", "--help", "-h", "-v", "-q", "--verbose", "--quiet", "--version"}


def parse(argv: Sequence[str]) -> Invocation:
    """Split a command line.

    Raises:
        UserError: an unknown verb or flag.
    """
    for word in argv:
        _check_letters(word)
    hydra, words = take_flags(argv)
    flags = {word for word in words if word.startswith("-")}
    rest = [word for word in words if not word.startswith("-")]
    verb = rest.pop(0) if rest and "=" not in rest[0] else "search"
    options = [_is_option(word) for word in rest]
    if verb not in VERBS:
        raise UserError(
            f"a verb must be one of {', '.join(VERBS)}", value=verb, remedy="see python -m tinysearch --help"
        )
    if flags - FLAGS:
        raise UserError(
            f"flags must be {', '.join(sorted(FLAGS))}", value=sorted(flags - FLAGS)[0], remedy="leave it out"
        )
    return Invocation(
        verb=verb,
        words=tuple(word for word, option in zip(rest, options, strict=True) if not option),
        overrides=tuple(word for word, option in zip(rest, options, strict=True) if option),
        flags=frozenset(flags),
        hydra=hydra,
    )


def _is_option(word: str) -> bool:
    """Whether a word is key=value, and no path that happens to have an equals sign (``runs/budget=15/firmware``)."""
    key, equals, _ = word.partition("=")
    path = ("/" in key and not key.startswith("hydra/")) or "\\" in key or key.startswith((".", "~"))
    return bool(equals) and not path


def _check_letters(word: str) -> None:
    """Refuse what no message, file or browser could show.

    Raises:
        UserError: a word that is not UTF-8; Python holds its bytes as lone surrogates.
    """
    try:
        word.encode()
    except UnicodeEncodeError:
        shown = os.fsencode(word).decode("utf-8", "backslashreplace")
        raise UserError(
            "words of a command and names of files must be UTF-8", value=shown, remedy="rename it, for example with mv"
        ) from None


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give its exit status."""
    words = sys.argv[1:] if argv is None else list(argv)
    status = _status(words)
    if status == INTERRUPTED and argv is None:
        # Whoever presses Ctrl-C once more while the interpreter ends is told the same.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    return status


def _status(words: Sequence[str]) -> int:
    try:
        return _run(words)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except BaseException as error:  # a plug-in may even raise SystemExit
        message, status = _line_and_status(error)
        say(f"tinysearch: {message}", file=sys.stderr)
        return status


def _run(words: Sequence[str]) -> int:
    invocation = parse(words)
    if "--version" in invocation.flags:
        say(f"tinysearch {installed_version()}")
        return OK
    if invocation.flags & {"--help", "-h"}:
        say(_help(invocation.verb if invocation.verb in words else None))
        return OK
    _set_up_logging(invocation)
    if invocation.hydra.cfg:
        say(show_config(invocation).rstrip())
        return OK
    verb: Callable[[Invocation], int] = importlib.import_module(f"tinysearch.app.verbs.{invocation.verb}").run
    raise_from_now_on()
    return run_many(invocation, verb) if invocation.hydra.multirun else verb(invocation)


def _line_and_status(error: BaseException) -> tuple[str, int]:
    """One line and the exit status for what ended a command."""
    match error:
        case UserError() | DivergedError():
            return str(error), WRONG_INPUT
        case TinysearchError():
            return str(error), INTERNAL
        case KeyboardInterrupt():
            return "interrupted; everything finished so far is saved", INTERRUPTED
        case SystemExit():
            return f"a plug-in ended the program (SystemExit {error}) instead of raising an error", INTERNAL
        case OSError() | MemoryError() | RecursionError():
            return _limit(error), WRONG_INPUT
        case _:
            say("".join(traceback.format_exception(error)), file=sys.stderr)
            return "internal failure; please report the lines above", INTERNAL


def _limit(error: OSError | MemoryError | RecursionError) -> str:
    """What the machine could not give."""
    if isinstance(error, MemoryError):
        return "a command must fit into the memory of this machine; got too much for it; choose smaller sizes"
    if isinstance(error, RecursionError):
        return "values must nest a few levels deep; got more; write lists of values or of lists"
    where = error.filename or "a file"
    return f"files can be read and written; got {where}: {error.strerror or error}; check the path and free space"


def _set_up_logging(invocation: Invocation) -> None:
    level = logging.WARNING
    if invocation.flags & {"-v", "--verbose"}:
        level = logging.INFO
    if invocation.flags & {"-q", "--quiet"}:
        level = logging.ERROR
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(SafeFormatter("%(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler])
    logging.getLogger("tinysearch").setLevel(level)


def _help(verb: str | None) -> str:
    if verb is not None:
        module = importlib.import_module(f"tinysearch.app.verbs.{verb}")
        return str(module.__doc__).strip()
    lines = [f"  {name:10} {text}" for name, text in VERBS.items()]
    return "\n".join(
        [
            "usage: python -m tinysearch [verb] [key=value ...]",
            "",
            "What can I build for 15 dollars?  python -m tinysearch budget=15usd",
            "",
            "verbs:",
            *lines,
            "",
            "flags: --help, --version, --json (evaluate, verify, catalog, doctor), -v more words, -q fewer;",
            "of Hydra's: --cfg job (print the configuration), --config-dir DIR (your own options), -m (once a value).",
            "",
            "python -m tinysearch VERB --help explains one verb. Every option is a key of conf/config.yaml.",
        ]
    )
