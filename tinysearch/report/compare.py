"""Two runs side by side: what differs between them, and how far the front of one reaches beyond the other's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinysearch.core.errors import UserError
from tinysearch.report.data import DesignCard
from tinysearch.report.sentence import Floats
from tinysearch.report.view import RunView
from tinysearch.report.wording import count, label_of, named, usd, value_text

_MARGIN = 1.1
"""The reference point: a tenth of the range of both fronts beyond the worst value of either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line: a quantity, and what it is in either run."""

    label: str
    first: str
    second: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two runs.

    Attributes:
        objectives: that both runs have, by which their fronts are compared.
        differing: rules that the runs do not share (data, catalogue, task ...), by name.
        rows: figures of both.
        beaten: how many points of either front a point of the other is at least as good as in every objective.
        hypervolume_ratio: of the second front over the first, in these objectives; None where the first has none.
        verdict: in one sentence.
    """

    objectives: tuple[str, ...]
    differing: tuple[str, ...]
    rows: tuple[Row, ...]
    beaten: tuple[int, int]
    hypervolume_ratio: float | None
    verdict: str

    def to_dict(self) -> dict[str, Any]:
        return {
            "objectives": list(self.objectives),
            "differing": list(self.differing),
            "rows": {row.label: [row.first, row.second] for row in self.rows},
            "beaten": list(self.beaten),
            "hypervolume_ratio": self.hypervolume_ratio,
            "verdict": self.verdict,
        }


def compare(first: RunView, second: RunView) -> Comparison:
    """Compare two finished runs by the objectives that both have and know.

    Hypervolumes are taken where each objective runs from 0 to 1 over both fronts, with a reference point at 1.1.

    Raises:
        UserError: a front without points, or no objective in common.
    """
    for view in (first, second):
        if not view.points:
            raise UserError("a run must have a point to be compared", value="an empty front", remedy="raise its budget")
    shared = tuple(name for name in first.objectives if name in second.objectives and _known(first, second, name))
    if not shared:
        raise UserError(
            "two runs must share an objective to be compared",
            value=f"{list(first.objectives)} and {list(second.objectives)}",
            remedy="search again with the objectives of one of them",
        )
    one, other = _matrix(first, shared), _matrix(second, shared)
    beaten = _beaten(one, other), _beaten(other, one)
    volumes = _hypervolumes(one, other)
    ratio = volumes[1] / volumes[0] if volumes[0] > 0 else None
    return Comparison(
        objectives=shared,
        differing=_differing(first.manifest, second.manifest),
        rows=(*_facts(first, second), *(_best(first, second, name) for name in shared)),
        beaten=beaten,
        hypervolume_ratio=ratio,
        verdict=_verdict(ratio, beaten, (len(one), len(other))),
    )


def _known(first: RunView, second: RunView, name: str) -> bool:
    return all(view.value(design, name) is not None for view in (first, second) for design in view.points)


def _matrix(view: RunView, names: Sequence[str]) -> Floats:
    return np.array([[view.value(design, name) for name in names] for design in view.points], np.float64)


def _beaten(front: Floats, other: Floats) -> int:
    """How many rows of a front some row of the other is at least as good as everywhere and better somewhere."""
    as_good = np.all(other[None] <= front[:, None], axis=2)
    better = np.any(other[None] < front[:, None], axis=2)
    return int(np.any(as_good & better, axis=1).sum())


def _hypervolumes(one: Floats, other: Floats) -> tuple[float, float]:
    import moocore

    both = np.concatenate([one, other])
    low, high = both.min(axis=0), both.max(axis=0)
    span = np.where(high > low, high - low, 1.0)
    reference = np.full(both.shape[1], _MARGIN)
    volumes = [float(moocore.hypervolume((front - low) / span, ref=reference)) for front in (one, other)]
    return volumes[0], volumes[1]


def _facts(first: RunView, second: RunView) -> tuple[Row, ...]:
    def row(label: str, texts: Sequence[str]) -> Row:
        return Row(label=label, first=texts[0], second=texts[1])

    views = (first, second)
    searches = [view.manifest.get("search", {}) for view in views]
    return (
        row("budget", ["no limit" if view.budget_usd is None else usd(view.budget_usd) for view in views]),
        row("trials", [str(search.get("trials", "not known")) for search in searches]),
        row("trainings", [str(search.get("trainings", "not known")) for search in searches]),
        row("points", [str(len(view.points)) for view in views]),
    )


def _best(first: RunView, second: RunView, name: str) -> Row:
    def text(view: RunView) -> str:
        found: DesignCard = min(view.points, key=lambda design: (view.value(design, name), design.id))
        value = view.value(found, name)
        assert value is not None  # noqa: S101 - only what both runs know is compared
        return f"{value_text(name, value)}: {named(view, found)}"

    label = first.data.rate if name == "eer" else label_of(name)
    return Row(label=f"lowest {label}", first=text(first), second=text(second))


def _differing(first: Mapping[str, Any], second: Mapping[str, Any]) -> tuple[str, ...]:
    one, other = first.get("rules", {}), second.get("rules", {})
    return tuple(name for name in one if name in other and one[name] != other[name])


def _verdict(ratio: float | None, beaten: tuple[int, int], points: tuple[int, int]) -> str:
    covers = "" if ratio is None else f"The second front covers {ratio:.3f} times the hypervolume of the first. "
    return (
        f"{covers}It beats {beaten[0]} of the {count(points[0], 'point')} of the first, which beats {beaten[1]} of its "
        f"{points[1]}."
    )
