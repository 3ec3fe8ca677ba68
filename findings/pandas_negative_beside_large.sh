#!/usr/bin/env bash
# One negative number turns a column of large unsigned integers into text.
# Guessed: read_csv gives a column of 2^63 and -1 as Python integers or as floats: something to compute with.
# Seen: 2^63 alone is uint64, 2^64 alone a Python integer, but 2^63 beside -1 makes a column of text.
# Bites: whoever logs counters of 64 bits and marks a lost sample by -1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check pandas==3.1.1 numpy==2.4.6
venv/bin/python - <<'END'
import io

import pandas as pd

print("pandas", pd.__version__)
seen = {}
for name, values in {"2^63": (2**63, 1), "2^64": (2**64, 1), "2^63 and -1": (2**63, -1)}.items():
    column = pd.read_csv(io.StringIO("x\n" + "\n".join(map(str, values))))["x"]
    seen[name] = str(column.dtype), type(column[0]).__name__
    print(f"{name:12} {seen[name]} {column.tolist()}")
assert seen == {"2^63": ("uint64", "uint64"), "2^64": ("object", "int"), "2^63 and -1": ("str", "str")}
END
