"""Speed of the analytic models: python benchmarks/analytic.py.

Puts the extended space through flash, arena, latency, BOM and feasibility, and takes the exact front of a million
points in three objectives. The last line is JSON: candidates_per_s (best of three passes with branches known, and the
first pass apart), front_1e6_s.
"""

from __future__ import annotations

import json
import time

import numpy as np

from tinysearch.app.building.spaces import build_space
from tinysearch.app.building.wiring import build_models
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.evaluation.enumeration import NO_OPTION, enumerate_designs
from tinysearch.search.known.pareto import is_nondominated


def main() -> None:
    config = plain(compose_config(["space=extended", "budget=15usd", "build=any", "quantity=100"]))
    models, space = build_models(config), build_space(config)
    rates = []
    for attempt in range(4):
        started = time.perf_counter()
        count = feasible = 0
        for chunk in enumerate_designs(models, space):
            count += len(chunk.option)
            feasible += int((chunk.option != NO_OPTION).sum())
        seconds = time.perf_counter() - started
        rates.append(count / seconds)
        label = "branches lowered, planned and timed on the way" if attempt == 0 else "branches known"
        print(f"{count:,} candidates, {feasible:,} feasible: {seconds:.2f} s, {rates[-1]:,.0f}/s ({label})")
    points = np.random.default_rng(0).random((1_000_000, 3))
    started = time.perf_counter()
    front = int(is_nondominated(points).sum())
    front_s = time.perf_counter() - started
    print(f"exact front of 1,000,000 points: {front} points, {front_s:.2f} s")
    print(json.dumps({"candidates_per_s": max(rates[1:]), "first_pass_per_s": rates[0], "front_1e6_s": front_s}))


if __name__ == "__main__":
    main()
