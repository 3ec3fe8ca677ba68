"""Cascades of trained branches after a search: only those that no point of the front beats, each recorded once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import numpy as np
import optuna
import pytest

from tinysearch.app.building.errors import build_cascade_errors
from tinysearch.app.building.spaces import build_space
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.app.run.cascades import cascade_of_document, cascades
from tinysearch.app.run.setup import Setup, set_up
from tinysearch.core.candidate import BranchSpec
from tinysearch.core.cascade import Cascade
from tinysearch.core.error_rates import NO_ERROR_RATES, ErrorRates
from tinysearch.core.errors import UserError
from tinysearch.core.execution import PLAIN
from tinysearch.evaluation.untrained import NoErrors
from tinysearch.metrics.cascade import SURE
from tinysearch.search.result import SearchResult

NAMES = ("eer", "bom_cost_usd", "latency_s")
SPACE = ["space.layouts=[[1],[2]]", "space.precisions=[int8]", "space.processors=[esp32,esp32s3]"]


class CascadeErrors(NoErrors):
    """The voice decides alone in three of four attempts."""

    def error_rates(self, branches: Sequence[BranchSpec]) -> ErrorRates:
        errors = 0.1 if branches[0].architecture.layout == "1" else 0.4
        cascade = Cascade(first="voice", reject_below=-5, accept_from=9, runs=0.25, impostor_runs=0.1)
        return ErrorRates(eer=errors, eer_validation=errors, evidence="trained", cascade=cascade)


@pytest.fixture(scope="module")
def setup() -> Setup:
    """A search that has cascades, of branches that need no training here."""
    made = set_up(plain(compose_config([*SPACE, "trainer=none", "budget=20usd"])))
    return replace(made, cascade_errors=CascadeErrors())


def finished(setup: Setup, study: optuna.Study, *points: tuple[float, float, float]) -> SearchResult:
    """A search that knows every branch, with a front of such values."""
    table = setup.problem.table
    knowledge = SimpleNamespace(
        objectives=SimpleNamespace(metrics=("eer",), names=NAMES),
        table=table,
        known=np.ones(len(table.branches), bool),
        branch_metrics=np.full((len(table.branches), 1), 0.2),
    )
    values = [dict(zip(NAMES, point, strict=True)) for point in points]
    front = [SimpleNamespace(values=each, shown=each) for each in values]
    return cast(SearchResult, SimpleNamespace(points=front, knowledge=knowledge, study=study))


def study() -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna.create_study(directions=["minimize"] * len(NAMES))


def test_a_cascade_joins_the_front_by_the_time_that_it_takes_on_average(setup: Setup) -> None:
    run = study()
    found = cascades(setup, finished(setup, run, (0.2, 30.0, 1.0)), far=None)
    assert {each.candidate.platform.processor for each in found} == {"esp32", "esp32s3"}
    for each in found:
        assert each.cascade is not None
        assert each.candidate.branches[0].architecture.layout == "1"  # the other one errs more
        parts = each.details["branch_latency_s"]
        assert each.latency_s == pytest.approx(parts["face"] + parts["voice"])
        assert each.cascade.latency_s == pytest.approx(parts["voice"] + 0.25 * parts["face"])
        assert each.to_dict()["fusion"]["rule"] == each.to_dict()["platform"]["fusion"] == "cascade"
        assert cascade_of_document(setup.models.task, each.to_dict()) == each.candidate
        assert setup.rates(each.candidate) == each.errors
    trials = run.get_trials()
    assert [trial.values[2] for trial in trials] == [each.cascade.latency_s for each in found if each.cascade]
    assert {trial.user_attrs["fusion"] for trial in trials} == {"cascade"}
    assert cascades(setup, finished(setup, run, (0.2, 30.0, 1.0)), far=None) == found
    assert len(run.get_trials()) == len(trials)


def test_a_cascade_whose_first_branch_accepts_more_than_the_run_allows_is_none(setup: Setup) -> None:
    class Measured(CascadeErrors):
        def error_rates(self, branches: Sequence[BranchSpec]) -> ErrorRates:
            return replace(super().error_rates(branches), thresholds={0.01: SURE + 5, 0.1: 7})

    strict = replace(setup, cascade_errors=Measured())
    assert cascades(strict, finished(setup, study(), (0.2, 30.0, 1.0)), far=0.01) == ()
    assert cascades(strict, finished(setup, study(), (0.2, 30.0, 1.0)), far=0.1)


def test_a_point_that_is_better_in_all_keeps_cascades_off(setup: Setup) -> None:
    run = study()
    assert cascades(setup, finished(setup, run, (0.05, 1.0, 1e-4)), far=None) == ()
    assert not run.get_trials()


def test_a_search_without_a_second_rule_has_none(setup: Setup) -> None:
    run = study()
    (known, *_) = cascades(setup, finished(setup, run, (0.2, 30.0, 1.0)), far=None)
    one = replace(setup, cascade_errors=None)
    assert cascades(one, finished(setup, run, (0.2, 30.0, 1.0)), far=None) == ()
    with pytest.raises(UserError, match="a cascade must be of a search that has them"):
        one.rates(known.candidate)
    summed = replace(known.candidate, platform=replace(known.candidate.platform, execution=PLAIN))
    assert one.rates(summed) == NO_ERROR_RATES
    assert cascade_of_document(setup.models.task, known.to_dict() | {"platform": {}}) is None


def test_rules_of_a_space_are_these_two() -> None:
    assert compose_config(["space=extended"])["space"]["fusion_rules"] == ["concatenation", "cascade"]
    space = build_space(plain(compose_config(["space.fusion_rules=[concatenation,cascade]"])))
    assert space.fusion_rules == ("concatenation", "cascade")
    assert build_cascade_errors((), NoErrors()) is build_cascade_errors(space.fusion_rules, NoErrors()) is None
    with pytest.raises(UserError, match="must list concatenation and cascade"):
        build_cascade_errors(("weighted", "cascade"), NoErrors())
    assert space.digest != build_space(plain(compose_config([]))).digest
