"""The fusion of two branches predicted from them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtr

from tinysearch.search.fusion import FusionRelation


def matchers(rng, count=8):
    """Probits of faces and voices, and of their fusions by independent normal scores of like spread."""
    faces, voices = rng.normal(-1.2, 0.15, count), rng.normal(-0.8, 0.15, count)
    return faces, voices, (faces[:, None] + voices[None]) / np.sqrt(2)


def observe_all(relation, faces, voices, fused):
    first, second = np.indices(fused.shape).reshape(2, -1)
    probits = np.stack([faces[first], voices[second], fused.ravel()], axis=1)
    relation.observe(np.column_stack([first, len(faces) + second]), ndtr(probits)[:, :, None])


def test_the_relation_starts_from_normal_scores_and_learns_its_scatter():
    faces, voices, fused = matchers(np.random.default_rng(0))
    relation = FusionRelation(np.array([0.5]))
    pairs = np.array([[20, 21]])
    first, second = ndtr(faces[:1])[:, None], ndtr(voices[:1])[:, None]
    assert relation.lucky(pairs, first, second, spreads=0.0) == pytest.approx(ndtr(fused[:1, :1]))
    doubtful = relation.lucky(pairs, first, second, spreads=2.0)
    observe_all(relation, faces, voices, fused + 0.05)
    assert relation.lucky(pairs, first, second, spreads=0.0) == pytest.approx(ndtr(fused[:1, :1] + 0.05), rel=0.02)
    assert doubtful < relation.lucky(pairs, first, second, spreads=2.0)
    branches = np.tile(np.concatenate([np.full(20, np.nan), first[0], second[0]]), (400, 1))[:, :, None]
    drawn = relation.draw(pairs, branches, np.random.default_rng(1))
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
    second = ndtr(voices[:2])[:, None]
    known, unknown = relation.lucky(np.array([[0, 40], [41, 40]]), own[[0, 0]], second[[0, 0]], spreads=0.0)[:, 0]
    assert known > 1.2 * unknown
