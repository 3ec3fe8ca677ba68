"""The main job: what can be built for a budget, as a front of error rate, board cost and latency.

  python -m tinysearch budget=15usd
  python -m tinysearch budget=10usd task=face_voice sampler=tpe n_trials=100 run_dir=runs/tpe
  python -m tinysearch trainer=table trainer.path=rates.csv objectives=[eer,bom_cost_usd]
  python -m tinysearch network=model.tflite budget=15usd

Writes front.json, front.csv, trials.csv, journal.log, report.html, models/ and firmware/ into run_dir (by default
runs/<date>-<time>). network=model.tflite, an int8 network of your own, asks for boards instead: a front of price,
latency and energy, a report, and firmware for each. Running again with the same run_dir resumes. Interrupt once to
finish cleanly, twice to stop.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tinysearch.app.building.decision import rate_of
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.app.console import SafeConsole, error_console
from tinysearch.app.invocation import OK, Invocation
from tinysearch.app.networks import asks_for_network
from tinysearch.app.sigint import INTERRUPTED
from tinysearch.core.limits import parse_limits

if TYPE_CHECKING:
    from tinysearch.app.run.main_job import FinishedRun


def run(invocation: Invocation) -> int:
    """Search, then print the front and where everything is."""
    invocation.no_words()
    if asks_for_network(invocation.overrides):
        from tinysearch.app.networks import search as own

        return own.run(invocation)
    config = plain(compose_config(invocation.overrides))
    quiet = bool(invocation.flags & {"-q", "--quiet"})
    console = error_console(quiet=quiet)
    if console.is_terminal:  # elsewhere standard error holds what went wrong, and nothing else before
        console.print("tinysearch: preparing the design space, the data and the models")
    from tinysearch.app.run.main_job import run as run_job
    from tinysearch.app.run.progress import SearchProgress
    from tinysearch.app.run.settings import objectives_of, trains

    with SearchProgress(
        objectives=objectives_of(config), trains=trains(config), rate=rate_of(config), quiet=quiet
    ) as progress:
        finished = run_job(config, on_event=progress, say=lambda line: console.print(line, soft_wrap=True))
    limited = [limit.objective for limit in parse_limits(config.get("limits", {}))]
    _print_result(finished, console, limited=limited)
    return INTERRUPTED if finished.result.interrupted else OK


def _print_result(finished: FinishedRun, console: SafeConsole, *, limited: Sequence[str]) -> None:
    from tinysearch.app.terminal import front_table, order_table
    from tinysearch.report.wording import count, shown_in

    result = finished.result
    folder = _short(finished.folder)
    if finished.documents:
        from tinysearch.report.picks import picks
        from tinysearch.report.view import read_view

        view = read_view(finished.folder)
        with shown_in(view.data.currency, rate=view.data.rate):
            SafeConsole().print(front_table(finished.documents, objectives=view.objectives, limited=limited))
            console.print(order_table(picks(view)))
        if view.data.caveat:
            console.print(view.data.caveat)
    else:
        SafeConsole().print(front_table([]))
        console.print(
            f"the front is empty: {result.nearest}"
            if result.nearest
            else "the front is empty, as no feasible design was evaluated; go on in the same run_dir with more time or "
            "trials, and with sampler=auto, which proposes nothing infeasible"
        )
    console.print(f"{result.reason}; {count(result.trials, 'trial')}, {count(result.trainings, 'training')}")
    console.print(f"front     {folder}/front.json, front.csv")
    console.print(f"report    {folder}/report.html")
    if finished.documents:
        console.print(
            f"to order  python -m tinysearch report run_dir={shlex.quote(folder)} shopping=ID", soft_wrap=True
        )
    storage, artifacts = shlex.quote(finished.storage or f"{folder}/journal.log"), shlex.quote(f"{folder}/artifacts")
    console.print(f"study     optuna-dashboard {storage} --artifact-dir {artifacts}", soft_wrap=True)
    emitted = [document for document in finished.documents if document["firmware"]]
    if emitted:
        console.print(f"firmware  {folder}/firmware/<id>, {len(emitted)} project{'s' if len(emitted) > 1 else ''}")


def _short(path: Path) -> str:
    """A path as one would type it here."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
