#!/usr/bin/env bash
# The same recording has other features at every call.
# Guessed: the default options of kaldi-native-fbank give the same filter bank energies twice for the same samples.
# Seen: they dither: noise of 3e-5 is added to the samples, anew at each call; dither = 0 makes the calls equal.
# Bites: whoever compares the features of a board with those of a computer, or a front-end in C with its golden vectors.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check kaldi-native-fbank==1.23.0 numpy==2.4.6
venv/bin/python - <<'END'
from importlib.metadata import version

import kaldi_native_fbank as knf
import numpy as np

print("kaldi-native-fbank", version("kaldi-native-fbank"))
samples = (0.1 * np.sin(np.arange(16_000) * 0.3)).tolist()


def energies(dither: float | None) -> np.ndarray:
    options = knf.FbankOptions()
    if dither is not None:
        options.frame_opts.dither = dither
    bank = knf.OnlineFbank(options)
    bank.accept_waveform(16_000, samples)
    bank.input_finished()
    return np.array([bank.get_frame(frame) for frame in range(bank.num_frames_ready)])


print("default dither", knf.FbankOptions().frame_opts.dither)
default = np.abs(energies(None) - energies(None)).max()
without = np.abs(energies(0.0) - energies(0.0)).max()
print(f"largest difference of two calls: by default {default:.3g}, without dither {without:.3g} (log energy)")
assert default > 1e-2
assert without == 0
END
