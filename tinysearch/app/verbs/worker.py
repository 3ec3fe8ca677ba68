"""Join a search whose study lives in PostgreSQL, from another process or machine.

  python -m tinysearch budget=15usd storage=postgresql://user@host/database run_dir=runs/shared
  python -m tinysearch worker budget=15usd storage=postgresql://user@host/database

A worker takes the options of the search that it joins; it refuses, in one line, if the rules differ. It asks which
branch to train next, trains what nobody else is training, and records its trials in the study; the search writes front,
report and firmware. All processes share trained branches through cache.dir. Workers may come and go: what a dead one
was training is done by another after claims_expire. Interrupt once to stop in good order.
"""

from __future__ import annotations

from dataclasses import replace

from tinysearch.app.building.decision import rate_of
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.app.console import error_console
from tinysearch.app.invocation import OK, Invocation
from tinysearch.app.sigint import INTERRUPTED
from tinysearch.core.errors import UserError


def run(invocation: Invocation) -> int:
    """Search beside others until nothing is left to do, then say what became of it."""
    invocation.no_words()
    config = plain(compose_config(invocation.overrides))
    if config["storage"] is None:
        raise UserError(
            "a worker must be given a study in a database",
            value="storage is not set",
            remedy="add storage=postgresql://user@host/database",
        )
    quiet = bool(invocation.flags & {"-q", "--quiet"})
    console = error_console(quiet=quiet)
    if console.is_terminal:
        console.print("tinysearch: preparing the design space, the data and the models")
    from tinysearch.app.run.progress import SearchProgress
    from tinysearch.app.run.setup import set_up
    from tinysearch.search.loop import search

    setup = set_up(config)
    shared = setup.options.shared
    options = replace(setup.options, shared=replace(shared, join=True) if shared else None)
    settings = setup.settings
    with SearchProgress(
        objectives=settings.objectives, trains=settings.trains, rate=rate_of(config), quiet=quiet
    ) as progress:
        result = search(setup.problem, options, on_event=progress)
    own = sum(1 for trial in result.study.get_trials(deepcopy=False) if trial.user_attrs.get("worker") == result.worker)
    console.print(f"{result.reason}; {own} of {result.trials} trials are this worker's")
    return INTERRUPTED if result.interrupted else OK
