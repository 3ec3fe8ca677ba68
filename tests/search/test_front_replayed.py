"""The law that stands for trainings in ``benchmarks/front_replayed.py``."""

from __future__ import annotations

import numpy as np
import pytest
from front_laws import drawn_law, near_trainings, told_by_law
from front_replayed import LawErrors, seconds

from tinysearch.architectures.resnet import resnet_branch


def test_errors_of_a_seed_do_not_depend_on_what_was_asked_before(space):
    branches = space.table.branches
    first, second = (LawErrors(space, near_trainings, seed=3) for _ in range(2))
    pair = (branches[0], next(branch for branch in branches if branch.modality == "voice"))
    asked = [first.error_rates([branch]).eer for branch in branches], first.error_rates(pair).eer
    fused = second.error_rates(pair).eer
    assert ([second.error_rates([branch]).eer for branch in reversed(branches)][::-1], fused) == asked
    assert LawErrors(space, near_trainings, seed=4).error_rates(pair).eer != fused
    assert fused < min(second.error_rates([branch]).eer for branch in pair)


@pytest.mark.parametrize("modality", ["face", "voice"])
def test_smaller_coarser_and_poorer_networks_err_more_and_train_sooner(modality):
    whole = resnet_branch(modality, blocks=(2, 2), precision="int8", channels=3)
    coarse = resnet_branch(modality, blocks=(2, 2), precision="xnor2/1", channels=3)
    small = resnet_branch(modality, blocks=(2, 2), precision="int8", input_size=48, channels=3)
    law = near_trainings
    assert law(whole, 5e4, 4e6) < min(law(coarse, 5e4, 4e6), law(small, 5e4, 4e6), law(whole, 1e4, 4e6))
    assert law(whole, 5e4, 8e6) < law(whole, 5e4, 4e6)
    assert seconds(4e6, started=True) < seconds(4e6, started=False) < seconds(8e6, started=False)


def test_a_drawn_law_is_that_of_its_seed_and_dearer_for_coarser_networks():
    faces = [resnet_branch("face", blocks=(2, 2), precision=precision) for precision in ("int8", "xnor2/1", "xnor1/1")]
    errors = [[drawn_law(seed)(face, 5e4, 4e6) for face in faces] for seed in (1, 1, 2)]
    assert errors[0] == errors[1] != errors[2]
    assert errors[0] == sorted(errors[0])
    assert drawn_law(1)(faces[0], 5e4, 8e6) <= errors[0][0]


def test_a_law_tells_what_it_has_for_so_many_branches_of_each_input(space):
    table = space.table
    (source,) = told_by_law(near_trainings, table, branches=5).sources
    place = {branch.key: number for number, branch in enumerate(table.branches)}
    told = [table.branches[place[key]] for key in source.hints]
    assert sorted(branch.modality for branch in told) == ["face"] * 5 + ["voice"] * 5
    for branch, hint in zip(told, source.hints.values(), strict=True):
        size = float(table.params[place[branch.key]]), float(table.macs[place[branch.key]])
        assert hint.eer == pytest.approx(min(0.47, np.exp(near_trainings(branch, *size))))
