#!/usr/bin/env bash
# A number of layers between 1 and 10 in steps of 4 is proposed as 0.
# Guessed: quniform(1, 10, 4) gives multiples of 4 that lie between 1 and 10: 4 and 8.
# Seen: it draws a real number from 1 to 10 and rounds that, so 0 comes in every ninth draw; flaml refuses the same range.
# Bites: whoever searches sizes by steps that do not divide their lower end: a network of 0 channels is built, or training fails.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check hyperopt==0.3.0 numpy==2.4.6 setuptools
venv/bin/python -W ignore - <<'END'
from collections import Counter
from importlib.metadata import version

import numpy as np
from hyperopt import hp
from hyperopt.pyll.stochastic import sample

print("hyperopt", version("hyperopt"))
rng = np.random.default_rng(0)
seen = Counter(float(sample(hp.quniform("layers", 1, 10, 4), rng=rng)) for _ in range(3000))
shares = {value: round(seen[value] / 3000, 2) for value in sorted(seen)}
print("shares of the draws", shares)
assert sorted(shares) == [0.0, 4.0, 8.0]
assert abs(shares[0.0] - 1 / 9) < 0.03
END
