"""Train every branch of a space, fuse every pair, and write the error rates as a table that ``trainer=table`` reads.

    python tools/make_error_table.py benchmarks/data/embedded.csv [n_workers=2] [any other option of the search]

Branches are remembered in the cache, so an interrupted run goes on. Beside the table a JSON file of the same name tells
from what it was made: digests of data and trainer, settings, versions, and the processor.
"""

from __future__ import annotations

import csv
import io
import json
import platform
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tinysearch.app.config import compose_config, plain
from tinysearch.app.run import workers_of
from tinysearch.app.training import build_errors
from tinysearch.app.wiring import build_space
from tinysearch.core.candidate import BranchSpec
from tinysearch.core.objectives import ErrorRates
from tinysearch.evaluation.memo import write_atomically
from tinysearch.evaluation.table import COLUMNS
from tinysearch.evaluation.trained import TrainedErrors
from tinysearch.search.engines import TrainingReport, make_engine
from tinysearch.space import Space

_PACKAGES = ("numpy", "torch", "scikit-learn")


def main(words: Sequence[str]) -> None:
    """Train what is missing, then write the table and its description."""
    out, config = Path(words[0]), plain(compose_config(words[1:]))
    n_workers, space = workers_of(config), build_space(config)
    errors = build_errors(config, threads=1 if n_workers > 1 else None)
    if not isinstance(errors, TrainedErrors):
        sys.exit("a table of error rates is made by training: leave trainer=torch")
    _train(errors, _branches(space), n_workers=n_workers)
    table = io.StringIO()
    writer = csv.DictWriter(table, (*COLUMNS, "frr_far1", "frr_far10"), lineterminator="\n")
    writer.writeheader()
    writer.writerows(_row(errors, branches) for branches in _models(space))
    write_atomically(out, table.getvalue().encode())
    description = json.dumps(_description(config, errors, n_workers), indent=2)
    write_atomically(out.with_suffix(".json"), f"{description}\n".encode())


def _branches(space: Space) -> list[BranchSpec]:
    """Every branch; float siblings first, so that no worker waits for the float start of another."""
    branches = [branch for modality in space.branch_modalities() for branch in space.branches(modality)]
    return sorted(branches, key=lambda branch: branch.precision)


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


def _row(errors: TrainedErrors, branches: tuple[BranchSpec, ...]) -> dict[str, Any]:
    rates: ErrorRates = errors.error_rates(branches)
    low, high = rates.eer_ci95 or (None, None)
    alone = len(branches) == 1
    row: dict[str, Any] = {
        "kind": "branch" if alone else "fusion",
        "modality": branches[0].modality if alone else "fusion",
        "eer": _fraction(rates.eer),
        "eer_lo": _fraction(low),
        "eer_hi": _fraction(high),
        "train_s": errors.memo.record(branches[0])["train_s"] if alone else 0,
        "frr_far1": _fraction(rates.frr_at_far.get(0.01)),
        "frr_far10": _fraction(rates.frr_at_far.get(0.1)),
    }
    for branch in branches:
        row[f"{branch.modality}_blocks"] = "-".join(map(str, branch.blocks))
        row[f"{branch.modality}_precision"] = branch.precision
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
