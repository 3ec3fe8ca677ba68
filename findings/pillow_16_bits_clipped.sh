#!/usr/bin/env bash
# Pillow turns a 16-bit gray picture into 8 bits by cutting off everything above 255.
# Guessed: convert("L") and convert("RGB") keep the upper 8 bits, as they do for a 16-bit color PNG when it is opened.
# Seen: 256 and everything above is white, in "L" and in "RGB"; a 16-bit RGB PNG opened by the same Pillow is scaled.
# Bites: whoever trains on pictures of scientific or depth cameras: they become white rectangles, without a word.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check pillow==13.0.0 numpy==2.4.6
venv/bin/python - <<'END'
import io
import struct
import zlib

import numpy as np
import PIL
from PIL import Image


def png(color_type, row):
    """One row of 16-bit samples, written by hand because Pillow writes no 16-bit color."""
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", len(row), 1, 16, color_type, 0, 0, 0)
    data = zlib.compress(b"\0" + np.array(row, ">u2").tobytes())
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


values = [0, 255, 256, 1000, 32768, 65535]
gray = Image.open(io.BytesIO(png(0, values)))
color = Image.open(io.BytesIO(png(2, [[value] * 3 for value in values])))
print("Pillow", PIL.__version__, "opens them as", gray.mode, "and", color.mode)
print("16-bit values   ", values)
as_l, as_rgb = np.array(gray.convert("L"))[0], np.array(gray.convert("RGB"))[0, :, 0]
scaled = np.array(color.convert("RGB"))[0, :, 0]
print("gray as L       ", as_l.tolist())
print("gray as RGB     ", as_rgb.tolist())
print("color as RGB    ", scaled.tolist())
assert as_l.tolist() == as_rgb.tolist() == [0, 255, 255, 255, 255, 255]
assert scaled.tolist() == [0, 0, 1, 3, 128, 255]
END
