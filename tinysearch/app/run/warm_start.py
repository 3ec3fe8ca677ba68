"""Earlier runs and tables of known points as evidence for a search; what they name is trained all the same."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tinysearch.app.building.spaces import build_space
from tinysearch.app.run.run_dir import read_config
from tinysearch.core.candidate import BranchSpec
from tinysearch.core.errors import UserError
from tinysearch.core.quantization import Precision
from tinysearch.evaluation.table import TableErrors
from tinysearch.search.known.fidelity import Hint, Source, WarmStart
from tinysearch.search.study import storage

logger = logging.getLogger(__name__)

SAME_SPREAD, ALIKE_SPREAD = 0.1, 0.2
"""Standard deviations of a log error: of the same branch in another run, of one that differs in width or input."""

MOST_FUSIONS = 500

_Known = tuple[tuple[BranchSpec, ...], float]


def warm_start_of(configured: Any, branches: Sequence[BranchSpec]) -> WarmStart | None:
    """What the configured run directories and CSV files tell of the branches of a space; None where none is named.

    Raises:
        UserError: one of them is neither a run directory nor a readable table.
    """
    if configured is None or configured == []:
        return None
    paths = configured if isinstance(configured, list | tuple) else [configured]
    sources = []
    for given in paths:
        path = Path(str(given))
        if isinstance(given, list | dict) or given in (None, "") or not path.exists():
            raise UserError(
                "a warm start must name run directories and CSV files of known points",
                value=given,
                remedy="check the path, or leave warm_start out",
            )
        known = list(_of_run(path, branches) if path.is_dir() else _of_table(path, branches))
        sources.append(_source(known, branches))
    return WarmStart(sources=tuple(sources))


def _source(known: Sequence[_Known], branches: Sequence[BranchSpec]) -> Source:
    """What one run or table tells of the branches of a space."""
    singles = {found[0]: eer for found, eer in known if len(found) == 1}
    pairs = [(found, eer) for found, eer in known if len(found) == 2 and set(found) <= set(singles)]
    fusions = [(singles[found[0]], singles[found[1]], eer) for found, eer in pairs]
    hints = {branch.key: _hint(branch, singles) for branch in branches if _near(branch, singles) is not None}
    return Source(hints=hints, fusions=tuple(fusions[:: max(1, len(fusions) // MOST_FUSIONS)]))


def _of_table(path: Path, branches: Sequence[BranchSpec]) -> Iterator[_Known]:
    table = TableErrors(path=path, option="warm_start")
    for branch in branches:
        if table.has([branch]):
            yield (branch,), float(table.error_rates([branch]).eer or 0.0)
    for fusion in table.fusions(branches):
        yield fusion, float(table.error_rates(fusion).eer or 0.0)


def _of_run(folder: Path, branches: Sequence[BranchSpec]) -> Iterator[_Known]:
    """Trained points of a run, with the EER by which it decided."""
    by_key = {branch.key: branch for branch in branches}
    elsewhere = _space_of(folder)
    for trial in storage.finished_trials(storage.load_study(folder)):
        eer = trial.user_attrs.get("eer_validation")
        keys = trial.user_attrs.get("branches", [])
        found = tuple(by_key.get(key) or _alike(elsewhere.get(key), branches) for key in keys)
        if eer is not None and found and None not in found:
            yield tuple(branch for branch in found if branch is not None), float(eer)


def _space_of(folder: Path) -> dict[str, BranchSpec]:
    """Every branch by key of the space that a run searched; empty where that cannot be read any more."""
    try:
        space = build_space(read_config(folder))
    except UserError as error:
        logger.warning("only branches of this very space are taken from %s: %s", folder, error)
        return {}
    return {branch.key: branch for name in space.branch_modalities() for branch in space.branches(name)}


def _alike(branch: BranchSpec | None, branches: Sequence[BranchSpec]) -> BranchSpec | None:
    """A branch of the space with the input, layout and precision of one of another space."""
    return None if branch is None else next((other for other in branches if _same(other) == _same(branch)), None)


def _same(branch: BranchSpec) -> tuple[str, str, Mapping[str, object], Precision]:
    """What branches share that differ in their sizes alone."""
    own = branch.architecture
    layout = {name: value for name, value in own.parameters().items() if name not in ("width", "embedding")}
    return branch.modality, own.family, layout, branch.precision


def _near(branch: BranchSpec, known: dict[BranchSpec, float]) -> BranchSpec | None:
    if branch in known:
        return branch
    return _alike(branch, list(known))


def _hint(branch: BranchSpec, known: dict[BranchSpec, float]) -> Hint:
    near = _near(branch, known)
    assert near is not None  # noqa: S101  asked by the caller
    return Hint(eer=known[near], spread=SAME_SPREAD if near == branch else ALIKE_SPREAD)
