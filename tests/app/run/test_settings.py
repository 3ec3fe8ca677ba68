"""What a configuration says of a search is parsed once, and wrong numbers are refused before anything is built."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from tinysearch.app.config.compose import compose_config, plain
from tinysearch.app.run.settings import search_settings
from tinysearch.core.errors import UserError


@pytest.fixture(scope="module")
def usual() -> dict[str, Any]:
    return dict(plain(compose_config([])))


def test_words_become_numbers_and_records(usual: dict[str, Any], tmp_path: Path) -> None:
    changed = {
        **{"timeout": "2min", "training_time": "90s", "n_workers": 3, "n_trials": 7, "cache": {"dir": str(tmp_path)}},
        **{"storage": "postgresql://me@host/runs", "claims_expire": "5s", "sampler": {"name": "tpe", "settings": {}}},
    }
    found = search_settings(usual | changed)
    assert (found.timeout_s, found.training_time, found.n_trials, found.n_trainings) == (120.0, 90.0, 7, None)
    assert (found.n_workers, found.threads, found.trains) == (3, 1, True)
    assert tmp_path in (found.cache, *found.cache.parents)
    assert found.shared is not None
    assert (found.shared.url, found.shared.expire_s) == ("postgresql://me@host/runs", 5.0)
    assert (found.sampler.name, found.sampler.factory, dict(found.sampler.options)) == ("tpe", None, {})


def test_without_a_limit_a_run_has_all_the_time(usual: dict[str, Any]) -> None:
    found = search_settings(usual | {"timeout": None, "training_time": None, "trainer": {"name": "none"}})
    assert (found.timeout_s, found.training_time, found.trains, found.dropped) == (math.inf, None, False, True)
    assert search_settings(usual | {"training_time": "auto"}).training_time == "auto"


def test_a_resumed_run_is_held_to_what_its_configuration_says(usual: dict[str, Any], tmp_path: Path) -> None:
    rules, table = search_settings(usual).rules, tmp_path / "table.yaml"
    assert "battery" not in rules
    sections: dict[str, tuple[str, Any]] = {
        "memory": ("memory", "bands"),
        "task": ("task", usual["task"] | {"name": "other"}),
        "fusion": ("fusion", usual["fusion"] | {"rule": "learned"}),
        "backend": ("firmware", usual["firmware"] | {"backend": "pie"}),
        "battery": ("battery", {"part": "2xaa", "in_bill": False}),
    }
    for rule, (section, value) in sections.items():
        changed = search_settings(usual | {section: value}).rules
        assert {name for name in changed if changed[name] != rules.get(name)} == {rule}
    told = []
    for content in ("one", "other"):
        table.write_text(content, encoding="utf-8")
        latency = usual["latency"] | {"table": str(table)}
        told.append(search_settings(usual | {"latency": latency}).rules["latency"])
    assert told[0] != told[1]


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("n_trials", 0, "n_trials must be a positive whole number"),
        ("n_trainings", 2.5, "n_trainings must be a positive whole number"),
        ("n_workers", 0, "n_workers must be auto or a positive whole number"),
        ("far", [0.5], "far must list the rate that objective"),
        ("engine", "cloud", "an engine must be"),
    ],
)
def test_wrong_values_are_refused(usual: dict[str, Any], name: str, value: Any, rule: str) -> None:
    wanted = usual["objectives"] | {"names": ["eer", "effective_latency_far1_s"]}
    with pytest.raises(UserError, match=rule):
        search_settings(usual | {name: value, "objectives": wanted})
