"""The search as a library: any components that are expensive to test, and whatever follows from them for nothing.

A keyboard is a switch on a plate: each has to be tested by hand, but what both together cost and weigh, and how good
they are together, follows. Which one to test next is the same question as which network to train next.
"""

from __future__ import annotations

import itertools
import math
import numbers
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeGuard

import numpy as np

from tinysearch.core.candidate import BranchSpec, PlatformChoice
from tinysearch.core.error_rates import ErrorRates
from tinysearch.core.errors import UserError
from tinysearch.core.network import NetworkSpec, Shape
from tinysearch.core.quantization import FLOAT32
from tinysearch.core.units import written
from tinysearch.search.known.design import NO_BRANCH, DesignTable, Floats, Ints
from tinysearch.search.known.fusion import KnownRelation
from tinysearch.search.known.knowledge import Knowledge
from tinysearch.search.known.objective_values import CHANCE_EER, FreeObjectives
from tinysearch.search.memoized.sampler import MemoizedSampler
from tinysearch.search.proposals import Proposal

Direction = Literal["minimize", "maximize"]
Combine = Callable[..., Any]
Free = Callable[[dict[str, str]], Mapping[str, float] | None]

MOST_COMBINATIONS = 1_000_000
"""Every combination is asked for its free objectives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Combination:
    """Components that go together, and what they are worth.

    Attributes:
        parts: name of the component of each kind.
        result: what their tests come to together.
        values: free objectives by name, as they were given.
    """

    parts: Mapping[str, str]
    result: float
    values: Mapping[str, float]


class SearchProblem:
    """Which component to test next, so that the best combinations are found with few tests.

    What is tested of a component is one number, less being better, between 0 (excluded) and ``worst``. It is minimized
    together with free objectives of combinations.

    Args:
        components: names by kind; or sizes by name, where larger ones are expected to test better.
        combine: what tests of components come to together, 0 or more, from one number or array of each kind, in the
            order of ``combinations``; it must not fall where a test is worse. What is above ``worst`` counts like it.
        free: objectives of a combination by name, from the name of its component of each kind; None for one that does
            not go together.
        objectives: names of the free objectives, and whether they are minimized or maximized.
        combinations: kinds that make one; None for all kinds together.
        worst: what a component tests like that is good for nothing.
        stop_share: a test is worth it that is expected to add more than this share to the front's hypervolume.
        seed: of the draws that stand for what is uncertain.

    Raises:
        UserError: nothing to combine, a value that is no number, nothing that goes together, or a ``combine`` that does
            not take arrays.
    """

    def __init__(
        self,
        *,
        components: Mapping[str, Collection[str] | Mapping[str, float]],
        combine: Combine,
        free: Free,
        objectives: Mapping[str, Direction],
        combinations: Sequence[Sequence[str]] | None = None,
        worst: float = 1.0,
        stop_share: float = 1e-4,
        seed: int = 0,
    ) -> None:
        self._kinds = tuple(sorted(components))
        self._orders = tuple(tuple(kinds) for kinds in combinations or [tuple(components)])
        self._combine, self._worst, self._seed = combine, _positive(worst), seed
        self._signs = {name: 1.0 if direction == "minimize" else -1.0 for name, direction in objectives.items()}
        self._check(components, objectives)
        self._tests: dict[int, float] = {}
        self._orders_by_kinds = {tuple(sorted(kinds)): kinds for kinds in self._orders}
        self._stop_share = stop_share
        self._begin(self._table(components, free))

    def _begin(self, table: DesignTable) -> None:
        """Know nothing but the table."""
        self._sampler = MemoizedSampler(cost_exponent=0.0, prune=False, stop_share=self._stop_share)
        vector = FreeObjectives(tuple(self._signs))
        self._knowledge = Knowledge(table, vector, self._rates_of, relation=KnownRelation(self._together))

    def _check(self, components: Mapping[str, Collection[str]], objectives: Mapping[str, Direction]) -> None:
        kinds = [kind for order in self._orders for kind in order]
        unknown = [kind for kind in kinds if kind not in components]
        if not kinds or unknown:
            raise UserError(
                "combinations must be of kinds that components names",
                value=", ".join(unknown) or "none",
                remedy=f"choose of {', '.join(components) or 'some'}",
            )
        twice = [order for order in self._orders if len(set(order)) < len(order)]
        if twice:
            raise UserError(
                "a combination must have one component of a kind",
                value=" + ".join(twice[0]),
                remedy="make two of the same components two kinds",
            )
        text = [kind for kind, names in components.items() if isinstance(names, str)]
        if text:
            raise UserError(
                "components must be a list of names, or numbers by name, for each kind",
                value=", ".join(f"{kind}: {components[kind]}" for kind in text),
                remedy='write for example components={"plate": ["steel", "brass"]}',
            )
        empty = [kind for kind, names in components.items() if not names]
        if empty:
            raise UserError(
                "every kind must have at least one component",
                value=", ".join(empty),
                remedy="name its components, or leave out the kind",
            )
        wrong = [f"{name}: {way}" for name, way in objectives.items() if way not in ("minimize", "maximize")]
        if wrong or "eer" in objectives or not objectives:
            raise UserError(
                "objectives must be names other than eer, each with minimize or maximize",
                value=", ".join(wrong or objectives) or "none",
                remedy='write for example objectives={"price": "minimize"}',
            )
        for order in self._orders:
            self._check_combine(order)

    def _check_combine(self, kinds: Sequence[str]) -> None:
        """Predictions are combined as arrays; what cannot take them is found before anything is tested."""
        tests = [np.full((2, 3), self._worst / 2) for _ in kinds]
        wanted = f"combine must give an array as large as those of {', '.join(kinds)} that it is given"
        remedy = "write for example np.maximum(a, b) for max(a, b), and np.sqrt for math.sqrt"
        try:
            shape = np.shape(self._combine(*tests))
        except (TypeError, ValueError) as error:
            raise UserError(wanted, value=str(error), remedy=remedy) from error
        if shape != tests[0].shape:
            raise UserError(wanted, value=f"one of shape {shape}", remedy=remedy)

    def _table(self, components: Mapping[str, Collection[str] | Mapping[str, float]], free: Free) -> DesignTable:
        # Draws go by the order of components, so it is not that in which they are given.
        names = {kind: sorted(set(components[kind]), key=_order) for kind in self._kinds}
        branches = [_component(kind, name) for kind in self._kinds for name in names[kind]]
        sized = {kind: own for kind, own in components.items() if isinstance(own, Mapping)}
        sizes = [_size(b, sized.get(b.modality, {}).get(b.architecture.label, 1.0)) for b in branches]
        place = {(b.modality, b.architecture.label): i for i, b in enumerate(branches)}
        count = sum(math.prod(len(names[kind]) for kind in kinds) for kinds in self._orders_by_kinds)
        if count > MOST_COMBINATIONS:
            raise UserError(
                f"there must be at most {MOST_COMBINATIONS} combinations", value=count, remedy="leave out components"
            )
        needs, values = [], []
        for kinds in self._orders_by_kinds:
            for chosen in itertools.product(*(names[kind] for kind in kinds)):
                parts = dict(zip(kinds, chosen, strict=True))
                found = free(dict(parts))
                if found is not None:
                    needs.append([place[part] for part in parts.items()])
                    values.append([sign * _number(found, name, parts) for name, sign in self._signs.items()])
        if not needs:
            raise UserError("some components must go together", value="none", remedy="let free give numbers, not None")
        width = max(2, *(len(kinds) for kinds in self._orders_by_kinds))
        return DesignTable(
            branches=tuple(branches),
            params=np.array(sizes, np.float64),
            macs=np.ones(len(branches)),
            columns=tuple(self._signs),
            analytic=np.array(values, np.float64),
            needs=np.array([row + [NO_BRANCH] * (width - len(row)) for row in needs], np.int64),
            platforms=(PlatformChoice(processor="", flash_bytes=0, psram_bytes=0, board=""),),
            platform=np.zeros(len(needs), np.int64),
        )

    def next(self) -> dict[str, str] | None:
        """What to test next: the name of one component, or of several that go together, by kind; None for nothing.

        The same until something new is told. None means that no test left is expected to be worth it.
        """
        knowledge = self._knowledge
        rng = np.random.default_rng([self._seed, len(self._tests)])
        proposal = self._sampler.propose(knowledge, rng)
        if not isinstance(proposal, Proposal):
            return None
        chosen = (proposal.attributes or {}).get("action", ())
        return {b.modality: b.architecture.label for b in (knowledge.table.branches[i] for i in chosen)}

    def tell(self, kind: str, name: str, result: float) -> None:
        """Say how a component tested; of one that is tested again, the last result counts.

        Raises:
            UserError: no such component, a result that is no number between 0 and ``worst``, or a ``combine`` that
                makes no number from 0 of it.
        """
        try:
            at = self._knowledge.table.branch_index(_component(kind, name))
        except KeyError:
            raise UserError(
                "a test must be of a component of the problem", value=f"{kind} {name}", remedy="spell it as given"
            ) from None
        if not (isinstance(result, numbers.Real) and 0 < result <= self._worst):
            beyond = isinstance(result, numbers.Real) and result > self._worst
            raise UserError(
                f"a result must be a number above 0 and at most worst={written(self._worst)}",
                value=result,
                remedy="raise worst" if beyond else "give a number that is less where a component is better",
            )
        before = self._tests
        try:
            self._learn({**before, at: float(result)})
        except Exception:
            self._learn(before)  # a result of which nothing can be made is not told
            raise

    def _learn(self, tests: dict[int, float]) -> None:
        """Know these tests; what followed from an earlier result of one of them is known no more."""
        anew = any(tests.get(own) != result for own, result in self._tests.items())
        fresh = [own for own in tests if anew or own not in self._tests]
        self._tests = tests
        if anew:
            self._begin(self._knowledge.table)
        self._knowledge.learn(fresh)

    def run(self, test: Callable[[str, str], float], *, at_most: int | None = None) -> list[Combination]:
        """Test until nothing more is worth it, or so many tests are made; the best combinations.

        Args:
            test: from kind and name to the result of a component.

        Raises:
            UserError: as :meth:`tell`, or ``at_most`` is no number of tests.
        """
        if at_most is not None and not (isinstance(at_most, int) and at_most >= 0):
            raise UserError(
                "at_most must be a whole number from 0", value=at_most, remedy="write for example at_most=12"
            )
        while at_most is None or len(self._tests) < at_most:
            parts = self.next()
            if parts is None:
                break
            for kind, name in list(parts.items())[: None if at_most is None else at_most - len(self._tests)]:
                self.tell(kind, name, test(kind, name))
        return self.front()

    def front(self) -> list[Combination]:
        """The best combinations of what is tested: no other one is as good in every objective, or of equals one.

        The best result stands first.
        """
        table, found = self._knowledge.table, []
        for row in self._knowledge.front.tolist():
            members = [b for b in table.needs[row].tolist() if b != NO_BRANCH]
            parts = {table.branches[b].modality: table.branches[b].architecture.label for b in members}
            values = zip(self._signs.items(), table.analytic[row].tolist(), strict=True)
            by_name = {name: sign * value for (name, sign), value in values}
            result = float(self._result(tuple(parts), [np.array(self._tests[b]) for b in members]))
            found.append(Combination(parts=parts, result=result, values=by_name))
        return sorted(
            found, key=lambda each: (each.result, sorted((kind, _order(p)) for kind, p in each.parts.items()))
        )

    def _result(self, kinds: tuple[str, ...], tests: Sequence[Floats]) -> Floats:
        """What tests, by kind in alphabetical order, come to together, never beyond ``worst``."""
        by_kind = dict(zip(kinds, tests, strict=True))
        together = self._combine(*(by_kind[kind] for kind in self._orders_by_kinds[kinds]))
        return np.minimum(np.asarray(together, np.float64), self._worst)

    def _rates_of(self, branches: Sequence[BranchSpec]) -> ErrorRates:
        tests = [np.array(self._tests[self._knowledge_index(branch)]) for branch in branches]
        kinds = tuple(branch.modality for branch in branches)
        alone = len(kinds) == 1 and kinds not in self._orders_by_kinds
        result = float(tests[0] if alone else self._result(kinds, tests))
        if not (result >= 0 and math.isfinite(result)):
            tested = ", ".join(f"{kind} {written(float(own))}" for kind, own in zip(kinds, tests, strict=True))
            raise UserError(
                "combine must give a number from 0",
                value=f"{written(result)} of {tested}",
                remedy="add to what is negative, and let free give None for what does not go together",
            )
        return ErrorRates(eer=CHANCE_EER * result / self._worst, evidence="table")

    def _knowledge_index(self, branch: BranchSpec) -> int:
        return self._knowledge.table.branch_index(branch)

    def _together(self, models: Ints, metrics: Floats) -> Floats:
        """Metrics [S, n, M] of models [n, K] from those of components [S, B, M]."""
        inputs = np.append(self._knowledge.table.input, NO_BRANCH)[models]  # of NO_BRANCH: NO_BRANCH
        out, scale = np.empty((len(metrics), len(models), metrics.shape[2])), self._worst / CHANCE_EER
        for own in np.unique(inputs, axis=0):
            rows = np.flatnonzero((inputs == own).all(axis=1))
            kinds = tuple(self._kinds[number] for number in own if number != NO_BRANCH)
            tests = [scale * metrics[:, members] for members in models[rows, : len(kinds)].T]
            out[:, rows] = self._result(kinds, tests) / scale
        return out


@dataclass(frozen=True, slots=True, kw_only=True)
class _Component:
    """A component in the place of an architecture: nothing is known of it but its name."""

    label: str
    family: str = "component"
    width: int = 1
    embedding: int = 0
    depth: int = 1
    extras: tuple[str, ...] = ()

    @property
    def layout(self) -> str:
        return self.label

    def parameters(self) -> dict[str, Any]:
        return {"name": self.label}

    def build(self, shape: Shape) -> NetworkSpec:
        raise UserError("a component must not be built as a network", value=self.label, remedy=f"ignore {shape}")


def _component(kind: str, name: str) -> BranchSpec:
    shape = Shape(height=1, width=1, channels=1)
    return BranchSpec(modality=kind, architecture=_Component(label=name), precision=FLOAT32, shape=shape)


def _order(name: object) -> tuple[str, str]:
    """By which components are sorted: numbers and None may stand among names."""
    return type(name).__name__, str(name)


def _positive(worst: float) -> float:
    if not (_is_finite(worst) and worst > 0):
        raise UserError("worst must be a positive number", value=worst, remedy="write for example worst=1.0")
    return float(worst)


def _size(component: BranchSpec, size: float) -> float:
    if not (_is_finite(size) and size >= 0):
        raise UserError(
            "what says that a component should test better must be a number from 0",
            value=f"{size} of {component.architecture.label}",
            remedy="give a list of names where nothing is known",
        )
    return float(size)


def _number(found: Mapping[str, float], name: str, parts: Mapping[str, str]) -> float:
    value: object = found.get(name) if isinstance(found, Mapping) else found
    if not isinstance(found, Mapping) or not _is_finite(value):
        raise UserError(
            f"free must give a number for {name}",
            value=f"{value} of {' + '.join(map(str, parts.values()))}",
            remedy=f'write for example {{"{name}": 1.5}}, or None for what does not go together',
        )
    return float(value)


def _is_finite(value: object) -> TypeGuard[float]:
    return isinstance(value, numbers.Real) and math.isfinite(value)
