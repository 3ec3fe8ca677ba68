"""Quality of the memory plans: python benchmarks/memory.py [space=extended].

Plans the arena of every branch of a space and compares it with the lower bound, the largest sum of bytes alive at any
step. The last line is JSON: worst_plan_over_bound, cases.
"""

from __future__ import annotations

import json
import sys

from tinysearch.analytic.memory import plan
from tinysearch.app.building.spaces import build_space
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.core.program import lower


def main() -> None:
    worst, cases, above = 1.0, 0, 0
    for words in ([*sys.argv[1:]], ["experiment=paper", *sys.argv[1:]]):
        space = build_space(plain(compose_config(words)))
        for modality in space.branch_modalities():
            for branch in space.branches(modality):
                made = plan(lower(branch.network(), branch.precision))
                ratio = made.peak_bytes / made.bound_bytes
                cases += 1
                worst = max(worst, ratio)
                if ratio > 1.0:
                    above += 1
                    print(f"{branch.key}: {made.peak_bytes} bytes, bound {made.bound_bytes}, {ratio:.4f}")
    print(f"{cases} plans, {above} above their bound, worst {worst:.4f}")
    print(json.dumps({"worst_plan_over_bound": worst, "cases": cases}))


if __name__ == "__main__":
    main()
