#!/usr/bin/env bash
# An imported forest gives its own training samples other probabilities.
# Guessed: treelite's import of a random forest of scikit-learn predicts the probabilities that scikit-learn predicts.
# Seen: scikit-learn rounds samples to float32 before it compares; treelite compares the doubles that it is given. Of samples in steps
# of a tenth a few of 400 differ; samples rounded to float32 first are all equal.
# Bites: whoever checks trees for a board, which reads decimals of a sensor, against the ones that were trained.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check treelite==4.8.1 scikit-learn==1.9.1 numpy==2.4.6
venv/bin/python - <<'END'
from importlib.metadata import version

import numpy as np
import treelite
from sklearn.ensemble import RandomForestClassifier

print("treelite", version("treelite"), "scikit-learn", version("scikit-learn"))
samples = np.random.default_rng(0).integers(0, 10, (400, 3)) / 10
labels = (samples[:, 0] > 0.45).astype(int) + (samples[:, 1] > 0.25)
forest = RandomForestClassifier(20, random_state=0).fit(samples, labels)
imported = treelite.sklearn.import_model(forest)
others = {}
for kind in (np.float64, np.float32):
    predicted = np.squeeze(treelite.gtil.predict(imported, samples.astype(kind)))
    difference = np.abs(predicted - forest.predict_proba(samples)).max(axis=1)
    others[kind] = int((difference > 1e-6).sum())
    print(f"{kind.__name__}: {others[kind]} of 400 samples differ, by at most {difference.max():.3f}")
assert others[np.float64] > 0
assert others[np.float32] == 0
END
