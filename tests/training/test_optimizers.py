"""Optimizers: the updates of AdamW and of SGD with Nesterov momentum, and states that a training goes on from."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import Tensor

from tinysearch.training.optimizers import BETAS, EPSILON, MOMENTUM, Optimizer

DECAY, RATES = 0.1, (0.03, 0.02, 0.01)


def drawn(kind: str) -> tuple[list[Tensor], Optimizer]:
    """Two decayed parameters, one that is not, and one that no loss uses."""
    generator = torch.Generator().manual_seed(0)
    made = [torch.randn(shape, generator=generator).requires_grad_() for shape in ((4, 3), (2, 3, 1, 1), (5,), (6,))]
    return made, Optimizer(kind, [(made[:2], DECAY), (made[2:], 0.0)])


def gradients(parameters: list[Tensor], step: int) -> None:
    generator = torch.Generator().manual_seed(100 + step)
    for parameter in parameters[:3]:
        parameter.grad = torch.randn(parameter.shape, generator=generator)


@pytest.mark.parametrize("kind", ["adam", "sgd"])
def test_updates_are_those_of_the_papers(kind: str) -> None:
    parameters, optimizer = drawn(kind)
    expected = [parameter.detach().double().numpy().copy() for parameter in parameters]
    first, second = ([np.zeros_like(value) for value in expected] for _ in range(2))
    for step, rate in enumerate(RATES):
        gradients(parameters, step)
        for place in range(3):
            grad, value = parameters[place].grad, expected[place]
            assert grad is not None
            slope, decay = grad.double().numpy(), DECAY if place < 2 else 0.0
            if kind == "adam":
                value *= 1 - rate * decay
                first[place] = BETAS[0] * first[place] + (1 - BETAS[0]) * slope
                second[place] = BETAS[1] * second[place] + (1 - BETAS[1]) * slope**2
                mean, square = (
                    m[place] / (1 - beta ** (step + 1)) for m, beta in zip((first, second), BETAS, strict=True)
                )
                value -= rate * mean / (np.sqrt(square) + EPSILON)
            else:
                slope = slope + decay * value
                first[place] = slope if step == 0 else MOMENTUM * first[place] + slope
                value -= rate * (slope + MOMENTUM * first[place])
        optimizer.step(rate)
        optimizer.zero_grad()
        assert all(parameter.grad is None for parameter in parameters)
    for parameter, value in zip(parameters, expected, strict=True):
        np.testing.assert_allclose(parameter.detach().numpy(), value, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("kind", ["adam", "sgd"])
def test_a_stored_state_goes_on_as_if_nothing_had_happened(kind: str) -> None:
    whole, optimizer = drawn(kind)
    again, other = drawn(kind)
    for step, rate in enumerate(RATES):
        gradients(whole, step)
        optimizer.step(rate)
        if step == 0:
            stored = copy.deepcopy(optimizer.state_dict())
            other.load_state_dict(stored)
            with torch.no_grad():
                for target, source in zip(again, whole, strict=True):
                    target.copy_(source)
        else:
            gradients(again, step)
            other.step(rate)
    assert all(torch.equal(left, right) for left, right in zip(whole, again, strict=True))
