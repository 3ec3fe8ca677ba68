#!/usr/bin/env bash
# A recording that obspy writes as WAV has 7000 samples a second, whatever it had; samples between -1 and 1 are silence.
# Guessed: the header gets the recording's own rate, and floating point samples are scaled or stay floating point.
# Seen: the rate is an argument of the writer, 7000 by default, and samples are cut to 32-bit integers: a sine of amplitude 1 is all zeros.
# Bites: whoever hands vibrations or sounds on to a tool that reads WAV: every frequency is off by the ratio of the rates.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check obspy==1.5.1 numpy==2.4.6 setuptools
venv/bin/python -W ignore - <<'END'
import wave

import numpy as np
import obspy

print("obspy", obspy.__version__)
for rate_hz in (200.0, 16_000.0):
    trace = obspy.Trace(np.sin(np.arange(2000) / 10), {"sampling_rate": rate_hz})
    trace.write("recording.wav", format="WAV")
    with wave.open("recording.wav") as file:
        written_hz, width = file.getframerate(), file.getsampwidth()
        values = sorted(set(np.frombuffer(file.readframes(2000), f"<i{width}").tolist()))
    print(f"{rate_hz:.0f} Hz: written as {written_hz} Hz, {8 * width} bits, values {values}")
    assert written_hz == 7000 and width == 4 and values == [0]
END
