"""AdamW and SGD over torch's own update functions, without what :class:`torch.optim.Optimizer` loads.

The first optimizer of a process loads torch's compiler (1.1 s of CPU), which no step here needs, and its hooks cost
more than the update of a small network. Weights, moments and the saved state are those of torch's classes, to the bit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim.adamw import adamw
from torch.optim.sgd import sgd

BETAS = (0.9, 0.999)
EPSILON = 1e-8
MOMENTUM = 0.9


class Optimizer:
    """Updates groups of parameters, each with its own weight decay, by one learning rate.

    Args:
        kind: ``adam`` (AdamW, fused) or ``sgd`` (Nesterov momentum 0.9, plain weight decay).
        groups: parameters and their weight decay. One without a gradient (a bias that a loss does not use) stays.
    """

    def __init__(self, kind: str, groups: Iterable[tuple[Sequence[Tensor], float]]) -> None:
        self.kind = kind
        self._groups = [(list(parameters), decay) for parameters, decay in groups]
        self._state: dict[int, dict[str, Tensor]] = {}

    @property
    def parameters(self) -> list[Tensor]:
        """All of them, group by group."""
        return [parameter for parameters, _ in self._groups for parameter in parameters]

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for parameter in self.parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Update every parameter by its gradient with a learning rate."""
        first = 0
        for parameters, decay in self._groups:
            used = [(first + i, value) for i, value in enumerate(parameters) if value.grad is not None]
            first += len(parameters)
            for index, value in used:
                if index not in self._state:
                    self._state[index] = self._begun(value)
            state = [self._state[index] for index, _ in used]
            update = _adam if self.kind == "adam" else _sgd
            update([value for _, value in used], state, rate=rate, decay=decay)

    def _begun(self, parameter: Tensor) -> dict[str, Tensor]:
        """State of a parameter before its first step."""
        if self.kind == "sgd":
            return {}
        return {
            "step": torch.zeros((), dtype=torch.float32, device=parameter.device),
            "exp_avg": torch.zeros_like(parameter, memory_format=torch.preserve_format),
            "exp_avg_sq": torch.zeros_like(parameter, memory_format=torch.preserve_format),
        }

    def state_dict(self) -> dict[str, Any]:
        """What a resumed training goes on from, by the names that torch's optimizers use."""
        return {"state": {index: dict(state) for index, state in self._state.items()}}

    def load_state_dict(self, stored: Mapping[str, Any]) -> None:
        """Go on from a state, also from that of torch's own optimizer."""
        parameters = self.parameters
        self._state = {
            index: {name: value.to(parameters[index].device) for name, value in state.items()}
            for index, state in stored["state"].items()
        }


State = list[dict[str, Tensor]]


def _adam(parameters: list[Tensor], state: State, *, rate: float, decay: float) -> None:
    adamw(
        parameters,
        [_gradient(value) for value in parameters],
        [each["exp_avg"] for each in state],
        [each["exp_avg_sq"] for each in state],
        [],
        [each["step"] for each in state],
        fused=True,
        amsgrad=False,
        beta1=BETAS[0],
        beta2=BETAS[1],
        lr=rate,
        weight_decay=decay,
        eps=EPSILON,
        maximize=False,
    )


def _sgd(parameters: list[Tensor], state: State, *, rate: float, decay: float) -> None:
    momenta = [each.get("momentum_buffer") for each in state]
    sgd(
        parameters,
        [_gradient(value) for value in parameters],
        momenta,
        weight_decay=decay,
        momentum=MOMENTUM,
        lr=rate,
        dampening=0.0,
        nesterov=True,
        maximize=False,
    )
    for each, momentum in zip(state, momenta, strict=True):
        assert momentum is not None  # noqa: S101 - sgd made it
        each["momentum_buffer"] = momentum


def _gradient(parameter: Tensor) -> Tensor:
    assert parameter.grad is not None  # noqa: S101 - only such are updated
    return parameter.grad
