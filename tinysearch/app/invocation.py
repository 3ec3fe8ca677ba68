"""What was typed, past the command line: what every verb takes, and the exit statuses that it gives back."""

from __future__ import annotations

from dataclasses import dataclass, field

from tinysearch.core.errors import UserError

OK, INTERNAL, WRONG_INPUT = 0, 1, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class HydraFlags:
    """Flags of Hydra's: print the configuration (with interpolations resolved), and run once a combination."""

    cfg: bool = False
    resolve: bool = False
    multirun: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """What was typed: a verb, words without ``=``, options, and flags."""

    verb: str
    words: tuple[str, ...]
    overrides: tuple[str, ...]
    flags: frozenset[str]
    hydra: HydraFlags = field(default_factory=HydraFlags)

    @property
    def json(self) -> bool:
        """Whether machine-readable output was asked for."""
        return "--json" in self.flags

    def no_words(self) -> None:
        """Refuse words that are no options.

        Raises:
            UserError: there are some.
        """
        if self.words:
            raise UserError(
                f"options of {self.verb} must have the form key=value",
                value=" ".join(self.words),
                remedy=f"see python -m tinysearch {self.verb} --help",
            )
