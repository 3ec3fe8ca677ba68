"""The report of a finished run: one self-contained page, with advice in words on top.

``write_report(run_dir)`` reads front.json, manifest.json and report_data.json and writes report.html; it evaluates and
trains nothing. ``build_data`` makes what report_data.json holds.
"""

from __future__ import annotations

from pathlib import Path

from tinysearch.files import write_atomically, writing
from tinysearch.report.build import LIMIT, THINNING, build_data, thin
from tinysearch.report.data import DATA_FILE, BlockedCard, ReportData, read_data

REPORT_FILE = "report.html"


def write_report(run_dir: Path) -> Path:
    """Write report.html into a run directory, whole or not at all, and give its path.

    Raises:
        UserError: no finished run, damaged files, or a folder that cannot be written.
    """
    from tinysearch.report.page import render
    from tinysearch.report.view import read_view

    target = run_dir / REPORT_FILE
    write_text(target, render(read_view(run_dir)))
    return target


def write_data(run_dir: Path, data: ReportData) -> Path:
    """Write report_data.json atomically and give its path."""
    target = run_dir / DATA_FILE
    write_text(target, data.to_json() + "\n")
    return target


def write_text(path: Path, text: str) -> None:
    """Write a file atomically.

    Raises:
        UserError: the disk is full, or the folder cannot be written.
    """
    with writing(path):
        write_atomically(path, text.encode())


__all__ = [
    "DATA_FILE",
    "LIMIT",
    "REPORT_FILE",
    "THINNING",
    "BlockedCard",
    "ReportData",
    "build_data",
    "read_data",
    "thin",
    "write_data",
    "write_report",
]
