#!/usr/bin/env bash
# An integer among the choices comes back as a float once another choice is a fraction.
# Guessed: ConfigSpace gives one of the objects that were named as choices.
# Seen: of the choices 1 and 2.5 it gives NumPy's 1.0 and 2.5; of 1 and "1" the objects themselves.
# Bites: whoever names widths or strides as choices: range(1.0) raises, and f"width_{1.0}" is another key than f"width_{1}".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check ConfigSpace==1.2.2 numpy==2.4.6
venv/bin/python - <<'END'
from importlib.metadata import version

from ConfigSpace import Categorical, ConfigurationSpace

print("ConfigSpace", version("ConfigSpace"))
seen = {}
for choices in ((1, 2.5), (1, "1"), (1, 2)):
    space = ConfigurationSpace(seed=0)
    space.add(Categorical("choice", choices))
    drawn = {space.sample_configuration()["choice"] for _ in range(50)}
    seen[choices] = {(type(value).__name__, str(value)) for value in drawn}
    print(choices, "->", sorted(seen[choices]))
assert seen[1, 2.5] == {("float64", "1.0"), ("float64", "2.5")}
assert seen[1, "1"] == {("int", "1"), ("str", "1")}
assert {text for _, text in seen[1, 2]} == {"1", "2"}
END
