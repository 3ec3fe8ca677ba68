#!/usr/bin/env bash
# A sample that its file marks as invalid comes back as the one before it.
# Guessed: a table of a measurement (MDF 4, one group, one time axis) has a gap where the invalidation bit is set.
# Seen: to_dataframe fills it with the last valid value, type int16 as before; Channel.get leaves the sample out; a true NaN stays one.
# Bites: whoever trains on recordings of vehicles or machines: a sensor that failed for a minute looks as if it had stood still.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check asammdf==8.8.28 numpy==2.4.6 pandas==2.3.3
venv/bin/python - <<'END'
from importlib.metadata import version

import numpy as np
from asammdf import MDF, Signal

print("asammdf", version("asammdf"))
times = np.arange(5) / 10
invalid = np.array([False, True, False, False, True])
counted = Signal(np.array([1, 20, 3, 4, 50], np.int16), times, name="counted", invalidation_bits=invalid)
measured = Signal(np.array([1.5, np.nan, 2.0, 3.0, 4.0]), times, name="measured")
measurement = MDF(version="4.10")
measurement.append([counted, measured])
measurement.save("x.mf4")

read = MDF("x.mf4")
table = read.to_dataframe()
print(table)
print("get:", read.get("counted").samples)
assert table["counted"].tolist() == [1, 1, 3, 4, 4] and table["counted"].dtype == np.int16
assert np.isnan(table["measured"].iloc[1])
assert read.get("counted").samples.tolist() == [1, 3, 4]
END
