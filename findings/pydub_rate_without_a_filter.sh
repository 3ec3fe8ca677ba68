#!/usr/bin/env bash
# A recording brought to another sample rate by pydub holds tones that nobody made.
# Guessed: what lies above half of the new rate is filtered away, as scipy, librosa and sox do.
# Seen: a tone of 7 kHz at 16 000 samples a second is a tone of 1 kHz at 8000, as loud as before.
# Bites: whoever prepares recordings of a microphone at 44.1 or 48 kHz for a board that hears at 16 or 8 kHz: training
# samples have hiss folded into the voice, which the board's own microphone does not have.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check pydub==0.25.1 scipy==1.17.1 numpy==2.4.6 \
  'audioop-lts==0.2.2; python_version >= "3.13"'
venv/bin/python -W ignore - <<'END'
from importlib.metadata import version

import numpy as np
from pydub import AudioSegment
from scipy.signal import resample_poly

print("pydub", version("pydub"))
time_s = np.arange(16000) / 16000
tone = (20000 * np.sin(2 * np.pi * 7000 * time_s)).astype("<i2")
recorded = AudioSegment(tone.tobytes(), frame_rate=16000, sample_width=2, channels=1)
slower = np.array(recorded.set_frame_rate(8000).get_array_of_samples(), float)


def loudest(samples):
    """Frequency in Hz and amplitude of the loudest tone in one second of samples."""
    spectrum = np.abs(np.fft.rfft(samples)) * 2 / len(samples)
    return int(spectrum.argmax()), float(spectrum.max())


pydub_hz, pydub_amplitude = loudest(slower)
filtered_amplitude = loudest(resample_poly(tone.astype(float), 1, 2))[1]
print(f"7000 Hz of 20000: {pydub_hz} Hz of {pydub_amplitude:.0f}; by scipy at most {filtered_amplitude:.0f} at any frequency")
assert pydub_hz == 1000 and pydub_amplitude > 19000 and filtered_amplitude < 200
END
