#!/usr/bin/env bash
# Zeros at the end of a NumPy seed are not there: (seed, 0) draws what seed draws.
# Guessed: default_rng(7), default_rng([7, 0]) and default_rng([7, 0, 0]) are three streams.
# Seen: they are one; only from the fifth number on does a zero make another stream.
# Bites: whoever seeds stage 0 or sample 0 with [seed, 0] beside something seeded with seed alone: both draw the same numbers.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check numpy==2.4.6
venv/bin/python - <<'END'
import numpy as np

print("numpy", np.__version__)
seeds = 7, [7], [7, 0], [7, 0, 0, 0], [7, 0, 0, 0, 0], [7, 1], [0, 7]
drawn = [int(np.random.default_rng(seed).integers(1 << 30)) for seed in seeds]
for seed, number in zip(seeds, drawn):
    print(f"default_rng({seed!s:16}) {number}")
assert len(set(drawn[:4])) == 1
assert len({drawn[0], *drawn[4:]}) == 4
END
