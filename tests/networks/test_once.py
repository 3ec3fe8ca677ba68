"""Requantization that rounds once: exactly what the real numbers give, for every integer that can occur."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinysearch.networks.halves import Halves, sum_of_row
from tinysearch.networks.once import Staircase, once
from tinysearch.networks.sum_tables import Operands, sum_tables

_SCALES = st.floats(2**-10, 0.25, width=32)


def stairs_of(product: float, bias: float, result: float, reach: int, *, count: int = 1) -> Staircase:
    return Staircase(
        product=np.array([product]),
        addend=np.array([bias]),
        result=result,
        count=count,
        lowest=np.array([-reach]),
        highest=np.array([reach]),
        low=-128,
        high=127,
    )


def exactly(stairs: Staircase, values: np.ndarray) -> np.ndarray:
    """Python rounds fractions to the nearest, halves to even."""
    product, bias, result = (Fraction(float(part)) for part in (*stairs.product, *stairs.addend, stairs.result))
    return np.array([round((value * product / stairs.count + bias) / result) for value in values.tolist()])


@settings(deadline=None, max_examples=60)
@given(st.tuples(_SCALES, _SCALES, _SCALES), st.floats(-20, 20, width=32), st.integers(1, 400), st.integers(0, 2**32))
def test_every_sum_is_rounded_as_the_real_number(scales, bias, depth, seed):
    source, weight, result = scales
    stairs = stairs_of(source * weight / 20, bias * result, result, depth * 127 * 255)
    found = once(stairs)
    if found is None:
        assert stairs.product[0] / result >= 0.5 or depth > 100
        return
    near = ((np.arange(-128, 128) + 0.5) * result - stairs.addend[0]) / stairs.product[0]
    values = np.concatenate([np.floor(near), np.floor(near) + 1, np.random.default_rng(seed).uniform(-1, 1, 200) * 1e4])
    values = np.clip(values, stairs.lowest[0], stairs.highest[0]).astype(np.int64)
    ours = np.clip(found.rounded(values[:, None])[:, 0], -128, 127)
    np.testing.assert_array_equal(ours, np.clip(exactly(stairs, values), -128, 127))


@pytest.mark.parametrize("count", [2, 4, 6, 36, 64, 100, 256])
def test_halves_of_means_go_to_even(count):
    """The factor is no binary fraction, yet every half is met."""
    stairs = stairs_of(0.1, 0.0, 0.1, 255 * count << 3, count=count << 3)
    found = once(stairs)
    values = np.arange(-255 * count, 255 * count + 1) << 3
    np.testing.assert_array_equal(
        np.clip(found.rounded(values[:, None])[:, 0], -128, 127), np.clip(exactly(stairs, values), -128, 127)
    )
    halves = found.tied(values[:, None])[:, 0] & (np.abs(values) < 127 * count << 3)
    np.testing.assert_array_equal(halves, (np.abs(values) < 127 * count << 3) & ((values >> 3) % count * 2 == count))


@pytest.mark.parametrize("singles", [False, True])
@pytest.mark.parametrize("scales", [(0.0137, 0.0191, 0.0229), (0.0058, 0.0034, 0.0056), (0.11, 0.031, 0.09)])
def test_sums_are_those_of_the_framework(scales, singles):
    left, right, result = (float(np.float32(scale)) for scale in scales)
    operands = Operands(
        scales=(left, right), zeros=(-128, 3), signs=(1, -1), result=result, low=-100, high=127, singles=singles
    )
    tables, stored = sum_tables(operands), np.arange(-128, 128)
    a, b = (stored + 128) * left, -(stored - 3) * right
    sums = a[:, None] + b
    if singles:
        sums = a.astype(np.float32)[:, None] + b.astype(np.float32)
    wished = np.rint(sums * np.float32(1 / result)) if singles else np.rint(sums / result)
    found = np.clip(tables.summed(stored[:, None], stored[None]), -100, 127)
    assert np.count_nonzero(found != np.clip(wished, -100, 127)) == tables.differing < 300


@pytest.mark.parametrize("count", [2, 6, 7, 8, 12, 36, 64, 100, 256, 511])
def test_sums_of_rows_are_added_up_as_torch_does(count):
    torch = pytest.importorskip("torch")
    values = np.random.default_rng(count).integers(0, 256, (200, count))
    reals = Halves(scale=0.0123, inverse=1.0).reals(values)
    np.testing.assert_array_equal(sum_of_row(reals), torch.from_numpy(reals).sum(-1).numpy())
