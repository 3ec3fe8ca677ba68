#!/usr/bin/env bash
# The mean of a thousand ones in bfloat16 is 0.26, and that of a hundred sevens in int4 is 0.
# Guessed: sums of ml_dtypes' narrow types are kept in a wider one, as numpy keeps those of int8 in int64 and the mean of
# float16 in float32.
# Seen: sum and mean stay in the type. A bfloat16 sum of ones stays at 256, an int4 one wraps around; no warning is given.
# Bites: whoever looks at weights or activations of a quantized network in the types that they are stored in.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check ml_dtypes==0.6.0 numpy==2.4.6
venv/bin/python -W error - <<'END'
import ml_dtypes
import numpy as np

print("ml_dtypes", ml_dtypes.__version__, "numpy", np.__version__)
cases = {
    "float16": np.ones(1000, np.float16),
    "bfloat16": np.ones(1000, ml_dtypes.bfloat16),
    "int8": np.full(100, 7, np.int8),
    "int4": np.full(100, 7, ml_dtypes.int4),
}
seen = {}
for name, values in cases.items():
    total, mean = values.sum(), values.mean()
    seen[name] = str(total.dtype), float(total), round(float(mean), 3)
    print(f"{len(values)} of {float(values[0]):g} in {name:8} sum {float(total):g} in {total.dtype}, mean {float(mean):g}")
assert seen == {
    "float16": ("float16", 1000.0, 1.0),
    "bfloat16": ("bfloat16", 256.0, 0.256),
    "int8": ("int64", 700.0, 7.0),
    "int4": ("int4", -4.0, 0.0),
}
END
