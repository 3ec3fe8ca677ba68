#!/usr/bin/env bash
# A memory of 512KiB is read as 512000, in a unit called iB.
# Guessed: QuantiPhy takes KiB for 1024 bytes, or says that it does not know the prefix.
# Seen: K is split off as a thousand and what is left, iB, is the unit, which is printed again as 512 kiB, so that nothing
# looks wrong; in the same way 10 ppm are 10 pico of a unit pm. With binary=True KiB is 1024.
# Bites: whoever compares the memory of chips, given in KiB, with what a network needs, in bytes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check quantiphy==2.23
venv/bin/python - <<'END'
import quantiphy
from quantiphy import Quantity

print("quantiphy", quantiphy.__version__)
seen = {}
for text, binary in (("512KiB", False), ("512KiB", True), ("512kB", False), ("10 ppm", False)):
    read = Quantity(text, binary=binary)
    seen[text, binary] = f"{float(read):g}", read.units
    print(f"{text:7} binary={binary!s:5} -> {float(read):g} {read.units}, printed as {read}")
assert seen == {
    ("512KiB", False): ("512000", "iB"),
    ("512KiB", True): ("524288", "B"),
    ("512kB", False): ("512000", "B"),
    ("10 ppm", False): ("1e-11", "pm"),
}
END
