"""How a plain sampler's proposal is judged before anything is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from tinysearch.core.candidate import BranchSpec, Candidate, PlatformChoice
from tinysearch.core.limits import Violation
from tinysearch.search.known.design import DesignTable
from tinysearch.search.known.flat import FlatPoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """The analytic verdict on one flat point.

    Attributes:
        branches: of the design; empty if the space has no such network.
        platform: None where no priced board fits the point.
        analytic: objectives by name that need no training, as far as they can be computed; None if not at all.
        violations: broken rules; empty means feasible.
    """

    branches: tuple[BranchSpec, ...] = ()
    platform: PlatformChoice | None = None
    analytic: Mapping[str, float] | None = None
    violations: tuple[Violation, ...] = ()

    @property
    def candidate(self) -> Candidate | None:
        if not self.branches or self.platform is None:
            return None
        return Candidate(branches=self.branches, platform=self.platform)


class Assessor(Protocol):
    """Judges flat points; the application gives one that runs the analytic models.

    Attributes:
        rules: names of all rules that a violation may name, in the order in which constraints are recorded.
    """

    @property
    def rules(self) -> tuple[str, ...]: ...

    def assess(self, point: FlatPoint) -> Assessment:
        """Figures and violations of one point; fast (it is called for every proposal of a plain sampler)."""
        ...


class TableAssessor:
    """Judges by the design table alone: what is not in it is infeasible, without saying which rule it breaks."""

    rules = ("feasibility",)

    def __init__(self, table: DesignTable) -> None:
        self._table = table
        self._rows: dict[tuple[tuple[int, ...], str, int, int], int] = {}
        for row in range(len(table)):
            platform = table.platforms[table.platform[row]]
            members = tuple(table.needs[row].tolist())
            key = (members, platform.processor, platform.flash_bytes, platform.psram_bytes)
            self._rows.setdefault(key, row)

    def assess(self, point: FlatPoint) -> Assessment:
        missing = Violation(rule="feasibility", limit=0.0, actual=1.0, message="no feasible design has these parts")
        if point.branches is None:
            return Assessment(violations=(missing,))
        members = tuple(self._table.members_of(point.branches).tolist())
        row = self._rows.get((members, point.processor, point.flash_bytes, point.psram_bytes))
        if row is None:
            return Assessment(branches=point.branches, violations=(missing,))
        analytic = dict(zip(self._table.columns, self._table.analytic[row].tolist(), strict=True))
        platform = self._table.platforms[int(self._table.platform[row])]
        return Assessment(branches=point.branches, platform=platform, analytic=analytic)


def constraint_values(violations: tuple[Violation, ...], rules: tuple[str, ...]) -> tuple[float, ...]:
    """One number a rule, at most 0 where it is kept and the relative excess where not; unnamed rules count in the last.

    An excess is at least one in a million, so that a violation never rounds to feasible.
    """
    out = dict.fromkeys(rules or ("feasibility",), 0.0)
    last = list(out)[-1]
    for violation in violations:
        name = violation.rule if violation.rule in out else last
        size = max(abs(violation.limit), 1.0)
        out[name] += max(abs(violation.actual - violation.limit) / size, 1e-6)
    return tuple(out.values())
