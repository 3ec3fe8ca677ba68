"""Latency of networks that no fit has seen: ``python benchmarks/drawn_networks.py [--networks 5] [PRECISION ..]``.

Draws networks of every family, on pictures and on series, of any width, depth, kernel, stem and input size; emits each,
counts its instructions on RV32IMC under emulation, and compares them with what the table of ``hardware_catalog`` makes
of its layers. It needs what ``python -m tinysearch calibrate`` needs. The last line is JSON: max_abs_relative_error,
mean_abs_relative_error, by_precision with the largest of each, and networks.
"""

from __future__ import annotations

import argparse
import json
from functools import cache
from pathlib import Path

import numpy as np

from tinysearch.analytic.calibration import Observation
from tinysearch.analytic.latency import FEATURES
from tinysearch.app.building.wiring import build_models
from tinysearch.app.calibration.counting import count_networks
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.architectures.inverted import Inverted
from tinysearch.architectures.plain import Plain
from tinysearch.architectures.resnet import Resnet
from tinysearch.architectures.separable import Separable
from tinysearch.catalog.tables import load_instructions
from tinysearch.core.candidate import Architecture, BranchSpec
from tinysearch.core.network import Shape
from tinysearch.core.quantization import PRECISIONS, Precision
from tinysearch.operators.conv import GENERAL_CLASSES

TABLE = Path(__file__).parents[1] / "hardware_catalog" / "latency" / "default.yaml"
SERIES = ("task=motions", "task.wrist.content=series", "task.wrist.input_size=100")
STEMS = ((7, 1, 4), (3, 2, 2), (5, 2, 2), (4, 4, 1))


def drawn(rng: np.random.Generator, precision: str, *, series: bool) -> BranchSpec:
    """One network; those on series take the same blocks along their samples."""
    blocks = tuple(int(count) for count in rng.integers(1, 3, rng.integers(2, 4)))
    width, embedding = int(rng.integers(5, 25)), int(rng.integers(16, 65))
    kernel = int(rng.choice([3, 5]))
    families: tuple[Architecture, ...] = (
        Resnet(blocks=blocks, width=width, embedding=embedding, stem=STEMS[rng.integers(len(STEMS))]),
        Separable(stages=blocks, width=width, kernel=kernel, embedding=embedding),
        Inverted(stages=blocks, width=width, expansion=int(rng.integers(1, 5)), kernel=kernel, embedding=embedding),
        Plain(stages=blocks, width=width, embedding=embedding),
    )
    side, channels = int(rng.integers(30, 57)), int(rng.choice([1, 3]))
    shape = Shape(height=100, width=1, channels=6) if series else Shape(height=side, width=side, channels=channels)
    architecture = families[rng.integers(len(families))]
    name = "wrist" if series else "face"
    return BranchSpec(modality=name, architecture=architecture, precision=Precision.parse(precision), shape=shape)


@cache
def instructions(arithmetic: str) -> dict[str, tuple[float, ...]]:
    """Coefficients of the catalogue by kernel class."""
    return load_instructions(TABLE, arithmetic)


def predicted(layer: Observation) -> float:
    """Instructions of one layer by the catalogue."""
    rows, kernel = instructions(layer.arithmetic), layer.kernel
    while kernel not in rows:
        kernel = GENERAL_CLASSES[kernel]
    return sum(weight * layer.features[name] for weight, name in zip(rows[kernel], FEATURES, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=5, help="of each precision; every third is on a series")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("precisions", nargs="*", default=[name for name in PRECISIONS if name != "float32"])
    asked = parser.parse_args()
    configs = [plain(compose_config(["trainer=none", *words])) for words in ((), SERIES)]
    models = [build_models(config) for config in configs]
    errors: dict[str, list[float]] = {}
    for precision in asked.precisions:
        rng = np.random.default_rng([asked.seed, *precision.encode()])
        series = [index % 3 == 2 for index in range(asked.networks)]
        branches = [drawn(rng, precision, series=of_series) for of_series in series]
        for of_series, branch in zip(series, branches, strict=True):
            (network,) = count_networks(configs[of_series], models[of_series], [branch])
            counted = sum(network.counts.values())
            error = sum(map(predicted, network.observations)) / counted - 1
            errors.setdefault(precision, []).append(abs(error))
            print(f"{network.branch.key:58} {counted:>12,} instructions, off by {error:+.2%}", flush=True)
    every = [error for own in errors.values() for error in own]
    last = {"max_abs_relative_error": max(every), "mean_abs_relative_error": sum(every) / len(every)}
    by_precision = {precision: max(own) for precision, own in errors.items()}
    print(json.dumps(last | {"by_precision": by_precision, "networks": len(every)}))


if __name__ == "__main__":
    main()
