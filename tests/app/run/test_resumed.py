"""A run that is not resumed is told which settings differ."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinysearch.app.config.compose import compose_config, plain
from tinysearch.app.run.resumed import other_settings
from tinysearch.app.run.run_dir import write_config
from tinysearch.search.study.storage import OtherRulesError

DIGESTS = ("1f7f350a343b0213", "874c5142d5248bc4")


@pytest.mark.parametrize(
    ("rule", "word", "told"),
    [
        ("data", "trainer.half_size=0.5", "trainer.half_size was 0.0, now 0.5"),
        ("data", "data.split_seed=3", "data.split_seed was 0, now 3"),
        ("space", "space.precisions=[int8]", 'now ["int8"]'),
        ("latency", "latency.model=opcount", "latency.model was calibrated, now opcount"),
        ("catalog", "catalog=paper2023", "catalog.name was espressif, now paper2023"),
    ],
)
def test_the_setting_behind_a_digest_is_named(tmp_path: Path, rule: str, word: str, told: str) -> None:
    words = ["data=orl", f"data.root={tmp_path}"]
    write_config(tmp_path, plain(compose_config(words)))
    now = plain(compose_config([*words, word]))
    message = str(other_settings(OtherRulesError({rule: DIGESTS}), tmp_path, now))
    assert told in message
    assert not any(digest in message for digest in DIGESTS)
    assert "data.root" not in message


def test_rules_that_are_spelled_out_are_told_beside(tmp_path: Path) -> None:
    write_config(tmp_path, plain(compose_config([])))
    differing = {"budget": ("15 usd", "14 usd"), "data": DIGESTS}
    now = plain(compose_config(["trainer.epochs=3"]))
    message = str(other_settings(OtherRulesError(differing), tmp_path, now))
    assert "trainer.epochs was" in message
    assert "budget was 15 usd, now 14 usd" in message


def test_data_whose_files_changed_differ_in_no_setting(tmp_path: Path) -> None:
    config = plain(compose_config([]))
    write_config(tmp_path, config)
    error = OtherRulesError({"data": DIGESTS})
    assert other_settings(error, tmp_path, config) is error
