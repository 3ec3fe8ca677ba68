"""From analytic figures and error rates to the vector of objectives that the search minimizes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinysearch.core.error_rates import ErrorRates
from tinysearch.core.errors import UserError
from tinysearch.core.limits import Limit, Violation
from tinysearch.core.objectives import ERROR_OBJECTIVES, FAR_OF_OBJECTIVE, check_objectives
from tinysearch.metrics import effective_latency_s
from tinysearch.search.known.design import DesignTable, Floats
from tinysearch.search.known.pareto import TINY, Scale

ATTEMPT_COLUMNS = ("acquisition_s", "latency_s")
"""Analytic columns that make up one attempt: capture and front-end, then inference."""

CHANCE_EER = 0.5
"""Equal error rate of guessing: what is assumed where a number is needed and nothing was trained."""


class ObjectiveVector:
    """Objective values of designs, by name and in the order asked for.

    An *error metric* is a number of :class:`ErrorRates` that some objective needs: ``eer`` or the FRR at a FAR, both
    of the people by whom the search decides. All objectives together are functions of a design's analytic row and its
    metrics.

    Attributes:
        names: objectives, all minimized: what is maximized under its recorded name, with negative values.
        metrics: error metrics they need; empty when nothing has to be trained.
        analytic: analytic columns they need.
        is_error: bool per objective, whether it needs a metric.
        retried: whether some objective counts the attempts of an owner.
        bounds: float64 [K], the limit of each objective that needs a metric, infinite without one. Limits of analytic
            objectives are kept by every design of a table.

    Args:
        limits: of objectives that need a metric, all of them searched.
    """

    def __init__(self, names: Sequence[str], limits: Sequence[Limit] = ()) -> None:
        self.names = check_objectives(names)
        fars = [FAR_OF_OBJECTIVE[name] for name in self.names if name in FAR_OF_OBJECTIVE]
        self._fars = tuple(dict.fromkeys(fars))
        self.metrics = (("eer",) if "eer" in self.names else ()) + tuple(f"frr@{far:g}" for far in self._fars)
        plain = [name for name in self.names if name not in ERROR_OBJECTIVES]
        self.retried = bool(fars)
        self.analytic = tuple(dict.fromkeys([*plain, *(ATTEMPT_COLUMNS if fars else ())]))
        self.is_error = np.array([name in ERROR_OBJECTIVES for name in self.names])
        self._limits = tuple(limits)
        limited = {limit.objective: limit.bound for limit in limits}
        self.bounds = np.array([limited.get(name, np.inf) for name in self.names])

    @property
    def limits(self) -> tuple[str, ...]:
        """Names of the limits, as violations name them."""
        return tuple(limit.option for limit in self._limits)

    def broken(self, values: Sequence[float]) -> tuple[Violation, ...]:
        """The limits that known values of a design break."""
        by_name = dict(zip(self.names, values, strict=True))
        found = [limit.violation(by_name[limit.objective]) for limit in self._limits]
        return tuple(violation for violation in found if violation is not None)

    def chance_metrics(self) -> Floats:
        """float64 [M]: metrics of a guess: what is assumed where a number is needed and nothing was trained."""
        return np.array([CHANCE_EER if name == "eer" else 1.0 - float(name[4:]) for name in self.metrics])

    def worst_metrics(self) -> Floats:
        """float64 [M]: no prediction is worse; at a strict FAR a trained network may accept nobody."""
        return np.array([CHANCE_EER if name == "eer" else 1.0 for name in self.metrics])

    def metrics_of(self, rates: ErrorRates, *, shown: bool = False) -> Floats:
        """float64 [M] of one branch or fusion.

        Args:
            shown: of test people, not of those by whom the search decides.

        Raises:
            UserError: a rate that an objective needs is not known.
        """
        eer = rates.eer if shown and rates.eer is not None else rates.decision_eer
        frr_at_far = rates.frr_at_far if shown else rates.decision_frr_at_far
        values: list[float | None] = [eer] if "eer" in self.names else []
        values += [frr_at_far.get(far) for far in self._fars]
        for name, value in zip(self.metrics, values, strict=True):
            if value is None or not np.isfinite(value):
                raise UserError(
                    f"{name} must be given for the objectives",
                    value=f"error rates without it (evidence: {rates.evidence})",
                    remedy="give a table the columns frr_far1 and frr_far10, or choose objectives that do without",
                )
        return np.array(values, np.float64)

    def combine(self, columns: Sequence[str], analytic: Floats, metrics: Floats) -> Floats:
        """Objective values.

        Args:
            columns: names of the columns of ``analytic``.
            analytic: [n, k].
            metrics: [n, M], NaN where unknown.

        Returns:
            float64 [n, K]; NaN where a metric is unknown, infinite where nobody is ever accepted.
        """
        out = np.empty((len(analytic), len(self.names)))
        for k, name in enumerate(self.names):
            if self.is_error[k]:
                attempt = None
                if name in FAR_OF_OBJECTIVE:
                    attempt = analytic[:, [list(columns).index(part) for part in ATTEMPT_COLUMNS]].sum(axis=1)
                out[:, k] = self.error_objective(k, attempt, metrics)
            else:
                out[:, k] = analytic[:, list(columns).index(name)]
        return out

    def error_objective(self, k: int, attempt_s: Floats | None, metrics: Floats) -> Floats:
        """One objective that needs error metrics, [n].

        Args:
            k: which.
            attempt_s: [n], of one attempt; may be None where the objective is the EER itself.
            metrics: [n, M], NaN where unknown.
        """
        name = self.names[k]
        if attempt_s is None or name not in FAR_OF_OBJECTIVE:
            return metrics[:, 0]
        frr = metrics[:, self.metrics.index(f"frr@{FAR_OF_OBJECTIVE[name]:g}")]
        return effective_latency_s(attempt_s, frr)

    def scale(self, table: DesignTable) -> Scale:
        """The scale in which hypervolumes are taken: EER and price linear, the others logarithmic.

        The reference point is chance (EER 0.5) or the objective's limit, and the worst feasible design in every other
        objective, and so depends on the space, the catalogue, the budget and limits only, never on what was trained.
        """
        logarithmic, reference = [], []
        for name, bound in zip(self.names, self.bounds.tolist(), strict=True):
            logarithmic.append(name not in ("eer", "bom_cost_usd"))
            if name == "eer":
                reference.append(min(CHANCE_EER, bound))
                continue
            column = attempt_s(table) if name in FAR_OF_OBJECTIVE else table.column(name)
            worst = float(column.max(initial=1.0 if not len(column) else -np.inf))
            if name in FAR_OF_OBJECTIVE:
                worst *= 2.0  # every second genuine attempt refused
            reference.append(_a_little_worse(worst) if worst < 0 else min(_a_little_worse(worst) or 1.0, bound))
        return Scale(logarithmic=np.array(logarithmic), reference=np.array(reference))


def _a_little_worse(worst: float) -> float:
    """By 5 % of it; what is maximized is negative, and a little less is worse."""
    return worst * 1.05 if worst > 0 else worst / 1.05


class FreeObjectives(ObjectiveVector):
    """An error and free objectives of any names, all minimized.

    Args:
        free: their names, which are columns of the table.
    """

    def __init__(self, free: Sequence[str]) -> None:
        super().__init__(("eer",))
        self.names = ("eer", *free)
        self.analytic = tuple(free)
        self.is_error = np.array([True] + [False] * len(free))
        self.bounds = np.full(len(self.names), np.inf)

    def scale(self, table: DesignTable) -> Scale:
        """The error linear; a free objective logarithmic where every value has one sign and is no :data:`TINY` one.

        The reference point is chance, and a little more than the worst value of every free objective.
        """
        columns = [table.column(name) for name in self.analytic]
        signed = [bool(column.min() >= TINY or column.max() <= -TINY) for column in columns]
        references = [_beyond(column, logarithmic=own) for column, own in zip(columns, signed, strict=True)]
        return Scale(logarithmic=np.array([False, *signed]), reference=np.array([CHANCE_EER, *references]))


def _beyond(column: Floats, *, logarithmic: bool) -> float:
    """What is a little worse than the worst value of a column: by 5 % of it or, on a linear scale, of the range."""
    best, worst = float(column.min()), float(column.max())
    if logarithmic:
        return _a_little_worse(worst)
    return worst + 0.05 * (worst - best or abs(worst) or 1.0)


def attempt_s(table: DesignTable) -> Floats:
    """Time of one attempt of each design, float64 [n]: what a person waits for, and repeats if rejected."""
    acquisition, latency = (table.column(name) for name in ATTEMPT_COLUMNS)
    return acquisition + latency
