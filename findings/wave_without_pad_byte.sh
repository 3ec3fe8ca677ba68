#!/usr/bin/env bash
# Python's wave module leaves out the byte that RIFF asks for behind a chunk of odd length.
# Guessed: an 8-bit mono file of 3 samples has 48 bytes: 44 of headers, 3 samples, 1 byte of padding.
# Seen: 47, and the size of the RIFF chunk counts no padding either; a chunk appended behind it stands at an odd place.
# Bites: whoever appends a LIST or bext chunk, or reads by the rule that chunks begin at even places.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python - <<'END'
import io
import platform
import struct
import wave

stream = io.BytesIO()
with wave.open(stream, "wb") as file:
    file.setnchannels(1)
    file.setsampwidth(1)
    file.setframerate(8000)
    file.writeframes(bytes([128, 129, 130]))
content = stream.getvalue()
riff, data = struct.unpack("<I", content[4:8])[0], struct.unpack("<I", content[40:44])[0]
print("python", platform.python_version())
print(f"bytes {len(content)}, RIFF chunk {riff}, data chunk {data}")
assert (len(content), riff, data) == (47, 39, 3)
END
