#!/usr/bin/env bash
# An enqueued value that lies out of its range is used, and recorded with a range that does not contain it.
# Guessed: suggest_float("x", 0, 1) raises for a trial that was enqueued with x = 5.
# Seen: a warning, and 5.0; the trial is complete, its distribution still says 0 to 1, and the study's best is out of the space.
# Bites: whoever starts a study from points of an earlier, wider one and reads best_params.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check optuna==5.0.0
venv/bin/python - <<'END'
import warnings

import optuna

optuna.logging.set_verbosity(optuna.logging.ERROR)
warnings.simplefilter("ignore")
study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=0))
study.enqueue_trial({"x": 5.0})
study.optimize(lambda trial: trial.suggest_float("x", 0.0, 1.0), n_trials=20)
first = study.trials[0]
print("optuna", optuna.__version__)
print("first trial", first.state.name, first.params, first.distributions)
print("best", study.best_params)
assert first.state.name == "COMPLETE"
assert study.best_params == {"x": 5.0}
assert not first.distributions["x"]._contains(5.0)
END
