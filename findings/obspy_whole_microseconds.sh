#!/usr/bin/env bash
# A recording of 16 000 samples a second has 15 873 a second once it was written as SAC, 16 129 as SEG-Y.
# Guessed: a file of vibrations keeps its rate, or the writer says that it cannot.
# Seen: obspy keeps the time between samples in whole microseconds in SAC, Q, SEG-Y and SU (62.5 becomes 62 or 63), though SAC's
# header is a float and could hold it; MiniSEED keeps the rate.
# Bites: whoever trains on frequencies of machines: at 51 200 samples a second each is off by 2.3 %, in SEG-Y by 2.8 %.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check obspy==1.5.1 numpy==2.4.6 setuptools
venv/bin/python -W ignore - <<'END'
import numpy as np
import obspy

print("obspy", obspy.__version__)
found = {}
for rate_hz in (1000.0, 16_000.0, 51_200.0):
    for form in ("MSEED", "SAC", "SEGY"):
        trace = obspy.Trace(np.zeros(2000, np.float32), {"sampling_rate": rate_hz})
        trace.write(f"recording.{form}", format=form)
        found[rate_hz, form] = round(obspy.read(f"recording.{form}")[0].stats.sampling_rate, 1)
    print(f"{rate_hz:.0f} Hz:", {form: found[rate_hz, form] for form in ("MSEED", "SAC", "SEGY")})
assert {found[1000.0, form] for form in ("MSEED", "SAC", "SEGY")} == {1000.0}
assert found[16_000.0, "MSEED"] == 16_000 and found[51_200.0, "MSEED"] == 51_200
assert (found[16_000.0, "SAC"], found[16_000.0, "SEGY"]) == (15_873.0, 16_129.0)
assert (found[51_200.0, "SAC"], found[51_200.0, "SEGY"]) == (50_000.0, 52_631.6)
END
