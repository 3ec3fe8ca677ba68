"""Rebuild report.html from a run directory, and hand on what is in it.

  python -m tinysearch report run_dir=runs/20261122-101500
  python -m tinysearch report run_dir=runs/20261122-101500 shopping=face-22int8-esp32-4mb-1a2b3c4d
  python -m tinysearch report run_dir=runs/20261122-101500 figures=paper/figures

shopping=ID also writes shopping/ID.csv into the run: what to order for that point, from whom, and what else it takes.
figures=DIR also writes every figure as PNG and SVG. Reads front.json, report_data.json and manifest.json, searches
nothing and trains nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tinysearch.app.config.compose import compose_config, plain
from tinysearch.app.console import say
from tinysearch.app.invocation import OK, Invocation
from tinysearch.app.run.report import write_report
from tinysearch.app.run.run_dir import point_of, read_front
from tinysearch.core.errors import UserError
from tinysearch.report import write_text
from tinysearch.report.shopping import shopping_csv
from tinysearch.report.view import read_view
from tinysearch.search.study.storage import run_lock


def run(invocation: Invocation) -> int:
    """Write the page, and what else was asked for, and print where it is."""
    invocation.no_words()
    config = plain(compose_config(invocation.overrides))
    if config["run_dir"] is None:
        raise UserError("report must be told whose page to write", value="run_dir is not set", remedy="add run_dir=DIR")
    folder = Path(config["run_dir"])
    if not folder.is_dir():
        raise UserError("a run directory must be there", value=folder, remedy="name the run_dir of a search")
    with run_lock(folder):
        if config["shopping"] is not None:
            say(_shopping(folder, config["shopping"]))
        say(write_report(folder))
    if config["figures"] is not None:
        from tinysearch.report.figures import write_figures

        target = Path(config["figures"])
        say(f"{target}: {len(write_figures(read_view(folder), target))} figures")
    return OK


def _shopping(folder: Path, identity: Any) -> Path:
    point = point_of(read_front(folder), identity)
    target = folder / "shopping" / f"{point['id']}.csv"
    target.parent.mkdir(exist_ok=True)
    write_text(target, shopping_csv(point, currency=read_view(folder).data.currency))
    return target
