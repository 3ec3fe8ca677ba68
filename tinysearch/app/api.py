"""The Python interface: the same options as the command line, objects instead of files."""

from __future__ import annotations

import html
import importlib
import json
import random
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, overload

from tinysearch.app.config.compose import compose_config, plain
from tinysearch.app.config.words import overrides_of
from tinysearch.core.evaluation import Evaluation
from tinysearch.core.objectives import OBJECTIVES
from tinysearch.files import home_path
from tinysearch.search.events import EventCallback
from tinysearch.search.events import ignore as ignore_events

if TYPE_CHECKING:
    import optuna
    import pandas as pd

    from tinysearch.app.networks.python import OwnPoint


_SHOWN = ("id", "eer", "bom_cost_usd", "latency_s", "energy_mj", "requires.flash_bytes", "requires.ram_bytes")
"""Columns of the front in a notebook."""


class _Origin(Protocol):
    """Where a point comes from, which can build its firmware; no closure, so that points can be pickled."""

    def emit(self, evaluation: Evaluation, target: Path) -> Path: ...


@dataclass(frozen=True, slots=True)
class _Searched:
    config: Mapping[str, Any]

    def emit(self, evaluation: Evaluation, target: Path) -> Path:
        from tinysearch.app.run.emit_settings import emit_settings
        from tinysearch.app.run.firmware import emit_point
        from tinysearch.app.run.setup import set_up

        config = {**self.config, "timeout": None}  # that was the search's
        return emit_point(set_up(config), emit_settings(config), evaluation, target)


@dataclass(frozen=True, slots=True)
class _Spelled:
    words: tuple[str, ...]

    def emit(self, evaluation: Evaluation, target: Path) -> Path:
        from tinysearch.app.run.firmware import emit_candidate

        return emit_candidate(plain(compose_config(self.words)), evaluation, target)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Point:
    """One evaluated candidate.

    Attributes:
        evaluation: everything known of it.
        document: as in front.json.
    """

    evaluation: Evaluation
    document: dict[str, Any]
    _origin: _Origin

    def __repr__(self) -> str:
        return f"<Point {self.id}>"

    def __hash__(self) -> int:
        return hash(self.id)

    def _repr_html_(self) -> str:
        """What a notebook shows: the row of front.csv, upright."""
        import pandas as pd

        from tinysearch.app.run.run_dir import flat_point

        table: str = pd.Series(flat_point(self.document), name=self.id).dropna().to_frame().to_html()
        return table

    @property
    def id(self) -> str:
        """Stable identity."""
        return self.evaluation.candidate.id

    @property
    def feasible(self) -> bool:
        """Whether it breaks no rule."""
        return self.evaluation.feasible

    def to_dict(self) -> dict[str, Any]:
        """The point of front.json, with ``feasible`` and ``violations``."""
        return dict(self.document)

    def emit(self, folder: str | Path) -> Path:
        """Write the ESP-IDF project of this point to ``folder / id`` and give its path.

        A point without trained branches gets seeded random weights and is marked untrained.
        """
        return self._origin.emit(self.evaluation, home_path(folder) / self.id)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Result:
    """What a search found.

    Attributes:
        points: the front.
        study: the Optuna study with every trial.
        folder: the run directory.
        reason: why the search ended.
    """

    points: tuple[Point, ...]
    study: optuna.Study = field(repr=False)
    folder: Path
    reason: str

    def __repr__(self) -> str:
        points = f"{len(self.points)} point{'' if len(self.points) == 1 else 's'}"
        return f"<Result with {points} in {self.folder}: {self.reason}>"

    def _repr_html_(self) -> str:
        """What a notebook shows: the front as a table below one line."""
        shown = [name for name in _SHOWN if name in self.front.columns]
        table: str = self.front[shown].to_html(index=False, float_format=lambda value: f"{value:.4g}")
        return f"<p>{html.escape(repr(self)[1:-1])}</p>{table}"

    @property
    def front(self) -> pd.DataFrame:
        """The front as a table, one row a point, columns as in front.csv."""
        import pandas as pd

        from tinysearch.app.run.run_dir import flat_point

        if not self.points:
            return pd.DataFrame(columns=["id", "modality", *OBJECTIVES])
        return pd.DataFrame([flat_point(point.document) for point in self.points])


def _import_quietly() -> None:
    """Import what draws a number of Python's own generator when it is imported, so that the host's next one stays."""
    if "rich.style" not in sys.modules:
        state = random.getstate()
        importlib.import_module("rich.style")
        random.setstate(state)


def search(*, on_event: EventCallback = ignore_events, **options: Any) -> Result:
    """Search, as ``python -m tinysearch search``.

    Args:
        on_event: called for everything that happens.
        options: those of the command; groups as nested dictionaries (``trainer={"name": "torch", "epochs": 8}`` is not
            needed: ``**{"trainer.epochs": 8}`` sets one key).

    Raises:
        UserError: what the command would answer with exit status 2.
    """
    _import_quietly()
    from tinysearch.app.run.main_job import run

    config = plain(compose_config(overrides_of(options)))
    finished = run(config, on_event=on_event)

    origin = _Searched({**config, "storage": None})  # an address may hold a password, and points are pickled
    points = [
        Point(evaluation=evaluation, document=document, _origin=origin)
        for evaluation, document in zip(finished.evaluations, finished.documents, strict=True)
    ]
    return Result(
        points=tuple(points), study=finished.result.study, folder=finished.folder, reason=finished.result.reason
    )


def load(run: str | Path) -> Result:
    """A finished run again: its front, its study, and points that can be emitted. Nothing is trained.

    Raises:
        UserError: no finished run, its data or its catalogue have changed, or it names code that nobody typed.
    """
    _import_quietly()
    from tinysearch.app.run import run_dir as files
    from tinysearch.app.run.finished import candidates_of, evaluated_again
    from tinysearch.app.run.setup import set_up
    from tinysearch.search.study.storage import load_study

    folder = home_path(run)
    documents = files.read_front(folder)["points"]
    config = files.read_config(folder)
    setup = set_up(config)
    candidates = candidates_of(setup, documents)
    origin = _Searched({**config, "storage": None})
    points = tuple(
        Point(
            evaluation=evaluated_again(setup, candidates[document["id"]], document, folder),
            document=document,
            _origin=origin,
        )
        for document in documents
    )
    manifest = json.loads((folder / files.MANIFEST).read_text(encoding="utf-8"))
    reason = str(manifest["search"]["reason"])
    return Result(points=points, study=load_study(folder), folder=folder, reason=reason)


@overload
def evaluate(*, network: object, **options: Any) -> OwnPoint: ...


@overload
def evaluate(**options: Any) -> Point: ...


def evaluate(**options: Any) -> Point | OwnPoint:
    """Evaluate one candidate, as ``python -m tinysearch evaluate``.

    With ``network=`` a path, a ``torch.nn.Module`` (and ``example_input=``) or an ``ExportedProgram``: that network on
    the cheapest board as wished that carries it.

    Raises:
        UserError: what the command would answer with exit status 2.
    """
    _import_quietly()
    if options.get("network") is not None:
        from tinysearch.app.networks.python import evaluate_network

        return evaluate_network(options)
    from tinysearch.app.verbs.evaluate import evaluate as evaluate_words

    words = overrides_of(options)
    evaluation = evaluate_words(words)
    return Point(evaluation=evaluation, document=evaluation.to_dict(), _origin=_Spelled(tuple(words)))
