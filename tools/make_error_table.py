"""Train every branch of a space, fuse every pair, and write the error rates as a table that ``trainer=table`` reads.

    python tools/make_error_table.py benchmarks/data/embedded.csv [n_workers=2] [any other option of the search]

Branches are remembered in the cache, so an interrupted run goes on. Beside the table a JSON file of the same name tells
from what it was made: digests of data and trainer, settings, versions, and the processor; and ``embedded-people.csv``
holds the same rates for other draws of the test people, one bootstrap resample a column: of all branches and fusions
the same people, so that rates rise and fall together as they do among real people.
"""

from __future__ import annotations

import csv
import io
import json
import platform
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from tinysearch.app.building.errors import build_errors
from tinysearch.app.building.spaces import build_space
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.app.run.settings import workers_of
from tinysearch.core.candidate import BranchSpec
from tinysearch.core.error_rates import ErrorRates
from tinysearch.core.protocols import Dataset
from tinysearch.data.pairs import people_groups
from tinysearch.evaluation.table import COLUMNS
from tinysearch.evaluation.trained import TrainedErrors
from tinysearch.evaluation.verification import Verification
from tinysearch.files import write_atomically
from tinysearch.metrics import branch_scores, weighted_sum
from tinysearch.metrics.bootstrap import resampled_eers
from tinysearch.search.engines import TrainingReport, make_engine
from tinysearch.space import Space

DRAWS = 20
"""Of people, columns of the second table."""

_PACKAGES = ("numpy", "torch")


def main(words: Sequence[str]) -> None:
    """Train what is missing, then write the table and its description."""
    out, config = Path(words[0]), plain(compose_config(words[1:]))
    n_workers, space = workers_of(config), build_space(config)
    errors = build_errors(config, threads=1 if n_workers > 1 else None)
    if not isinstance(errors, TrainedErrors):
        sys.exit("a table of error rates is made by training: leave trainer=torch")
    _train(errors, _branches(space), n_workers=n_workers)
    _write(out, (*COLUMNS, "frr_far1", "frr_far10"), (_row(errors, branches) for branches in _models(space)))
    if "fusion" in space.modalities and isinstance(errors.judge, Verification):
        judge = errors.judge
        names = ("kind", "modality", *COLUMNS[2:6], *(f"eer_{i + 1}" for i in range(DRAWS)))
        rows = (_drawn_row(errors, judge, branches) for branches in _models(space))
        _write(out.with_name(f"{out.stem}-people.csv"), names, rows)
    description = json.dumps(_description(config, errors, n_workers), indent=2)
    write_atomically(out.with_suffix(".json"), f"{description}\n".encode())


def _branches(space: Space) -> list[BranchSpec]:
    """Every branch; float siblings first, so that no worker waits for the float start of another."""
    branches = [branch for modality in space.branch_modalities() for branch in space.branches(modality)]
    return sorted(branches, key=lambda branch: str(branch.precision))


def _models(space: Space) -> Iterator[tuple[BranchSpec, ...]]:
    for modality in space.branch_modalities():
        yield from ((branch,) for branch in space.branches(modality))
    if "fusion" in space.modalities:
        yield from ((face, voice) for face in space.branches("face") for voice in space.branches("voice"))


def _train(errors: TrainedErrors, branches: Sequence[BranchSpec], *, n_workers: int) -> None:
    missing = [branch for branch in branches if not errors.knows(branch)]
    engine = make_engine("local", errors, n_workers=n_workers, on_progress=_ignore)
    try:
        for branch in missing:
            engine.submit(branch)
        done = 0
        while done < len(missing):
            for report in engine.wait(lambda: False):
                if report.error is not None:
                    raise report.error
                if report.record is not None:
                    done += 1
                    line = f"{done}/{len(missing)} {report.branch.short} {report.record.seconds:.0f} s"
                    print(line, file=sys.stderr, flush=True)
    finally:
        engine.close()


def _ignore(report: TrainingReport) -> None:
    del report


def _write(path: Path, names: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    table = io.StringIO()
    writer = csv.DictWriter(table, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_atomically(path, table.getvalue().encode())


def _row(errors: TrainedErrors, branches: tuple[BranchSpec, ...]) -> dict[str, Any]:
    rates: ErrorRates = errors.error_rates(branches)
    low, high = rates.eer_ci95 or (None, None)
    return _named(branches) | {
        "eer": _fraction(rates.eer),
        "eer_lo": _fraction(low),
        "eer_hi": _fraction(high),
        "train_s": errors.memo.record(branches[0])["train_s"] if len(branches) == 1 else 0,
        "frr_far1": _fraction(rates.frr_at_far.get(0.01)),
        "frr_far10": _fraction(rates.frr_at_far.get(0.1)),
    }


def _drawn_row(errors: TrainedErrors, judge: Verification, branches: tuple[BranchSpec, ...]) -> dict[str, Any]:
    """Rates for other draws of test people; who shares an identity of some modality is drawn together everywhere."""
    shapes = {branch.modality: (branch.input_size, branch.channels) for branch in branches}
    pairs = judge.pairs_of(errors.dataset, "test", shapes)
    if len(branches) == 1:
        pairs = replace(pairs, groups=_groups(errors.dataset, branches[0].modality))
    embedded = {branch.modality: errors.memo.embeddings(branch)["test"] for branch in branches}
    scores = weighted_sum(branch_scores(embedded, pairs), {})
    # A generator of the same seed each time, so that everything draws the same people.
    rates = resampled_eers(scores, pairs, rng=np.random.default_rng(0), resamples=DRAWS)
    if len(rates) < DRAWS:
        sys.exit("there are too few test people to draw others from")
    return _named(branches) | {f"eer_{i + 1}": _fraction(float(rate)) for i, rate in enumerate(rates)}


def _groups(dataset: Dataset, modality: str) -> np.ndarray:
    """Group of each identity of a modality, as a fusion of all modalities has it."""
    people = dataset.people("test")
    own, groups = people[modality], people_groups(people)
    out = np.zeros(int(own.max()) + 1, np.int32)
    out[own[own >= 0]] = (np.arange(len(own)) if groups is None else groups)[own >= 0]
    return out


def _named(branches: tuple[BranchSpec, ...]) -> dict[str, Any]:
    """The columns that say which branch or fusion a row is about."""
    alone = len(branches) == 1
    row = {"kind": "branch" if alone else "fusion", "modality": branches[0].modality if alone else "fusion"}
    for branch in branches:
        row[f"{branch.modality}_blocks"] = branch.architecture.label
        row[f"{branch.modality}_precision"] = str(branch.precision)
    return row


def _fraction(rate: float | None) -> str:
    return "" if rate is None else f"{rate:.5f}"


def _description(config: dict[str, Any], errors: TrainedErrors, n_workers: int) -> dict[str, Any]:
    return {
        "generator": "tools/make_error_table.py",
        "key": errors.memo.key,
        "key_of": "data set digest - trainer digest",
        "trainer": config["trainer"],
        "task": config["task"],
        "data": config["data"],
        "seed": config["seed"],
        "far": config["far"],
        "rates": "on test people; intervals by bootstrap over people; train_s is wall time and holds the float stage "
        "that the precisions of a layout share with the first of them",
        "n_workers": n_workers,
        "versions": {name: version(name) for name in _PACKAGES} | {"python": platform.python_version()},
        "machine": platform.machine(),
    }


if __name__ == "__main__":
    main(sys.argv[1:])
