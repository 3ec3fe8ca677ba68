"""The fusion of two branches predicted from them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtr, ndtri

from tinysearch.search.known.fusion import FusionRelation


def matchers(rng, count=8):
    """Probits of faces and voices, and of their fusions by independent normal scores of like spread."""
    faces, voices = rng.normal(-1.2, 0.15, count), rng.normal(-0.8, 0.15, count)
    return faces, voices, (faces[:, None] + voices[None]) / np.sqrt(2)


def observe_all(relation, faces, voices, fused):
    first, second = np.indices(fused.shape).reshape(2, -1)
    probits = np.stack([faces[first], voices[second], fused.ravel()], axis=1)
    relation.observe(np.column_stack([first, len(faces) + second]), ndtr(probits)[:, :, None])


def with_metrics(known):
    """float64 [1, B, 1]: the errors of some branches, by index."""
    metrics = np.full((1, max(known) + 1, 1), np.nan)
    for branch, error in known.items():
        metrics[0, branch] = error
    return metrics


def test_the_relation_starts_from_normal_scores_and_learns_its_scatter():
    faces, voices, fused = matchers(np.random.default_rng(0))
    relation = FusionRelation(np.array([0.5]))
    pairs, branches = np.array([[20, 21]]), with_metrics({20: ndtr(faces[0]), 21: ndtr(voices[0])})
    assert relation.lucky(pairs, branches, spreads=0.0) == pytest.approx(ndtr(fused[0, 0]))
    doubtful = relation.lucky(pairs, branches, spreads=2.0)
    observe_all(relation, faces, voices, fused + 0.05)
    assert relation.lucky(pairs, branches, spreads=0.0) == pytest.approx(ndtr(fused[0, 0] + 0.05), rel=0.02)
    assert doubtful < relation.lucky(pairs, branches, spreads=2.0)
    drawn = relation.draw(pairs, np.repeat(branches, 400, axis=0), np.random.default_rng(1))
    assert np.median(drawn) == pytest.approx(float(ndtr(fused[0, 0] + 0.05)), rel=0.02)


def test_the_relation_learns_what_is_particular_to_a_branch():
    faces, voices, fused = matchers(np.random.default_rng(0))
    fused[0] += 0.2  # its own error was lucky
    relation = FusionRelation(np.array([0.5]))
    observe_all(relation, faces, voices, fused)
    own = ndtr(faces[:2])[:, None]
    lucky, usual = relation.implied(np.array([0, 1]), own)[:, 0]
    assert lucky == pytest.approx(ndtr(faces[0] + 0.2 * np.sqrt(2)), rel=0.05)
    assert usual == pytest.approx(own[1, 0], rel=0.05)
    # That branch with a voice of which nothing is known yet, beside an unknown face of the same error.
    branches = with_metrics({0: own[0, 0], 40: ndtr(voices[0]), 41: own[0, 0]})
    known, unknown = relation.lucky(np.array([[0, 40], [41, 40]]), branches, spreads=0.0)[0, :, 0]
    assert known > 1.2 * unknown


def test_of_fusions_of_three_offset_slope_and_scatter_are_learned():
    rng = np.random.default_rng(0)
    relation, probits = FusionRelation(np.array([0.5])), rng.normal(-1.2, 0.15, 30)
    models, branches = rng.permuted(np.tile(np.arange(30), (40, 1)), axis=1)[:, :3], ndtr(probits)[:, None]
    added = probits[models].sum(axis=1) / np.sqrt(3)
    true = added + 0.3 - 0.2 * (probits[models].sum(axis=1) + 3)
    first = [ndtri(relation.lucky(models, branches[None], spreads=s)[0, :, 0]) for s in (0.0, 1.0)]
    assert first[0] == pytest.approx(added)
    relation.observe_larger(models, branches, ndtr(true + rng.normal(0, 0.05, 40))[:, None])
    drawn = ndtri(relation.draw(models, np.repeat(branches[None], 2000, axis=0), np.random.default_rng(1)))[:, :, 0]
    last = [ndtri(relation.lucky(models, branches[None], spreads=s)[0, :, 0]) for s in (0.0, 1.0)]
    assert last[0] == pytest.approx(true, abs=0.04)
    assert (first[0] - first[1]).min() > 0.1
    assert last[0] - last[1] == pytest.approx(0.05, abs=0.015)
    assert drawn.mean(axis=0) == pytest.approx(last[0], abs=0.01)
    assert drawn.std(axis=0) == pytest.approx(last[0] - last[1], rel=0.1)


def test_fusions_of_elsewhere_are_nobodys():
    faces, voices, fused = matchers(np.random.default_rng(0))
    fused[:, -1] += 0.2
    relation = FusionRelation(np.array([0.5]))
    observe_all(relation, faces, voices, fused)
    last, own = np.array([len(faces) + len(voices) - 1]), ndtr(voices[-1:])[:, None]
    before = relation.implied(last, own)
    relation.told(np.tile(ndtr([[-1.0], [-1.0], [-np.sqrt(2)]]), (40, 1, 1)))
    assert relation.implied(last, own) == pytest.approx(before, rel=0.01)


def test_fusions_of_elsewhere_do_not_outvote_the_own_ones():
    faces, voices, fused = matchers(np.random.default_rng(0))
    own, warned = FusionRelation(np.array([0.5])), FusionRelation(np.array([0.5]))
    warned.told(np.tile(ndtr([[-1.0], [-1.0], [-0.8]]), (500, 1, 1)))  # a table where fusions are worth nothing
    pair = np.array([[900, 901]])
    branches = with_metrics({900: 0.15, 901: 0.2})
    first = [float(relation.lucky(pair, branches, spreads=0.0)[0, 0, 0]) for relation in (own, warned)]
    assert first[1] > 1.2 * first[0]
    for relation in (own, warned):
        observe_all(relation, faces, voices, fused)
    last = [float(relation.lucky(pair, branches, spreads=0.0)[0, 0, 0]) for relation in (own, warned)]
    assert last[1] == pytest.approx(last[0], rel=0.05)


def test_lucky_fusions_are_as_lucky_as_draws_are():
    faces, voices, fused = matchers(np.random.default_rng(0))
    fused += np.random.default_rng(1).normal(0, 0.08, fused.shape)
    fused[0] += 0.2
    relation = FusionRelation(np.array([0.5]))
    observe_all(relation, faces, voices, fused)
    # Both known, one unknown, both unknown; far from the middle, where the slopes matter.
    branches = with_metrics({0: 0.05, 9: 0.3, 40: 0.02, 41: 0.4})
    pairs = np.array([[0, 9], [0, 41], [40, 9], [40, 41]])
    drawn = ndtri(relation.draw(pairs, np.repeat(branches, 20_000, axis=0), np.random.default_rng(2)))
    for spreads in (0.0, 1.5):
        expected = drawn.mean(axis=0) - spreads * drawn.std(axis=0)
        assert ndtri(relation.lucky(pairs, branches, spreads=spreads)[0]) == pytest.approx(expected, abs=0.01)
