"""Steps that two cores share: both halves give what the whole gives, in any order and at once."""

from __future__ import annotations

from dataclasses import replace

import ckernels
import numpy as np
import pytest
from ckernels import Halves
from random_networks import random_inputs, randomized
from test_bands import check_plan, mobilenet, random_program

from tinysearch.analytic.bands import banded, by_rows
from tinysearch.analytic.execution import LEAST_SHARED_MACS, shared
from tinysearch.analytic.kernels import every_call
from tinysearch.analytic.memory import plan
from tinysearch.core.bands import halves
from tinysearch.core.program import Program
from tinysearch.firmware.integer_network import run


def all_shared(program: Program) -> Program:
    """Every step shared that can be, however small."""
    rows = {index: program.tensors[step.output].shape.height for index, step in enumerate(program.steps)}
    return replace(program, shared=tuple(index for index in rows if rows[index] > 1 and by_rows(program, index)))


def check(order: Halves, *, seed: int) -> None:
    rng = np.random.default_rng(seed)
    program = all_shared(random_program(rng))
    assert len(program.shared) >= 6
    check_plan(program, plan(program))
    frozen = randomized(program, rng)
    inputs = random_inputs(program, 2, rng)
    outcome = ckernels.run_network(frozen, inputs, halves=order)
    np.testing.assert_array_equal(outcome.output.view(np.int8), run(frozen, inputs))


@pytest.mark.parametrize(("order", "seed"), [("in order", 0), ("backward", 1)])
def test_halves_give_what_whole_steps_give_in_any_order(order: Halves, seed: int) -> None:
    check(order, seed=seed)


@pytest.mark.slow
def test_halves_do_not_meet_when_they_run_at_once() -> None:
    check("at once", seed=2)


def test_halves_have_all_rows_and_products_and_scratch_of_their_own() -> None:
    program = shared(mobilenet(96, 3, 8))
    heavy = [step for step in program.steps if step.macs >= LEAST_SHARED_MACS and step.operator != "fully_connected"]
    assert [program.steps[index] for index in program.shared] == heavy
    for index in program.shared:
        parts = halves(program, index)
        heights = [part.program.tensors[part.step.output].shape.height for part in parts]
        assert sum(heights) == program.tensors[parts[0].step.output].shape.height
        assert parts[1].writes == heights[0]
    assert sum(count * call.step.macs for _, call, count in every_call(program)) == sum(
        step.macs for step in program.steps
    )
    assert {"stem.scratch", "stem.scratch2"} <= set(plan(program).offsets)


def test_what_makes_no_difference_leaves_the_program() -> None:
    program = mobilenet(96, 3, 8)
    in_both = shared(banded(program, room_bytes=40_000))
    assert in_both.bands and in_both.shared
    inside = {index for bands in in_both.bands for index in bands.steps}
    assert inside.isdisjoint(in_both.shared)
    assert banded(program, room_bytes=60_000) is program  # it fits as it is
    small = mobilenet(20, 1, 2)
    assert shared(small) is small
