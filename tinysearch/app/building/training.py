"""Branches become known: trained with a progress line each, or taken from what a run has kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from tinysearch.app.console import error_console
from tinysearch.core.candidate import BranchSpec
from tinysearch.core.protocols import ErrorModel, TrainingProgress, TrainingRecord

if TYPE_CHECKING:
    from tinysearch.evaluation.source import ErrorSource


def recall(errors: ErrorSource, branches: Sequence[BranchSpec], run_dir: Path) -> None:
    """Know branches of a run: remembered in the cache, else kept with the run, else trained again."""
    for memo in errors.memos:
        for branch in branches:
            memo.borrow(branch, run_dir / "models" / branch.key)
    if errors.needs_training:
        train_with_progress(errors, [branch for branch in branches if not errors.knows(branch)])


def borrow_kept(errors: ErrorModel, branches: Sequence[BranchSpec], run_dir: Path) -> None:
    """Before a run goes on: know branches that it keeps and the cache has lost."""
    from tinysearch.evaluation.trained import TrainedErrors

    models = run_dir / "models"
    if isinstance(errors, TrainedErrors) and models.is_dir():
        kept = {path.name for path in models.iterdir()}
        for branch in branches:
            if branch.key in kept:
                errors.memo.borrow(branch, models / branch.key)


def train_with_progress(errors: ErrorModel, branches: Iterable[BranchSpec]) -> list[TrainingRecord]:
    """Make branches known, with a progress bar each on a terminal."""
    console = error_console()
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[phase]}"), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        return [_train(errors, branch, bars) for branch in branches]


def _train(errors: ErrorModel, branch: BranchSpec, bars: Progress) -> TrainingRecord:
    bar: TaskID = bars.add_task(branch.short, total=1.0, phase="")

    known: dict[str, float] = {}

    def show(tick: TrainingProgress) -> None:
        if tick.eer_validation is not None:
            known["error"] = tick.eer_validation
        loss = "" if tick.loss is None else f" loss {tick.loss:.2f}"
        error = f" error {known['error']:.1%}" if known else ""
        bars.update(bar, completed=tick.fraction, phase=f"{tick.phase}{loss}{error}")

    return errors.train(branch, progress=show)
