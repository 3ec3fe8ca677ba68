#!/usr/bin/env bash
# The bootstrap interval of a constant is not a number.
# Guessed: twenty times 3.0 have a mean in [3.0, 3.0] at any confidence.
# Seen: scipy.stats.bootstrap gives (nan, nan) by its default method, with a warning; "percentile" and "basic" give [3.0, 3.0].
# Bites: whoever reports an interval of an error rate: 0 errors in every group is the best result, and has none.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check scipy==1.17.1 numpy==2.4.6
venv/bin/python - <<'END'
import warnings

import numpy as np
import scipy
from scipy.stats import bootstrap

warnings.simplefilter("ignore")
print("scipy", scipy.__version__)
seen = {}
for method in ("BCa", "percentile", "basic"):
    found = bootstrap((np.full(20, 3.0),), np.mean, method=method, rng=0).confidence_interval
    seen[method] = float(found.low), float(found.high)
    print(f"{method:11} {seen[method]}")
assert np.isnan(seen["BCa"]).all()
assert seen["percentile"] == seen["basic"] == (3.0, 3.0)
END
