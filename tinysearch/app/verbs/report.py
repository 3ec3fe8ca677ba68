"""Rebuild report.html from a run directory.

  python -m tinysearch report run_dir=runs/20261122-101500

Reads front.json, report_data.json and manifest.json, searches nothing and trains nothing.
"""

from __future__ import annotations

from pathlib import Path

from tinysearch.app.cli import OK, Invocation
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.app.console import say
from tinysearch.app.run.report import write_report
from tinysearch.core.errors import UserError
from tinysearch.search.study.storage import run_lock


def run(invocation: Invocation) -> int:
    """Write the page and print where it is."""
    invocation.no_words()
    config = plain(compose_config(invocation.overrides))
    if config["run_dir"] is None:
        raise UserError("report rebuilds the page of a run", value="run_dir is not set", remedy="add run_dir=DIR")
    folder = Path(config["run_dir"])
    if not folder.is_dir():
        raise UserError("a run directory must be there", value=folder, remedy="name the run_dir of a search")
    with run_lock(folder):
        say(write_report(folder))
    return OK
