#!/usr/bin/env bash
# A floating point WAV read as int16 is silence.
# Guessed: soundfile scales full scale to 32767, as it does for FLAC, for 24 bits and for every conversion the other way.
# Seen: every sample is 0 (values are cast, and all lie between -1 and 1); the same file read as float and the same wave
# stored as 24 bits are what they should be.
# Bites: whoever decodes speech with dtype="int16", which is right for nearly every file: those of audio editors are silent.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check soundfile==0.14.0 numpy==2.4.6
venv/bin/python - <<'END'
import numpy as np
import soundfile

print("soundfile", soundfile.__version__, soundfile.__libsndfile_version__)
wave = 0.5 * np.sin(np.arange(1600) * 0.05)
peaks = {}
for subtype in ("PCM_16", "PCM_24", "FLOAT"):
    soundfile.write("wave.wav", wave, 16000, subtype=subtype)
    peaks[subtype] = [int(np.abs(soundfile.read("wave.wav", dtype="int16")[0].astype(int)).max()),
                      round(float(np.abs(soundfile.read("wave.wav")[0]).max()), 3)]
    print(f"{subtype:7} peak as int16 {peaks[subtype][0]:6}, as float {peaks[subtype][1]}")
assert peaks == {"PCM_16": [16384, 0.5], "PCM_24": [16384, 0.5], "FLOAT": [0, 0.5]}
END
