#!/usr/bin/env bash
# Samples that a recorder lost are nowhere to be seen in the times that pyxdf gives.
# Guessed: samples keep the times that were recorded for them, so that a gap of seconds is a gap.
# Seen: by default a gap shorter than 500 samples (10 s at 50 a second) is spread over the whole stream: no two
# samples lie further apart than others, every one is moved, the first and last by up to half of the gap.
# Bites: windows cut by these times for training hold two movements as one; labels of other streams are off by seconds.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check pyxdf==1.17.5 numpy==2.4.6
venv/bin/python - <<'END' 2>/dev/null
import struct
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pyxdf

print("pyxdf", version("pyxdf"))
RATE_HZ = 50
HEADER = (
    "<?xml version='1.0'?><info><name>wrist</name><type>acc</type><channel_count>1</channel_count>"
    f"<nominal_srate>{RATE_HZ}</nominal_srate><channel_format>float32</channel_format></info>"
)


def chunk(tag, content):
    return struct.pack("<BIH", 4, len(content) + 2, tag) + content


def write(times_s):
    stream = struct.pack("<I", 1)
    samples = b"".join(struct.pack("<Bdf", 8, time_s, number) for number, time_s in enumerate(times_s))
    footer = f"<?xml version='1.0'?><info><sample_count>{len(times_s)}</sample_count></info>"
    Path("wrist.xdf").write_bytes(
        b"XDF:"
        + chunk(1, b"<?xml version='1.0'?><info><version>1.0</version></info>")
        + chunk(2, stream + HEADER.encode())
        + chunk(3, stream + struct.pack("<BI", 4, len(times_s)) + samples)
        + chunk(6, stream + footer.encode())
    )


for gap_s, seen in ((5.0, False), (20.0, True)):
    recorded = np.arange(1000) / RATE_HZ
    recorded[500:] += gap_s
    write(recorded)
    for dejitter in (True, False):
        stream = pyxdf.load_xdf("wrist.xdf", dejitter_timestamps=dejitter, verbose=False)[0][0]
        times = stream["time_stamps"]
        longest, moved = np.diff(times).max(), np.abs(times - recorded).max()
        print(f"gap of {gap_s} s, dejitter {dejitter}: longest step {longest:.3f} s, moved by up to {moved:.2f} s")
        assert (longest > gap_s) == (seen or not dejitter) and (moved > 2) == (dejitter and not seen)
END
