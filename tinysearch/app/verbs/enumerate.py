"""Put every candidate of a space through the analytic models, to CSV or Parquet.

  python -m tinysearch enumerate out=candidates.csv
  python -m tinysearch enumerate space=extended budget=15usd out=candidates.parquet

One row a model and processor, on the cheapest board that carries it; rows without such a board have no price. Without
`out` only the count and the rate are printed.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from tinysearch.app.building.spaces import build_space
from tinysearch.app.building.wiring import build_models
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.app.console import say
from tinysearch.app.invocation import OK, Invocation
from tinysearch.core.errors import UserError
from tinysearch.distribution import install_line
from tinysearch.evaluation.enumeration import COLUMNS, NO_OPTION, DesignChunk, enumerate_designs
from tinysearch.files import replacing, writing
from tinysearch.space import Space

if TYPE_CHECKING:
    import pandas as pd


def run(invocation: Invocation) -> int:
    """Enumerate and write."""
    invocation.no_words()
    config = plain(compose_config(invocation.overrides))
    models, space = build_models(config), build_space(config)
    out = None if config["out"] is None else Path(str(config["out"]))
    if out is not None and out.suffix not in (".csv", ".parquet"):
        raise UserError("enumerate must write .csv or .parquet", value=out, remedy="write out=candidates.csv")
    if out is not None and not out.absolute().parent.is_dir():
        raise UserError(
            "enumerate must write into a folder that exists", value=out, remedy=f"make {out.parent} or name another"
        )
    if out is not None and out.suffix == ".parquet" and find_spec("pyarrow") is None:
        raise UserError(
            "the package pyarrow must be installed to write .parquet",
            value="it is not",
            remedy=f"run {install_line('parquet')}, or write out={out.with_suffix('.csv')}",
        )
    started, count, feasible = time.perf_counter(), 0, 0
    with _Writer(out) as writer:
        for chunk in enumerate_designs(models, space):
            count += len(chunk.option)
            feasible += int((chunk.option != NO_OPTION).sum())
            if out is not None:
                with writing(out):
                    writer.write(_frame(chunk, space))
    seconds = time.perf_counter() - started
    say(f"{count} candidates, {feasible} feasible, {seconds:.2f} s, {count / max(seconds, 1e-9):,.0f} candidates/s")
    return OK


def _frame(chunk: DesignChunk, space: Space) -> pd.DataFrame:
    import pandas as pd

    spelled = dict(zip(space.combinations, space.modalities, strict=True))
    columns: dict[str, Any] = {"modality": spelled[chunk.modalities]}
    branches, values = chunk.branches, chunk.values
    for place, modality in enumerate(chunk.modalities):
        names = np.array([branch.key for branch in space.branches(modality)], dtype=object)
        columns[f"{modality}_branch"] = names[branches[:, place]]
    boards = np.array([*(option.id for option in chunk.options), ""], dtype=object)
    columns |= {"processor": chunk.processor, "board": boards[chunk.option]}
    columns |= {name: values[:, place] for place, name in enumerate(COLUMNS)}
    columns["feasible"] = chunk.option != NO_OPTION
    frame = pd.DataFrame(columns)
    branches_of = [f"{name}_branch" for name in space.branch_modalities()]
    return frame.reindex(columns=["modality", *branches_of, "processor", "board", *COLUMNS, "feasible"])


class _Writer:
    """Appends frames to a CSV or Parquet file; the file appears under its name only when it is complete."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._stack = ExitStack()
        self._stream: BinaryIO | None = None
        self._parquet: Any = None

    def __enter__(self) -> _Writer:
        return self

    def write(self, frame: pd.DataFrame) -> None:
        assert self._path is not None  # noqa: S101 - the caller checked
        first = self._stream is None
        stream = self._stream = self._stream or self._stack.enter_context(replacing(self._path))
        if self._path.suffix == ".csv":
            frame.to_csv(stream, header=first, index=False)
        else:
            import pyarrow as pa
            import pyarrow.parquet as pq

            names = [name for name in frame.columns if name.endswith("_branch")]
            table = pa.Table.from_pandas(frame.astype(dict.fromkeys(names, str)), preserve_index=False)
            self._parquet = self._parquet or self._stack.enter_context(pq.ParquetWriter(stream, table.schema))
            self._parquet.write_table(table)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)
