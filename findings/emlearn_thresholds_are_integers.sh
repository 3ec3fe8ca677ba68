#!/usr/bin/env bash
# A tree that is right in Python guesses in C.
# Guessed: emlearn converts a decision tree trained on features between 0 and 1 so that it decides as scikit-learn's.
# Seen: its default type is int16_t: the threshold 0.5 becomes 0, and half of the samples are wrong, without a warning;
# dtype="float" decides as scikit-learn's.
# Bites: whoever puts a tree over normalized features (levels, energies) on a microcontroller.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check emlearn==0.23.2 scikit-learn==1.9.1 numpy==2.4.6
venv/bin/python -W error::UserWarning - <<'END'
from importlib.metadata import version

import emlearn
import numpy as np
from sklearn.tree import DecisionTreeClassifier

print("emlearn", version("emlearn"), "scikit-learn", version("scikit-learn"))
samples = np.random.default_rng(0).random((200, 2))
labels = (samples[:, 0] > 0.5).astype(int)
tree = DecisionTreeClassifier(max_depth=2, random_state=0).fit(samples, labels)
default = emlearn.convert(tree, method="inline")
floating = emlearn.convert(tree, method="inline", dtype="float")
models = {"scikit-learn": tree, "emlearn": default, "emlearn, float": floating}
shares = {name: float(np.mean(model.predict(samples) == labels)) for name, model in models.items()}
print({name: f"{share:.1%} right" for name, share in shares.items()})
print(next(line for line in default.save(name="tree", format="c").splitlines() if "features[" in line).strip())
assert shares["scikit-learn"] == shares["emlearn, float"] == 1
assert shares["emlearn"] < 0.7
END
