#!/usr/bin/env bash
# A 24-bit WAV read as int16 is rounded down, so a quiet recording gets an offset of half a step.
# Guessed: 200 / 256 is nearer to 1 than to 0 and becomes 1; -1 / 256 becomes 0.
# Seen: the lower 8 bits are dropped: 200 becomes 0, -1 becomes -1; read as float and rounded by hand they are 1 and 0.
# Bites: whoever takes integers from recorders of 24 bits and sums or correlates quiet samples: their mean is half a step low.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check soundfile==0.14.0 numpy==2.4.6
venv/bin/python - <<'END'
import io

import numpy as np
import soundfile

stream = io.BytesIO()
samples = np.array([100, 200, 255, 256, -1, -127, -255], np.int32)
soundfile.write(stream, samples << 8, 16000, format="WAV", subtype="PCM_24")
stream.seek(0)
found = soundfile.read(stream, dtype="int16")[0].tolist()
stream.seek(0)
by_hand = np.rint(soundfile.read(stream)[0] * 32768).astype(int).tolist()
print("soundfile", soundfile.__version__, soundfile.__libsndfile_version__)
print("24 bits ", samples.tolist())
print("int16   ", found)
print("rounded ", by_hand)
assert found == [0, 0, 0, 1, -1, -1, -1]
assert by_hand == [0, 1, 1, 1, 0, 0, -1]
END
