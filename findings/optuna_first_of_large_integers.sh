#!/usr/bin/env bash
# Of integers beyond 2^53 Optuna proposes those that a float can hold.
# Guessed: suggest_int("x", 2**60, 2**60 + 9) gives each of the ten values sometimes.
# Seen: only 2**60, in all of 200 trials: a parameter is stored as a float.
# Bites: whoever searches over seeds, hashes, addresses or times in nanoseconds.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check optuna==5.0.0
venv/bin/python - <<'END'
from collections import Counter

import optuna

optuna.logging.set_verbosity(optuna.logging.ERROR)
print("optuna", optuna.__version__)
seen = {}
for low in (2**52, 2**60):
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    study.optimize(lambda trial: trial.suggest_int("x", low, low + 9) - low, n_trials=200)
    seen[low] = sorted(Counter(trial.params["x"] - low for trial in study.trials))
    print(f"2^{low.bit_length() - 1} plus", seen[low])
assert seen == {2**52: list(range(10)), 2**60: [0]}
END
