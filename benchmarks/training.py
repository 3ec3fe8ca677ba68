"""Images a second of quantization-aware training against float training of the same network, and against Brevitas.

One thread, one process; the contenders take turns and each is judged by its fastest steps in CPU time, so that other
programs on the machine disturb the ratios little. A step is what the trainer does: forward, loss, backward, clipping
and optimizer. Last line: JSON with ``int8_over_float``, ``xnor_over_float`` (the slowest of the four XNOR precisions),
``int8_over_brevitas`` (null where Brevitas is not installed).
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import time
from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor, nn

from tinysearch.architectures.resnet import resnet
from tinysearch.core.network import INPUT
from tinysearch.core.program import Operator, Program, Step, lower
from tinysearch.core.quantization import Precision
from tinysearch.training.folding import fold
from tinysearch.training.losses import IdentityHead
from tinysearch.training.network import FloatNetwork
from tinysearch.training.optimizers import Optimizer
from tinysearch.training.quantized import Int8Network, XnorNetwork
from tinysearch.training.quantized_program import flatten_nhwc
from tinysearch.training.settings import TrainingSettings

XNOR = ("xnor1/1", "xnor2/1", "xnor3/1", "xnor2/2")
IDENTITIES = 120


def brevitas_network(program: Program, start: FloatNetwork) -> nn.Module:
    """The same int8 job in Brevitas: folded weights a channel, unsigned activations after ReLU, signed elsewhere."""
    import brevitas.nn as qnn
    from brevitas.quant import Int8ActPerTensorFloat, Int8WeightPerChannelFloat, Uint8ActPerTensorFloat

    folded = fold(program, start.units)

    class BrevitasNetwork(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers, self.after = nn.ModuleDict(), nn.ModuleDict()
            for step in program.steps:
                if step.name in folded:
                    self.layers[step.name] = self._layer(step)
                if step.operator not in (Operator.AVERAGE, Operator.MAX_POOL):
                    unsigned = {"act_quant": Uint8ActPerTensorFloat, "collect_stats_steps": 2}
                    signed = {"act_quant": Int8ActPerTensorFloat, "collect_stats_steps": 2}
                    self.after[step.name] = qnn.QuantReLU(**unsigned) if step.relu else qnn.QuantIdentity(**signed)

        def _layer(self, step: Step) -> nn.Module:
            real = folded[step.name]
            options = {"bias": True, "weight_quant": Int8WeightPerChannelFloat}
            if step.operator == Operator.FULLY_CONNECTED:
                layer = qnn.QuantLinear(real.weight.shape[1], real.weight.shape[0], **options)
            else:
                groups = real.weight.shape[0] if step.operator != Operator.CONV else 1
                layer = qnn.QuantConv2d(
                    real.weight.shape[1] * groups,
                    real.weight.shape[0],
                    step.kernel,
                    stride=step.stride,
                    padding=step.padding,
                    groups=groups,
                    **options,
                )
            layer.weight.data.copy_(real.folded_weight)
            layer.bias.data.copy_(real.shift)
            return layer.to(memory_format=torch.channels_last)

        def forward(self, inputs: Tensor) -> Tensor:
            values = {INPUT: inputs}
            for step in program.steps:
                values[step.output] = self._step(step, values)
            return flatten_nhwc(values[program.output.name])

        def _step(self, step: Step, values: Mapping[str, Tensor]) -> Tensor:
            value = values[step.inputs[0]]
            match step.operator:
                case Operator.ADD:
                    value = value + values[step.inputs[1]]
                case Operator.AVERAGE:
                    return value.mean((2, 3), keepdim=True)
                case Operator.FULLY_CONNECTED:
                    value = self.layers[step.name](flatten_nhwc(value))[:, :, None, None]
                case _:
                    value = self.layers[step.name](value)
                    value = nn.functional.max_pool2d(value, step.pool) if step.pool > 1 else value
            return self.after[step.name](value)

    return BrevitasNetwork()


def stepper(model: nn.Module, inputs: Tensor, labels: Tensor, embedding: int) -> Callable[[], None]:
    """One training step as the trainer makes it."""
    settings = TrainingSettings()
    head = IdentityHead(
        loss=settings.loss,
        embedding=embedding,
        identities=IDENTITIES,
        margin=settings.margin,
        temperature=settings.temperature,
        smoothing=settings.smoothing,
    )
    parameters = [*model.parameters(), *head.parameters()]
    optimizer = Optimizer("adam", [(parameters, 0.01)])
    model.train()

    def step() -> None:
        loss = head(model(inputs), labels)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, settings.gradient_clip)
        optimizer.step(1e-4)

    return step


def contenders(
    *, blocks: tuple[int, ...], width: int, input_size: int, batch_size: int
) -> dict[str, Callable[[], None]]:
    torch.manual_seed(0)
    network = resnet(blocks=blocks, width=width, input_size=input_size, channels=3, embedding=64)
    rng = np.random.default_rng(0)
    values = rng.normal(0, 0.4, (batch_size, input_size, input_size, 3)).clip(-1, 1).astype(np.float32)
    inputs = torch.from_numpy(values).permute(0, 3, 1, 2)
    labels = torch.from_numpy(rng.integers(0, IDENTITIES, batch_size))
    start = FloatNetwork(network)
    start.train()(inputs)
    start.eval()
    int8 = lower(network, Precision.parse("int8"))
    models: dict[str, nn.Module] = {"int8": Int8Network(int8, start, [inputs])}
    for precision in XNOR:
        models[precision] = XnorNetwork(lower(network, Precision.parse(precision)), start, [inputs])
    if importlib.util.find_spec("brevitas"):
        models["brevitas int8"] = brevitas_network(int8, start)
    models["float32"] = start
    return {name: stepper(model, inputs, labels, network.embedding) for name, model in models.items()}


def fastest(steps: Mapping[str, Callable[[], None]], *, rounds: int) -> dict[str, float]:
    """CPU seconds of a step: the mean of the fastest quarter of the rounds."""
    times: dict[str, list[float]] = {name: [] for name in steps}
    for step in steps.values():
        for _ in range(4):
            step()
    for _ in range(rounds):
        for name, step in steps.items():
            start = time.process_time()
            step()
            times[name].append(time.process_time() - start)
    return {name: float(np.mean(sorted(values)[: max(1, rounds // 4)])) for name, values in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blocks", default="2,2", help="layout, for example 2,2")
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--input-size", type=int, default=64)
    parser.add_argument("--batch-size", type=int, default=TrainingSettings().batch_size)
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    torch.set_num_threads(1)
    blocks = tuple(map(int, options.blocks.split(",")))
    steps = contenders(blocks=blocks, width=options.width, input_size=options.input_size, batch_size=options.batch_size)
    seconds = fastest(steps, rounds=options.rounds)
    rates = {name: options.batch_size / value for name, value in seconds.items()}
    print(f"{list(blocks)} width {options.width}, {options.input_size}x{options.input_size}x3, one thread")
    for name, rate in sorted(rates.items(), key=lambda pair: -pair[1]):
        print(f"{name:>14}  {rate:8.0f} images/s  {rate / rates['float32']:5.2f} of float32")
    against = rates["int8"] / rates["brevitas int8"] if "brevitas int8" in rates else None
    if against is None:
        print("int8_over_brevitas is null: Brevitas is not installed (pip install brevitas)")
    ratios = {
        "int8_over_float": rates["int8"] / rates["float32"],
        "xnor_over_float": min(rates[name] for name in XNOR) / rates["float32"],
        "int8_over_brevitas": against,
    }
    print(json.dumps({key: None if value is None else round(value, 3) for key, value in ratios.items()}))


if __name__ == "__main__":
    main()
