#!/usr/bin/env bash
# Random search proposes the smallest and the largest value of an integer range half as often as any other.
# Guessed: a Scalar from 0 to 4 with integer casting takes each of its five values in a fifth of all draws.
# Seen: the range is drawn as real numbers and rounded, so 0 and 4 come in an eighth of the draws each, 1 to 3 in a quarter.
# Bites: whoever searches sizes whose best is an end of the range: the fewest bits, the most channels.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check nevergrad==1.0.12 numpy==2.4.6
venv/bin/python - <<'END'
from collections import Counter
from importlib.metadata import version

import nevergrad as ng

DRAWS = 8000
print("nevergrad", version("nevergrad"))
number = ng.p.Scalar(lower=0, upper=4).set_integer_casting()
search = ng.optimizers.RandomSearch(parametrization=number, budget=DRAWS)
search.parametrization.random_state.seed(1)
seen = Counter(search.ask().value for _ in range(DRAWS))
shares = {value: round(seen[value] / DRAWS, 3) for value in sorted(seen)}
print("shares of the draws", shares)
assert sorted(shares) == [0, 1, 2, 3, 4]
assert all(abs(shares[value] - 1 / 8) < 0.02 for value in (0, 4))
assert all(abs(shares[value] - 1 / 4) < 0.02 for value in (1, 2, 3))
END
