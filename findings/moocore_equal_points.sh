#!/usr/bin/env bash
# Of two equal points moocore calls one dominated; Optuna and pymoo keep both.
# Guessed: a point that nothing beats is nondominated, however often it occurs.
# Seen: moocore.is_nondominated is False for the second, and filter_dominated drops it, unless keep_weakly=True.
# Bites: whoever takes the mask for the rows of a table: one of two designs with the same figures disappears.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check moocore==0.3.2 optuna==5.0.0 pymoo==0.6.2 numpy==2.4.6
venv/bin/python - <<'END'
from importlib.metadata import version

import moocore
import numpy as np
import optuna
from pymoo.util.nds.non_dominated_sorting import NonDominatedSorting

optuna.logging.set_verbosity(optuna.logging.ERROR)
points = np.array([[1.0, 2.0], [1.0, 2.0], [2.0, 1.0]])
study = optuna.create_study(directions=["minimize", "minimize"])
for point in points:
    study.add_trial(optuna.trial.create_trial(values=point.tolist()))
seen = {
    "moocore": np.flatnonzero(moocore.is_nondominated(points)).tolist(),
    "moocore, keep_weakly": np.flatnonzero(moocore.is_nondominated(points, keep_weakly=True)).tolist(),
    "optuna": sorted(trial.number for trial in study.best_trials),
    "pymoo": sorted(NonDominatedSorting().do(points, only_non_dominated_front=True).tolist()),
}
print(*(f"{name} {version(name)}" for name in ("moocore", "optuna", "pymoo")))
for name, rows in seen.items():
    print(f"{name:21} {rows}")
assert seen == {"moocore": [0, 2], "moocore, keep_weakly": [0, 1, 2], "optuna": [0, 1, 2], "pymoo": [0, 1, 2]}
END
