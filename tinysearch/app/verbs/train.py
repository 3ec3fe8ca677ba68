"""Train one branch and print its error rates as JSON.

  python -m tinysearch train modality=face face.blocks=[2,2] face.precision=int8

A fusion trains both branches. Branches are remembered: a second call answers at once. trainer.* sets how, data=... on
what; see conf/trainer and conf/data.
"""

from __future__ import annotations

import json

from tinysearch.app.cli import OK, Invocation
from tinysearch.app.config import compose_config, plain
from tinysearch.app.training import build_errors, train_with_progress
from tinysearch.app.wiring import branches_of


def run(invocation: Invocation) -> int:
    """Train, measure, print."""
    invocation.no_words()
    config = plain(compose_config(invocation.overrides))
    branches = branches_of(config)
    errors = build_errors(config)
    records = train_with_progress(errors, branches)
    rates = errors.error_rates(branches)
    print(
        json.dumps(
            {
                "branches": [branch.key for branch in branches],
                "eer": rates.eer,
                "eer_ci95": rates.eer_ci95,
                "eer_validation": rates.eer_validation,
                "frr_at_far": {str(far): frr for far, frr in rates.frr_at_far.items()},
                "people": rates.people,
                "evidence": rates.evidence,
                "train_s": [round(record.seconds, 2) for record in records],
                "remembered": [record.remembered for record in records],
            },
            indent=2,
        )
    )
    return OK
