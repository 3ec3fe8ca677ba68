"""XNOR A/B kernels on random activations of half density: the convolutions of the paper's networks, and what they feed.

A kernel's time follows the density of its activations. The border of a padded map is level 0 and costs nothing, so one
row a precision has no padding: that is the cost of a pixel inside.
"""

from __future__ import annotations

import numpy as np
from binary_layers import Layer, packing, weighted

from kernel_cases import Row

_SIDE = 16
_TARGETS = {(1, 1): 0.22, (2, 1): 0.42, (3, 1): 0.60, (2, 2): 0.75, (1, 2): None, (3, 2): None}
_PEERS = "3PXNet 0.88 (1.00 with batch norm)"


def rows(rng: np.random.Generator) -> list[Row]:
    """Rows of the table."""
    table = []
    for bits, target in [
        ((1, 1), 0.22),
        ((2, 1), 0.42),
        ((3, 1), 0.60),
        ((2, 2), 0.75),
        ((1, 2), None),
        ((3, 2), None),
    ]:
        name = f"xnor{bits[0]}{bits[1]}_conv3x3_64_64"
        peers = _PEERS if bits == (1, 1) else ""
        table += [
            _convolution(rng, bits, 64, 64, key=name if target else None, target=target, peers=peers),
            _convolution(rng, bits, 64, 64, padding=0),
            _convolution(rng, bits, 64, 64, to_bits=False),
        ]
    return [
        *table,
        _fully_connected(rng, "xnor_fc_512_512", to_bits=True, target=0.20, peers="3PXNet 0.75-0.85"),
        _fully_connected(rng, None, to_bits=False, target=0.20),
        _convolution(rng, (1, 1), 64, 128, stride=2),
        _convolution(rng, (1, 1), 64, 128, stride=2, kernel=1, padding=0),
        _convolution(rng, (1, 1), 128, 128, side=8),
        _convolution(rng, (1, 1), 256, 256, side=4),
        _convolution(rng, (1, 1), 512, 512, side=4),
        _convolution(rng, (1, 1), 16, 16),
        _convolution(rng, (1, 1), 24, 24, to_bits=False),
        *(_pack(rng, bits) for bits in (1, 2, 3)),
    ]


def _row(
    layer: Layer, label: str, *, key: str | None, unit: str, divisor: int, target: float | None, peers: str
) -> Row:
    return Row(
        key=key,
        label=label,
        unit=unit,
        divisor=divisor,
        target=target,
        peers=peers,
        case=layer.case(),
        expected=layer.expected,
    )


def _convolution(
    rng: np.random.Generator,
    bits: tuple[int, int],
    inputs: int,
    outputs: int,
    *,
    kernel: int = 3,
    stride: int = 1,
    padding: int = 1,
    side: int = _SIDE,
    to_bits: bool = True,
    key: str | None = None,
    target: float | None = None,
    peers: str = "",
) -> Row:
    layer = weighted(
        rng,
        shape=(side, side, inputs),
        out_channels=outputs,
        bits=bits,
        kernel=kernel,
        stride=stride,
        padding=padding,
        to_bits=to_bits,
    )
    pixels = ((side + 2 * padding - kernel) // stride + 1) ** 2
    options = [f"stride {stride}"] * (stride > 1) + ["no padding"] * (kernel > 1 and padding == 0)
    options += [] if to_bits else ["to int8"]
    label = ", ".join([f"xnor{bits[0]}/{bits[1]} conv {kernel}x{kernel} {inputs}->{outputs}", *options])
    divisor = pixels * outputs * inputs * kernel**2
    return _row(layer, label, key=key, unit="MAC", divisor=divisor, target=target, peers=peers)


def _fully_connected(
    rng: np.random.Generator, key: str | None, *, to_bits: bool, target: float | None = None, peers: str = ""
) -> Row:
    layer = weighted(rng, shape=(1, 1, 512), out_channels=512, bits=(1, 1), kernel=None, padding=0, to_bits=to_bits)
    label = "xnor1/1 fully connected 512x512" + ("" if to_bits else ", to int8")
    return _row(layer, label, key=key, unit="MAC", divisor=512 * 512, target=target, peers=peers)


def _pack(rng: np.random.Generator, bits: int) -> Row:
    layer = packing(rng, shape=(_SIDE, _SIDE, 64), a=bits)
    label = f"pack int8 to {bits} bit planes"
    return _row(layer, label, key=None, unit="element", divisor=_SIDE**2 * 64, target=None, peers="")
