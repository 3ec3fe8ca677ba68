"""int8 kernels: the convolutions of the paper's networks and the rest of a residual block."""

from __future__ import annotations

import numpy as np
from random_networks import program_of, random_inputs, randomized, step_cases

from kernel_cases import Row
from tinysearch.core.network import INPUT, Addition, Convolution, GlobalAveragePool, Linear, MaxPool, Unit


def rows(rng: np.random.Generator) -> list[Row]:
    """Rows of the table."""
    return [
        _convolution(rng, "int8_conv3x3_64_64", 64, 64, 3, side=16, target=2.9, peers="ESP-NN 6.05, CMSIS-NN C 4.5"),
        _convolution(rng, None, 64, 64, 3, side=16, relu=True),
        _convolution(rng, "int8_conv7x7_3_16", 3, 16, 7, side=30, target=3.4, peers="ESP-NN 13.5"),
        _convolution(rng, "int8_conv7x7_3_64", 3, 64, 7, side=30, target=3.1, peers="ESP-NN 13.5, CMSIS-NN 4.8"),
        _convolution(rng, None, 3, 64, 7, side=30, pool=4, relu=True),
        _convolution(rng, None, 3, 16, 7, side=30, pool=4, relu=True, precision="xnor1/1"),
        _convolution(rng, None, 3, 64, 7, side=30, pool=4, relu=True, precision="xnor1/1"),
        _convolution(rng, None, 3, 64, 7, side=30, pool=4, relu=True, precision="xnor2/2"),
        _convolution(rng, "int8_conv1x1_64_64", 64, 64, 1, side=16, target=3.3, peers="ESP-NN 7.1, CMSIS-NN 4.8"),
        _convolution(rng, None, 64, 128, 3, side=16, stride=2),
        _convolution(rng, None, 17, 33, 3, side=15),
        _row(
            rng,
            Linear(name="x", input=INPUT, out_features=512),
            (1, 1, 512),
            key="int8_fc_512_512",
            label="fully connected 512x512",
            unit="MAC",
            divisor=512 * 512,
            target=3.4,
            peers="ESP-NN 9.1",
        ),
        _row(
            rng,
            Convolution(name="x", input=INPUT, out_channels=64, kernel=3, padding=1, depthwise=True, relu=False),
            (16, 16, 64),
            key="int8_dw3x3_64",
            label="depthwise 3x3 64",
            unit="MAC",
            divisor=16 * 16 * 64 * 9,
            target=5.5,
            peers="ESP-NN 12.9, CMSIS-NN 16.5",
        ),
        _row(
            rng,
            Convolution(name="x", input=INPUT, out_channels=64, kernel=3, padding=1, depthwise=True),
            (16, 16, 64),
            key="int8_dw3x3_64_relu",
            label="depthwise 3x3 64, ReLU",
            unit="MAC",
            divisor=16 * 16 * 64 * 9,
            target=4.2,
            peers="ESP-NN 12.9, CMSIS-NN 16.5",
        ),
        _row(
            rng,
            Convolution(name="x", input=INPUT, out_channels=64, kernel=3, stride=2, padding=1, depthwise=True),
            (16, 16, 64),
            key=None,
            label="depthwise 3x3 64, stride 2, ReLU",
            unit="MAC",
            divisor=8 * 8 * 64 * 9,
        ),
        _row(
            rng,
            Convolution(name="x", input=INPUT, out_channels=64, kernel=1, depthwise=True, relu=False),
            (16, 16, 64),
            key=None,
            label="scale 64",
            unit="element",
            divisor=16 * 16 * 64,
        ),
        _row(
            rng,
            Addition(name="x", left=INPUT, right=INPUT, relu=False),
            (16, 16, 64),
            key="int8_add",
            label="residual add",
            unit="element",
            divisor=16 * 16 * 64,
            target=32,
            peers="ESP-NN 98",
        ),
        _row(
            rng,
            MaxPool(name="x", input=INPUT, pool=2),
            (16, 16, 64),
            key="max_pool2x2",
            label="max pool 2x2",
            unit="output",
            divisor=8 * 8 * 64,
            target=17,
            peers="ESP-NN 73",
        ),
        _row(
            rng,
            GlobalAveragePool(name="x", input=INPUT),
            (7, 7, 64),
            key=None,
            label="global average 7x7",
            unit="input",
            divisor=7 * 7 * 64,
        ),
    ]


def _convolution(
    rng: np.random.Generator,
    key: str | None,
    inputs: int,
    outputs: int,
    kernel: int,
    *,
    side: int,
    stride: int = 1,
    pool: int = 1,
    relu: bool = False,
    target: float | None = None,
    peers: str = "",
    precision: str = "int8",
) -> Row:
    """A convolution of a square input; 3x3 keeps its sides, 7x7 does not, as in the paper's networks."""
    unit = Convolution(
        name="x",
        input=INPUT,
        out_channels=outputs,
        kernel=kernel,
        stride=stride,
        padding=1 if kernel == 3 else 0,
        pool=pool,
        relu=relu,
    )
    options = [f"stride {stride}"] * (stride > 1) + [f"pool {pool}"] * (pool > 1) + ["ReLU"] * relu
    kind = "conv" if precision == "int8" else f"conv, weights of {precision[-1]} bit"
    return _row(
        rng,
        unit,
        (side, side, inputs),
        key=key,
        label=", ".join([f"{kind} {kernel}x{kernel} {inputs}->{outputs}", *options]),
        unit="MAC",
        divisor=None,
        target=target,
        peers=peers,
        precision=precision,
    )


def _row(
    rng: np.random.Generator,
    network: Unit,
    shape: tuple[int, int, int],
    *,
    key: str | None,
    label: str,
    unit: str,
    divisor: int | None,
    target: float | None = None,
    peers: str = "",
    precision: str = "int8",
) -> Row:
    program = program_of(network, input_shape=shape, precision=precision)
    step = step_cases(randomized(program, rng, extremes=False), random_inputs(program, 1, rng))[0]
    return Row(
        key=key,
        label=label,
        unit=unit,
        divisor=divisor or program.steps[0].macs,
        target=target,
        peers=peers,
        case=step.case,
        expected=step.expected,
    )
