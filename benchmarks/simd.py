"""Instructions of the vector kernels of ESP32-S3 and ESP32-P4, counted by a model of them; every output is checked.

Run ``python benchmarks/simd.py [--esp-nn PATH]``, or ``--shapes 1000`` for random layers alone; with ``--chip esp32p4``
for the other unit, which has no targets and stands beside no ESP-NN. It needs gcc; the
portable kernels beside them are counted on RV32IMC where its compiler and emulator are installed, as in
``benchmarks/kernels.py``, else null. PATH is a copy of ESP-NN's source, whose assembly is run through the same model.
Nothing here was run on a chip or in an emulator of one. The last line on stdout is one JSON object: by chip and kernel
``instructions_per_mac`` and ``over_portable``, and whole networks by name and precision (:mod:`simd_networks`).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "tests" / "firmware"), str(Path(__file__).resolve().parent)]

import ckernels  # noqa: E402
from binary_layers import weighted  # noqa: E402
from esp_nn_kernels import AssemblyOfEspNn  # noqa: E402
from pie_cases import KERNELS, PIE, XESPV, Layer, layer_of, of_binary, run_everywhere  # noqa: E402
from simd_networks import table as network_table  # noqa: E402

from tinysearch.core.network import INPUT, Addition, Convolution, Linear  # noqa: E402
from tinysearch.firmware import packing  # noqa: E402

SEED = 0
CHIPS = {"esp32s3": PIE, "esp32p4": XESPV}
BINARY = {(1, 1): 0.055, (2, 1): 0.10, (3, 1): 0.15, (2, 2): 0.20}
"""Largest instructions a MAC by precision, 3x3 64->64."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One kernel at one shape.

    Attributes:
        macs: multiply-accumulates, of an addition elements.
        target: instructions a MAC to stay at or below on the ESP32-S3, or None.
    """

    key: str
    label: str
    layer: Layer
    macs: int
    target: float | None


def rows(rng: np.random.Generator) -> Iterator[Row]:
    """Rows of the table."""
    yield _convolution(rng, "int8_conv3x3_64_64", 64, 64, 3, side=16, padding=1, target=0.16)
    yield _convolution(rng, "int8_conv3x3_64_64_14x14", 64, 64, 3, side=14, padding=1, target=0.16)
    yield _convolution(rng, "int8_conv1x1_64_64", 64, 64, 1, side=16, target=0.20)
    yield _convolution(rng, "int8_conv7x7_3_16", 3, 16, 7, side=30, target=0.45)
    yield _convolution(rng, "int8_conv3x3_s2_3_16", 3, 16, 3, side=32, stride=2, padding=1, target=0.45)
    yield _convolution(rng, "int8_conv7x7_3_64_pool4", 3, 64, 7, side=30, pool=4)
    yield _convolution(rng, "int8_conv3x3_17_33", 17, 33, 3, side=15, padding=1)
    unit = Linear(name="x", input=INPUT, out_features=512)
    layer = layer_of(unit, shape=(1, 1, 512), rng=rng, extremes=False)
    yield Row(key="int8_fc_512_512", label="fully connected 512x512", layer=layer, macs=512 * 512, target=0.20)
    for stride, target in ((1, 0.8), (2, None)):
        unit = Convolution(
            name="x",
            input=INPUT,
            out_channels=64,
            kernel=3,
            stride=stride,
            padding=1,
            depthwise=True,
            relu=False,
        )
        layer = layer_of(unit, shape=(16, 16, 64), rng=rng, extremes=False)
        suffix = "_s2" * (stride == 2)
        label = f"int8 depthwise 3x3 64, 16x16{', stride 2' * (stride == 2)}"
        yield Row(key=f"int8_dw3x3{suffix}_64", label=label, layer=layer, macs=layer.step.macs, target=target)
    for side, suffix in ((16, ""), (14, "_14x14")):
        for bits, target in BINARY.items():
            layer = of_binary(weighted(rng, shape=(side, side, 64), out_channels=64, bits=bits))
            yield Row(
                key=f"xnor{bits[0]}{bits[1]}_conv3x3_64_64{suffix}",
                label=f"XNOR {bits[0]}/{bits[1]} conv 3x3 64->64, {side}x{side}",
                layer=layer,
                macs=side * side * 64 * 64 * 9,
                target=target,
            )
    first = Convolution(name="a", input=INPUT, out_channels=64, kernel=1, relu=False)
    layer = layer_of(first, Addition(name="x", left=INPUT, right="a"), shape=(16, 16, 64), rng=rng, extremes=False)
    yield Row(key="int8_add", label="int8 addition, an element", layer=layer, macs=16 * 16 * 64, target=None)
    layer = of_binary(weighted(rng, shape=(16, 16, 64), out_channels=64, bits=(1, 1), to_bits=False))
    macs = 16 * 16 * 64 * 64 * 9
    yield Row(key="xnor11_conv3x3_64_64_to_int8", label="XNOR 1/1 to int8", layer=layer, macs=macs, target=None)


def _convolution(
    rng: np.random.Generator,
    key: str,
    inputs: int,
    outputs: int,
    kernel: int,
    *,
    side: int,
    stride: int = 1,
    padding: int = 0,
    pool: int = 1,
    target: float | None = None,
) -> Row:
    unit = Convolution(
        name="x",
        input=INPUT,
        out_channels=outputs,
        kernel=kernel,
        stride=stride,
        padding=padding,
        pool=pool,
        relu=False,
    )
    layer = layer_of(unit, shape=(side, side, inputs), rng=rng, extremes=False)
    options = f", stride {stride}" * (stride > 1) + f", pool {pool}" * (pool > 1)
    label = f"int8 conv {kernel}x{kernel} {inputs}->{outputs}, {side}x{side}{options}"
    return Row(key=key, label=label, layer=layer, macs=layer.step.macs, target=target)


def portable_instructions(layers: list[Layer]) -> list[int] | None:
    """Of the portable kernels on RV32IMC; None without the tools."""
    if not ckernels.have_emulator():
        return None
    cases = [
        ckernels.Case(
            packed=packing.pack(layer.frozen, layer.step),
            inputs=tuple(source[None] for source in layer.sources),
            output_bytes=layer.expected.nbytes,
        )
        for layer in layers
    ]
    return [outcome.instructions for outcome in ckernels.run_rv32(cases)]


def compare_shapes(count: int, chip: str) -> None:
    """Random layers of every kernel, apart and in place where they may be, against the oracle; prints how many.

    Raises:
        AssertionError: another output than the oracle's.
    """
    compared = {}
    for name, make in KERNELS.items():
        places = [run_everywhere(make(rng), rng, CHIPS[chip]) for rng in map(np.random.default_rng, range(count))]
        compared[name] = {"layers": sum(place > 0 for place in places), "in_place": places.count(2)}
        print(
            f"{name:24} {compared[name]['layers']} layers equal, {compared[name]['in_place']} in place, too", flush=True
        )
    print(json.dumps({chip: compared}))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--esp-nn", type=Path, help="a copy of ESP-NN's source")
    parser.add_argument(
        "--shapes", type=int, default=0, help="only compare so many random layers of each kernel with the oracle"
    )
    parser.add_argument("--no-networks", action="store_true", help="leave whole networks out, which take minutes")
    parser.add_argument("--chip", choices=CHIPS, default="esp32s3", help="whose vector unit")
    options = parser.parse_args()
    if options.shapes:
        compare_shapes(options.shapes, options.chip)
        return 0
    assembly = CHIPS[options.chip]
    peers = None if options.esp_nn is None or assembly is not PIE else AssemblyOfEspNn(options.esp_nn)
    table = list(rows(np.random.default_rng(SEED)))
    counted = [row.layer.run(assembly).instructions for row in table]
    portable = portable_instructions([row.layer for row in table])
    beside = {row.key: peers.count(row.layer) for row in table} if peers is not None else {}
    theirs = {key: count for key, count in beside.items() if count is not None}
    found: dict[str, dict[str, float | None]] = {}
    print(f"{'kernel':44} {'a MAC':>8} {'target':>7} {'portable / ours':>16} {'ESP-NN':>8}")
    for index, (row, count) in enumerate(zip(table, counted, strict=True)):
        ratio = portable[index] / count if portable is not None else None
        late = " MISSED" if assembly is PIE and row.target is not None and count / row.macs > row.target else ""
        peer = f"{theirs[row.key] / row.macs:.3f}" if row.key in theirs else ""
        target = "" if row.target is None or assembly is not PIE else f"{row.target:g}"
        against = "not counted" if ratio is None else f"{ratio:.1f}"
        print(f"{row.label:44} {count / row.macs:8.4f} {target:>7} {against:>16} {peer:>8}{late}")
        found[row.key] = {
            "instructions_per_mac": round(count / row.macs, 4),
            "over_portable": None if ratio is None else round(1 / ratio, 4),
        }
        if row.key in theirs:
            found[row.key]["esp_nn_instructions_per_mac"] = round(theirs[row.key] / row.macs, 4)
    networks = None if options.no_networks else network_table(assembly, peers)
    print("not run on a chip or emulator here: a model of the instructions, cycles and memory not counted")
    print(json.dumps({options.chip: found} if networks is None else {options.chip: found, "networks": networks}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
