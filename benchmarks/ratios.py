"""How many trainings our sampler takes to 99 % of the hypervolume, as a share of what others take, with intervals.

Reads the runs that ``benchmarks/search.py --runs FILE`` kept. Of every table a ratio of means over paired seeds (those
that both samplers have), and over the tables their geometric mean; intervals are 95 % bootstrap ones, seeds drawn anew
in pairs and within each table. A run that was given up counts as the trainings that it had made.

    python benchmarks/ratios.py runs.csv
    python benchmarks/ratios.py runs.csv --of "memoized, 4 workers" --to memoized

The last line is one JSON object: by sampler ``ratio``, ``interval`` and, by table, ``mean``, ``ours``, ``ratio``,
``interval``, ``seeds`` and ``given_up``.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from kept_runs import Run, read_runs

REPEATS = 10_000


def ratios(runs: Sequence[Run], *, of: str, to: str, rng: np.random.Generator) -> dict[str, Any]:
    """Trainings of one sampler over those of another, by world and in the geometric mean.

    Raises:
        ValueError: no world has runs of both.
    """
    by_world: dict[str, Any] = {}
    draws = []
    for world in dict.fromkeys(run.world for run in runs):
        ours, theirs = (
            {r.seed: r for r in runs if (r.world, r.sampler, r.mode) == (world, n, "memo")} for n in (of, to)
        )
        seeds = sorted(set(ours) & set(theirs))
        if not seeds:
            continue
        counts = np.array([[ours[s].counted, theirs[s].counted] for s in seeds])
        again = counts[rng.integers(len(seeds), size=(REPEATS, len(seeds)))].mean(axis=1)
        draws.append(np.log(again[:, 0] / again[:, 1]))
        own, other = counts.mean(axis=0)
        by_world[world] = {
            "ours": round(float(own), 2),
            "mean": round(float(other), 2),
            "ratio": round(float(own / other), 3),
            "interval": _interval(draws[-1]),
            "seeds": len(seeds),
            "given_up": sum(not np.isfinite(theirs[s].hv99) for s in seeds),
        }
    if not draws:
        raise ValueError(f"no table has runs of both {of} and {to}")
    geometric = float(np.exp(np.mean([np.log(found["ours"] / found["mean"]) for found in by_world.values()])))
    return {"ratio": round(geometric, 3), "interval": _interval(np.mean(draws, axis=0)), "tables": by_world}


def _interval(logs: np.ndarray) -> list[float]:
    return [round(float(x), 3) for x in np.exp(np.quantile(logs, (0.025, 0.975)))]


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="+", help="files of search.py --runs")
    parser.add_argument("--of", default="memoized", help="whose trainings are divided")
    parser.add_argument("--to", help="by whose; all others of the files")
    options = parser.parse_args(arguments)
    runs = [run for path in options.runs for run in read_runs(path)]
    others = [options.to] if options.to else [n for n in dict.fromkeys(run.sampler for run in runs) if n != options.of]
    found = {}
    print(f"{'to':28s} {'table':34s} seeds  given up     mean     ours  ratio  95 % interval")
    for name in others:
        of = found[name] = ratios(runs, of=options.of, to=name, rng=np.random.default_rng(0))
        for world, at in of["tables"].items():
            cells = f"{at['seeds']:5d} {at['given_up']:9d} {at['mean']:8.2f} {at['ours']:8.2f}"
            print(
                f"{name:28s} {world:34s} {cells} {at['ratio']:6.3f}  {at['interval'][0]:.3f} to {at['interval'][1]:.3f}"
            )
        low, high = of["interval"]
        print(f"{name:28s} {'geometric mean':34s} {'':33s} {of['ratio']:6.3f}  {low:.3f} to {high:.3f}")
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1:])
