#!/usr/bin/env bash
# Among choices that Python calls equal, Optuna records the first one, not the one that the objective was given.
# Guessed: with the choices 1, True and 1.0 a trial records the choice that it got; or such choices are refused.
# Seen: the objective gets True or 1.0, and a finished trial says 1, always. A grid over [1, True, 2] records 1 twice.
# Bites: whoever lets "off or a number" vary as [0, False, ...]: the record, and what is trained again from it, is another design.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check optuna==5.0.0
venv/bin/python - <<'END'
import optuna

optuna.logging.set_verbosity(optuna.logging.ERROR)
print("optuna", optuna.__version__)
given = []


def objective(trial):
    given.append(trial.suggest_categorical("choice", [1, True, 1.0]))
    return 0.0


study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
study.optimize(objective, n_trials=12)
recorded = [trial.params["choice"] for trial in study.trials]
print("given   ", given)
print("recorded", recorded)
assert {repr(value) for value in given} == {"1", "True", "1.0"}
assert {repr(value) for value in recorded} == {"1"}
grid = optuna.create_study(sampler=optuna.samplers.GridSampler({"choice": [1, True, 2]}))
grid.optimize(lambda trial: float(trial.suggest_categorical("choice", [1, True, 2])))
print("a grid of three:", [trial.params["choice"] for trial in grid.trials])
END
