"""Latency of networks that no fit has seen: ``python benchmarks/drawn_networks.py [--networks 5] [PRECISION ..]``.

Draws networks of every family, on pictures and on series, of any width, depth, kernel, stem and input size; emits each,
counts its instructions on RV32IMC under emulation, and compares them with what the table of ``hardware_catalog`` makes
of its layers. With ``--executions`` each is also computed in bands and, half by half, as two cores do, where it can be.
It needs what ``python -m tinysearch calibrate`` needs. The last line is JSON: max_abs_relative_error,
mean_abs_relative_error, median_abs_relative_error, by_precision with the largest and the median of each, by_kernel with
the worst layer and the median, and networks.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from statistics import mean, median

from tinysearch.analytic.kernels import every_call
from tinysearch.analytic.latency import FEATURES
from tinysearch.app.building.wiring import build_models
from tinysearch.app.calibration.counting import count_drawn
from tinysearch.app.calibration.drawn_networks import FIT_SEED, drawn_branches
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.catalog.tables import load_instructions
from tinysearch.core.errors import UserError
from tinysearch.core.execution import PLAIN, Execution
from tinysearch.core.program import Program
from tinysearch.core.quantization import PRECISIONS
from tinysearch.operators.conv import GENERAL_CLASSES

TABLE = Path(__file__).parents[1] / "hardware_catalog" / "latency" / "default.yaml"
EXECUTIONS = (PLAIN, Execution(bands=True), Execution(cores=2))


@cache
def instructions(arithmetic: str) -> Mapping[str, Sequence[float]]:
    """Coefficients of the catalogue by kernel class."""
    return load_instructions(TABLE, arithmetic)


def predicted(arithmetic: str, kernel: str, features: Mapping[str, float]) -> float:
    """Instructions of one call by the catalogue."""
    rows = instructions(arithmetic)
    while kernel not in rows:
        kernel = GENERAL_CLASSES[kernel]
    return sum(weight * features.get(name, 0.0) for weight, name in zip(rows[kernel], FEATURES, strict=True))


def whole(program: Program) -> float:
    """Instructions of a network by the catalogue, however it is executed."""
    return sum(count * predicted(*call.entry, call.features) for _, call, count in every_call(program))


def spread(errors: Iterable[float]) -> dict[str, float]:
    """The largest error and the median."""
    sizes = [abs(error) for error in errors]
    return {"max": round(max(sizes), 4), "median": round(median(sizes), 4)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--networks", type=int, default=5, help="of each precision and family; every fifth is on a series"
    )
    parser.add_argument("--seed", type=int, default=FIT_SEED + 1, help=f"not {FIT_SEED}, to which the table is fitted")
    parser.add_argument("--executions", action="store_true", help="in bands and on two cores, too")
    parser.add_argument("precisions", nargs="*", default=[name for name in PRECISIONS if name != "float32"])
    asked = parser.parse_args()
    config = plain(compose_config(["trainer=none"]))
    models = build_models(config)
    networks: dict[str, list[float]] = defaultdict(list)
    layers: dict[str, list[float]] = defaultdict(list)
    for precision in asked.precisions:
        for branch in drawn_branches(asked.seed, precision, networks=asked.networks):
            for execution in EXECUTIONS if asked.executions else (PLAIN,):
                try:
                    (network,) = count_drawn(config, models, [branch], execution=execution)
                except UserError:
                    continue  # nothing to share, or to compute in bands
                counted = sum(network.counts.values())
                error = whole(network.program) / counted - 1
                networks[precision].append(error)
                for layer in network.observations if execution == PLAIN else ():
                    expected = predicted(layer.arithmetic, layer.kernel, layer.features)
                    layers[f"{layer.arithmetic} {layer.kernel}"].append(expected / layer.cycles - 1)
                how = f"{branch.key} {' '.join(map(str, execution.to_dict().values()))}"
                print(f"{how:64} {counted:>12,} instructions, off by {error:+.2%}", flush=True)
    every = [error for own in networks.values() for error in own]
    sizes = [abs(error) for error in every]
    last = {
        "max_abs_relative_error": max(sizes),
        "mean_abs_relative_error": mean(sizes),
        "median_abs_relative_error": median(sizes),
        "by_precision": {precision: spread(own) for precision, own in networks.items()},
        "by_kernel": {kernel: spread(own) for kernel, own in sorted(layers.items())},
        "networks": len(every),
    }
    print(json.dumps(last))


if __name__ == "__main__":
    main()
