"""The law that stands for trainings in ``benchmarks/front_replayed.py``."""

from __future__ import annotations

import pytest
from front_replayed import LawErrors, law, seconds

from tinysearch.architectures.resnet import resnet_branch


def test_errors_of_a_seed_do_not_depend_on_what_was_asked_before(space):
    branches = space.table.branches
    first, second = LawErrors(space, seed=3), LawErrors(space, seed=3)
    pair = (branches[0], next(branch for branch in branches if branch.modality == "voice"))
    asked = [first.error_rates([branch]).eer for branch in branches], first.error_rates(pair).eer
    fused = second.error_rates(pair).eer
    assert ([second.error_rates([branch]).eer for branch in reversed(branches)][::-1], fused) == asked
    assert LawErrors(space, seed=4).error_rates(pair).eer != fused
    assert fused < min(second.error_rates([branch]).eer for branch in pair)


@pytest.mark.parametrize("modality", ["face", "voice"])
def test_smaller_coarser_and_poorer_networks_err_more_and_train_sooner(modality):
    whole = resnet_branch(modality, blocks=(2, 2), precision="int8", channels=3)
    coarse = resnet_branch(modality, blocks=(2, 2), precision="xnor2/1", channels=3)
    small = resnet_branch(modality, blocks=(2, 2), precision="int8", input_size=48, channels=3)
    assert law(whole, 5e4, 4e6) < min(law(coarse, 5e4, 4e6), law(small, 5e4, 4e6), law(whole, 1e4, 4e6))
    assert law(whole, 5e4, 8e6) < law(whole, 5e4, 4e6)
    assert seconds(4e6, started=True) < seconds(4e6, started=False) < seconds(8e6, started=False)
