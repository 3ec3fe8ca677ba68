#!/usr/bin/env bash
# A point whose objective is NaN drives good points out of the front, in moocore and in pymoo alike.
# Guessed: they raise, or leave such a point out.
# Seen: NaN counts as equal to everything, so the other objectives decide: (nan, 1) dominates (0, 2), and is dominated by it as (nan, 3).
# Bites: whoever writes NaN for "not measured": a design that nobody measured can be the whole front.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check moocore==0.3.2 pymoo==0.6.2
venv/bin/python - <<'END'
from importlib.metadata import version

import moocore
import numpy as np
from pymoo.util.nds.non_dominated_sorting import NonDominatedSorting

print("moocore", version("moocore"), "pymoo", version("pymoo"))
for second, front in ((1.0, 0), (3.0, 1)):
    points = np.array([[np.nan, second], [0.0, 2.0]])
    kept = np.flatnonzero(moocore.is_nondominated(points)).tolist()
    first = NonDominatedSorting().do(points)[0].tolist()
    print(f"(nan, {second:g}) and (0, 2): moocore keeps {points[kept].tolist()}, pymoo's first front is {points[first].tolist()}")
    assert kept == first == [front]
END
