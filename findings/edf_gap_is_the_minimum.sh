#!/usr/bin/env bash
# A missing sample of an EDF file comes back as the lowest reading that the sensor can give.
# Guessed: NaN is refused, or read back as NaN.
# Seen: pyEDFlib writes it without a word, and reads the physical minimum: for a range of -5 to 5 mV, -5 mV.
# Bites: whoever keeps recordings with gaps (ECG, vibration) as EDF: every gap is a spike of full scale.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check pyEDFlib==0.1.42 numpy==2.4.6
venv/bin/python - <<'END'
import numpy as np
import pyedflib

print("pyEDFlib", pyedflib.__version__)
written = np.sin(np.arange(50) / 5)
written[7] = np.nan
header = {
    "label": "ECG",
    "dimension": "mV",
    "sample_frequency": 50,
    "physical_min": -5.0,
    "physical_max": 5.0,
    "digital_min": -32768,
    "digital_max": 32767,
    "transducer": "",
    "prefilter": "",
}
writer = pyedflib.EdfWriter("gap.edf", 1, file_type=pyedflib.FILETYPE_EDFPLUS)
writer.setSignalHeaders([header])
writer.writeSamples([written])
writer.close()
with pyedflib.EdfReader("gap.edf") as reader:
    read = reader.readSignal(0)
print("written", written[6:9].round(3), "read", read[6:9].round(3))
assert np.abs(np.delete(read - written, 7)).max() < 1e-3
assert read[7] == -5.0
END
