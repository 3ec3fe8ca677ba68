"""Train one branch and print its error rates as JSON.

  python -m tinysearch train modality=face face.blocks=[2,2] face.precision=int8

A fusion trains both branches. Branches are remembered: a second call answers at once. trainer.* sets how, data=... on
what; see conf/trainer and conf/data. With trainer.repeats=3 the spread between seeds is printed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from statistics import mean, stdev
from typing import Any

from tinysearch.app.building.branches import branches_of
from tinysearch.app.building.decision import decision_of
from tinysearch.app.building.errors import build_errors
from tinysearch.app.building.training import train_with_progress
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.app.console import say
from tinysearch.app.invocation import OK, Invocation
from tinysearch.core.candidate import BranchSpec


def run(invocation: Invocation) -> int:
    """Train, measure, print."""
    invocation.no_words()
    config = plain(compose_config(invocation.overrides))
    branches = branches_of(config)
    errors = build_errors(config)
    records = train_with_progress(errors, branches)
    rates = errors.error_rates(branches)
    say(
        json.dumps(
            {
                "branches": [branch.key for branch in branches],
                "decision": decision_of(config),
                "eer": rates.eer,
                "eer_ci95": rates.eer_ci95,
                "eer_validation": rates.eer_validation,
                **({} if rates.auc is None else {"auc": rates.auc, "auc_ci95": rates.auc_ci95}),
                "frr_at_far": {str(far): frr for far, frr in rates.frr_at_far.items()},
                "people": rates.people,
                "evidence": rates.evidence,
                "fusion_weights": dict(rates.weights) or None,
                "agreement": _agreement(rates.curves, branches),
                "repeats": [_spread(errors.repeated_errors(branch)) for branch in branches],
                "train_s": [round(record.seconds, 2) for record in records],
                "remembered": [record.remembered for record in records],
            },
            indent=2,
        )
    )
    return OK


def _agreement(curves: Mapping[str, Sequence[float]], branches: Sequence[BranchSpec]) -> dict[str, float] | None:
    """Shares of test pairs that two branches decide rightly, by name; None for a single branch."""
    found = curves.get("agreement")
    if found is None:
        return None
    alone = (f"only_{branch.modality}" for branch in branches)
    return dict(zip(("both", *alone, "neither", "neither_if_independent"), found, strict=True))


def _spread(rates: Sequence[float]) -> dict[str, Any] | None:
    """Validation errors of the trainings with different seeds, of which the median one was kept."""
    if len(rates) < 2:
        return None
    return {"eer_validation": list(rates), "mean": mean(rates), "deviation": stdev(rates)}
