#!/usr/bin/env bash
# Noise mixed in at a signal-to-noise ratio of 10 dB is louder than the signal where a recording has an offset.
# Guessed: the ratio is that of what can be heard; an offset of the microphone's converter changes nothing.
# Seen: AddGaussianSNR takes the root mean square with the mean in it: the same tone beside an offset of 0.2 is mixed at 0.5 dB.
# Bites: whoever augments raw recordings of a MEMS microphone, whose offset is often larger than a voice two meters away.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check audiomentations==0.43.1 numpy==2.4.6
venv/bin/python -W ignore - <<'END'
from importlib.metadata import version

import numpy as np
from audiomentations import AddGaussianSNR

print("audiomentations", version("audiomentations"))
tone = (0.1 * np.sin(0.3 * np.arange(160_000))).astype(np.float32)
mix = AddGaussianSNR(min_snr_db=10, max_snr_db=10, p=1.0)
found = {}
for offset in (0.0, 0.2):
    recorded = tone + np.float32(offset)
    noise = mix(recorded, sample_rate=16_000) - recorded
    found[offset] = 10 * np.log10(np.mean(tone**2) / np.mean(noise.astype(float) ** 2))
    print(f"offset {offset}: tone over noise {found[offset]:.1f} dB, asked for 10")
assert abs(found[0.0] - 10) < 0.1
assert abs(found[0.2] - 0.5) < 0.2
END
