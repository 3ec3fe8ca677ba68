"""The Python interface: the same options as the command line, objects instead of files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from tinysearch.app.config.compose import compose_config, overrides_of, plain
from tinysearch.core.objectives import OBJECTIVES, Evaluation
from tinysearch.search.events import EventCallback
from tinysearch.search.events import ignore as ignore_events

if TYPE_CHECKING:
    import optuna
    import pandas as pd


class _Origin(Protocol):
    """Where a point comes from, which can build its firmware; no closure, so that points can be pickled."""

    def emit(self, evaluation: Evaluation, target: Path) -> Path: ...


@dataclass(frozen=True, slots=True)
class _Searched:
    config: Mapping[str, Any]

    def emit(self, evaluation: Evaluation, target: Path) -> Path:
        from tinysearch.app.run.firmware import emit_point
        from tinysearch.app.run.setup import set_up

        return emit_point(set_up(self.config), evaluation, target)


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
        return self._origin.emit(self.evaluation, Path(folder) / self.id)


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

    @property
    def front(self) -> pd.DataFrame:
        """The front as a table, one row a point, columns as in front.csv."""
        import pandas as pd

        from tinysearch.app.run.run_dir import flat_point

        if not self.points:
            return pd.DataFrame(columns=["id", "modality", *OBJECTIVES])
        return pd.DataFrame([flat_point(point.document) for point in self.points])


def search(*, on_event: EventCallback = ignore_events, **options: Any) -> Result:
    """Search, as ``python -m tinysearch search``.

    Args:
        on_event: called for everything that happens.
        options: those of the command; groups as nested dictionaries (``trainer={"name": "torch", "epochs": 8}`` is not
            needed: ``**{"trainer.epochs": 8}`` sets one key).

    Raises:
        UserError: what the command would answer with exit status 2.
    """
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


def evaluate(**options: Any) -> Point:
    """Evaluate one candidate, as ``python -m tinysearch evaluate``.

    Raises:
        UserError: what the command would answer with exit status 2.
    """
    from tinysearch.app.verbs.evaluate import evaluate as evaluate_words

    words = overrides_of(options)
    evaluation = evaluate_words(words)
    return Point(evaluation=evaluation, document=evaluation.to_dict(), _origin=_Spelled(tuple(words)))
