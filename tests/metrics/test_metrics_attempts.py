"""What a false reject rate means to people: attempts, waiting, lock-out, and how sure the rate is."""

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinysearch.core.error_rates import FAILURES_TO_LOCK
from tinysearch.metrics import (
    effective_latency_s,
    expected_attempts,
    frr_interval,
    known,
    lockout_chance,
    smallest_far,
)

ROOT = Path(__file__).resolve().parents[2]


@given(st.floats(0.001, 100), st.floats(0, 0.99))
def test_effective_latency_is_the_mean_of_a_geometric_distribution(attempt_s, frr):
    attempts = sum((1 - frr) * frr**k * (k + 1) for k in range(4000))
    assert effective_latency_s(attempt_s, frr) == pytest.approx(attempt_s * attempts, rel=1e-6)


def test_arrays_broadcast_and_what_is_unknown_or_never_happens_is_none():
    found = effective_latency_s([[1.0], [2.0]], [0.0, 0.5, 1.0, np.nan])
    np.testing.assert_array_equal(found, [[1.0, 2.0, np.inf, np.nan], [2.0, 4.0, np.inf, np.nan]])
    assert [known(value) for value in found[0]] == [1.0, 2.0, None, None]


@given(st.integers(0, 2**31), st.floats(0.1, 0.8))
def test_owners_who_try_again_are_as_the_formulas_say(seed, frr):
    rng = np.random.default_rng(seed)
    needed = rng.geometric(1 - frr, size=20_000)
    assert needed.mean() == pytest.approx(expected_attempts(frr), rel=0.1)
    share = float(np.mean(needed > FAILURES_TO_LOCK))
    assert share == pytest.approx(lockout_chance(frr, failures=FAILURES_TO_LOCK), abs=0.02)


def test_the_firmware_locks_after_as_many_failures():
    kconfig = (ROOT / "firmware_templates/esp_idf/main/Kconfig.options").read_text(encoding="utf-8")
    option = re.search(r"config TS_ATTEMPTS\n(.*?)\n\n", kconfig, re.DOTALL)
    assert option is not None
    assert re.search(r"default (\d+)", option.group(1)).group(1) == str(FAILURES_TO_LOCK)


def _people(rates, *, pairs, seed=0):
    """Whose pair is rejected, for people of different false reject rates."""
    rng = np.random.default_rng(seed)
    persons = np.repeat(np.arange(len(rates)), pairs)
    return rng.random(len(persons)) < np.asarray(rates)[persons], persons


def test_the_interval_is_over_people_and_not_over_pairs():
    apart, owner = _people([0.0] * 10 + [0.6] * 10, pairs=50)
    alike, _ = _people([0.3] * 20, pairs=50)
    wide, narrow = (frr_interval(found, owner, rng=np.random.default_rng(1)) for found in (apart, alike))
    assert wide[0] < apart.mean() < wide[1]
    assert wide[1] - wide[0] > 3 * (narrow[1] - narrow[0])


@pytest.mark.parametrize("pairs", [1, 40])
def test_no_failure_among_ten_people_is_no_proof(pairs):
    none, owner = np.zeros(10 * pairs, bool), np.repeat(np.arange(10), pairs)
    low, high = frr_interval(none, owner, rng=np.random.default_rng(0))
    assert (low, round(high, 3)) == (0.0, 0.308)  # exact binomial bound of 0 of 10
    assert frr_interval(~none, owner, rng=np.random.default_rng(0)) == (1 - high, 1.0)


def test_three_pairs_are_the_least_that_a_threshold_rests_on():
    assert smallest_far(300) == 0.01
    assert smallest_far(2) == smallest_far(0) == 1.0
