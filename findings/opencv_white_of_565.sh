#!/usr/bin/env bash
# A white pixel of a camera that sends 16 bits a pixel (RGB565) is not white in OpenCV.
# Guessed: five bits of all ones become 255, as in Pillow, which divides by 31, and in FFmpeg, which repeats the upper bits.
# Seen: OpenCV shifts and leaves the lower bits empty: white is 248, 252, 248, gray of it 250, and a middle gray gets a tint.
# Bites: whoever trains on frames of a small camera that OpenCV unpacked and lets a board unpack them in another way.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check opencv-python-headless==5.0.0.93 pillow==13.0.0 \
  numpy==2.4.6
venv/bin/python - <<'END'
import cv2
import numpy as np
from PIL import Image

print("OpenCV", cv2.__version__)
pixels = np.array([[0xFFFF, 0x7BEF, 0x0000]], dtype="<u2")
packed = pixels.view(np.uint8).reshape(1, 3, 2)
opencv = cv2.cvtColor(packed, cv2.COLOR_BGR5652RGB)[0].tolist()
gray = cv2.cvtColor(packed, cv2.COLOR_BGR5652GRAY)[0].tolist()
pillow = np.asarray(Image.frombytes("RGB", (3, 1), pixels.tobytes(), "raw", "BGR;16"))[0].tolist()
print("white, gray and black by OpenCV", opencv, "as gray", gray, "by Pillow", pillow)
assert opencv == [[248, 252, 248], [120, 124, 120], [0, 0, 0]]
assert gray == [250, 122, 0]
assert pillow == [[255, 255, 255], [123, 125, 123], [0, 0, 0]]
END
