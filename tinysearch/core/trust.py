"""Which code may be imported: what its user typed, never what a file names.

A run directory, a task, a space, a catalogue or a project may come from somebody else. A plug-in is therefore imported
only where its name was typed (on the command line, or as an option of the Python interface), where an installed package
registers it as an entry point, or where it is ours.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from tinysearch.core.errors import UserError

_NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*:[A-Za-z_][\w.]*")
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
_NAMING = frozenset(
    {"_target_", "architecture", "architectures", "backend", "kind", "model", "name", "plug_ins"}
    | {"data", "firmware", "latency", "sampler", "trainer"}
)
"""Last parts of keys whose values may name a plug-in as Hydra does, ``module.attribute``."""

_trusted: set[str] = set()


def trust(names: Iterable[str]) -> None:
    """Let plug-ins of these names be imported in this process."""
    _trusted.update(names)


def trust_words(words: Iterable[str]) -> None:
    """Trust the plug-ins that override words name: ``sampler=mine:Sampler``, ``plug_ins=[a:B,c:D]``."""
    for word in words:
        key, _, value = word.partition("=")
        if key.lstrip("+~") == "storage":
            continue
        trust(_NAME.findall(value))
        if key.rpartition(".")[2].lstrip("+~") in _NAMING:
            trust(_DOTTED.findall(value))


def is_trusted(name: str) -> bool:
    """Whether a plug-in of this name was typed."""
    return name in _trusted


def check_trust(what: str, name: str, *, option: str = "") -> None:
    """Refuse code that only a file names; every import by a configured name asks here first.

    Args:
        what: plural of what is imported, for people.
        name: as spelled.
        option: word that would name it again; ``plug_ins=[..]`` always does.

    Raises:
        UserError: nobody typed the name; says which option would.
    """
    if not is_trusted(name):
        words = " or ".join(word for word in (option, f"plug_ins=[{name}]") if word)
        raise UserError(
            f"{what} of your own must be named by you, not by a file alone",
            value=name,
            remedy=f"if you trust this code, add {words}",
        )


@dataclass(frozen=True)
class Trusting:
    """A function that takes the trust of the process in which it was made along into another one.

    Attributes:
        function: called with whatever this is called with.
        names: what was trusted when this was made.
    """

    function: Callable[..., Any]
    names: frozenset[str]

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        trust(self.names)
        return self.function(*arguments, **named)


def trusting(function: Callable[..., Any]) -> Trusting:
    """A function to be called in other processes, with this one's trust."""
    return Trusting(function, frozenset(_trusted))
