from __future__ import annotations

import itertools
import sys

import moocore  # noqa: F401 - imported by what is tested at its first call, longer than an example may take
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tinysearch.search.known import pareto as module
from tinysearch.search.known.pareto import (
    Extension,
    Scale,
    bars,
    below,
    dominated_by,
    hypervolume,
    is_nondominated,
    nondominated_in_each,
)

POINTS = arrays(np.float64, st.tuples(st.integers(1, 25), st.integers(1, 4)), elements=st.integers(0, 6).map(float))


@given(POINTS)
def test_front_is_what_the_definition_says(points):
    before = points.copy()
    front = is_nondominated(points)
    for i, point in enumerate(points):
        beaten = any((q <= point).all() and (q < point).any() for q in points)
        copy_before = any((points[j] == point).all() for j in range(i))
        assert front[i] == (not beaten and not copy_before)
    assert (points == before).all()


@given(POINTS)
def test_equals_are_kept_on_request(points):
    front = is_nondominated(points, keep_equals=True)
    for i, point in enumerate(points):
        assert front[i] == (not any((q <= point).all() and (q < point).any() for q in points))


@given(POINTS, st.lists(st.integers(0, 24)), st.booleans())
def test_what_is_compared_with_first_decides_nothing(points, likely, keep_equals):
    rows = np.array([row for row in likely if row < len(points)], np.int64)
    plain = is_nondominated(points, keep_equals=keep_equals)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MANY", 5)
        patch.setattr(module, "SAMPLED", 3)
        found = is_nondominated(points, keep_equals=keep_equals, likely=rows)
    assert (found == plain).all()


def test_unknown_points_are_never_on_a_front():
    assert is_nondominated([[np.nan, 0.0], [1.0, 1.0]]).tolist() == [False, True]
    assert is_nondominated(np.zeros((0, 3))).tolist() == []


@pytest.mark.parametrize("cells", [27, 250_000])
@pytest.mark.parametrize("objectives", [1, 2, 3, 4, 5])
def test_points_that_a_front_dominates_are_found_with_a_grid_and_without(objectives, cells, monkeypatch):
    monkeypatch.setattr(module, "MOST_CELLS", cells)
    rng = np.random.default_rng(objectives)
    values = np.array([0.0, 1.0, 2.0, 3.0, 4.0, np.inf])
    points, front = values[rng.integers(6, size=(60, objectives))], values[rng.integers(6, size=(12, objectives))]
    beats = (front[:, None] <= points[None]).all(axis=2)
    assert (dominated_by(points, front) == beats.any(axis=0)).all()
    clearly = beats & (front[:, None, -1] < points[None, :, -1])
    assert (dominated_by(points, front, strictly=True) == clearly.any(axis=0)).all()
    assert not dominated_by(points, front[:0]).any()


@pytest.mark.parametrize("cells", [27, 250_000])
@pytest.mark.parametrize("objectives", [1, 2, 3, 4])
def test_points_below_their_bar_are_those_that_would_add_to_a_front(objectives, cells, monkeypatch):
    monkeypatch.setattr(module, "MOST_CELLS", cells)
    rng = np.random.default_rng(objectives)
    values, corner = np.array([0.0, 1.0, 2.0, 3.0, 4.0, np.inf]), np.full(objectives, 4.0)
    points, front = values[rng.integers(6, size=(60, objectives))], values[rng.integers(6, size=(12, objectives))]
    for of in range(objectives):
        for known in (front[:0], front[4:]):
            adds = below(points, corner) & ~dominated_by(points, known)
            assert (points[:, of] < bars(points, known, corner, of=of)).tolist() == adds.tolist()
            assert adds.any() or len(known)


@pytest.mark.parametrize("keep_equals", [False, True])
def test_ruling_out_most_points_first_changes_no_front(keep_equals, monkeypatch):
    points = np.random.default_rng(0).integers(0, 9, size=(300, 3)).astype(float)
    points[::7, 1] = np.nan
    whole = is_nondominated(points, keep_equals=keep_equals)
    monkeypatch.setattr(module, "MANY", 40)
    monkeypatch.setattr(module, "SAMPLED", 12)
    assert (is_nondominated(points, keep_equals=keep_equals) == whole).all()
    assert whole.sum() > 1


@given(POINTS, st.randoms(use_true_random=False))
def test_hypervolume_grows_with_points_and_needs_only_the_front(points, random):
    reference = np.full(points.shape[1], 5.0)
    whole = hypervolume(points, reference)
    some = points[[i for i in range(len(points)) if random.random() < 0.5]]
    assert hypervolume(some, reference) <= whole + 1e-9
    assert hypervolume(points[is_nondominated(points)], reference) == pytest.approx(whole)
    assert hypervolume(points[::-1], reference) == pytest.approx(whole)


@given(arrays(np.float64, (12, 2), elements=st.integers(0, 4).map(float)))
def test_hypervolume_counts_unit_cells(points):
    cells = sum(any((p <= (x, y)).all() for p in points) for x in range(5) for y in range(5))
    assert hypervolume(points, np.array([5.0, 5.0])) == pytest.approx(cells)


@pytest.mark.parametrize("compiled", [True, False])
def test_an_extension_is_the_hypervolume_of_the_front_and_what_stands_beside_it(compiled, monkeypatch):
    if not compiled:  # another release of moocore
        monkeypatch.setitem(sys.modules, "moocore._libmoocore", None)
    rng, corner = np.random.default_rng(0), np.full(3, 0.9)
    front = rng.random((30, 3))
    extension = Extension(front, corner)
    assert extension.base == hypervolume(front, corner)
    counts = [1, 0, 3, 130, 2]
    others = 0.9 * rng.random((sum(counts), 3))
    ends = np.cumsum([0, *counts])
    wholes = [hypervolume(np.vstack([front, others[a:b]]), corner) for a, b in itertools.pairwise(ends)]
    assert extension.hypervolumes(others, ends) == pytest.approx(wholes)
    assert extension.hypervolume(others[:1]) == pytest.approx(wholes[0])
    assert extension.hypervolumes(others[:0], [0]).tolist() == []
    assert Extension(front[:0], corner).base == 0
    assert Extension(front[:0], corner).hypervolume(others) == pytest.approx(hypervolume(others, corner))


@pytest.mark.parametrize("objectives", [1, 2, 3, 4])
def test_the_fronts_of_many_small_sets_are_each_its_own(objectives):
    rng = np.random.default_rng(objectives)
    points, among = rng.integers(0, 4, size=(40, 15, objectives)) / 3.0, rng.random((40, 15)) < 0.5
    among[3] = False
    found = nondominated_in_each(points, among)
    assert not (found & ~among).any()
    for own, here, there in zip(found, points, among, strict=True):
        assert own[there].tolist() == is_nondominated(here[there]).tolist()
    assert nondominated_in_each(points, np.zeros_like(among)).sum() == 0


def test_scale_is_logarithmic_where_told_and_goes_back():
    scale = Scale(logarithmic=np.array([False, True]), reference=np.array([0.5, 10.0]))
    points = np.array([[0.1, 0.01], [0.2, 1.0]])
    assert scale.inverse(scale.transform(points)) == pytest.approx(points)
    assert scale.hypervolume([[0.0, 1.0]]) == pytest.approx(0.5)
    assert scale.hypervolume([[0.6, 1.0], [np.nan, 1.0]]) == 0.0
