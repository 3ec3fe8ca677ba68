"""``emit network=FILE out=DIR``: the project of the cheapest board as wished that carries the network."""

from __future__ import annotations

from pathlib import Path

from tinysearch.app.console import say
from tinysearch.app.invocation import OK, Invocation
from tinysearch.app.networks.asked import asked
from tinysearch.app.networks.evaluate import chosen
from tinysearch.app.networks.firmware import emit, prepared
from tinysearch.core.errors import UserError


def run(invocation: Invocation) -> int:
    """Emit one project."""
    question = asked(invocation.overrides)
    if question.config["out"] is None:
        raise UserError("emit must be told where to write", value="out is not set", remedy="add out=DIR")
    point = chosen(question.points())
    if not point.feasible:
        broken = "; ".join(violation.message for violation in point.violations)
        raise UserError(
            "firmware must be of a board that carries the network", value=broken, remedy="choose a larger platform"
        )
    say(emit(question, prepared(question, point), point, Path(question.config["out"])))
    return OK
