#!/usr/bin/env bash
# kconfgen reads an int with a leading zero as decimal and hands it to C, which reads it as octal.
# Guessed: 010 is refused, or written as 10 or as 8 everywhere.
# Seen: for an int of range 9 to 10 it passes (as ten) and stands in the header as 010, which is 8 to a C compiler, outside of the range.
# Bites: whoever pads numbers in sdkconfig.defaults, stack sizes or GPIOs, to one width.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check esp-idf-kconfig==3.14.0
venv/bin/python - <<'END'
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

print("esp-idf-kconfig", version("esp-idf-kconfig"))
Path("Kconfig").write_text('mainmenu "demo"\nconfig PIN\n    int "pin"\n    range 9 10\n    default 9\n')
Path("defaults").write_text("CONFIG_PIN=010\n")
words = ["--kconfig", "Kconfig", "--defaults", "defaults", "--output", "header", "sdkconfig.h"]
subprocess.run([sys.executable, "-m", "kconfgen", *words], check=True, capture_output=True)
line = next(line for line in Path("sdkconfig.h").read_text().splitlines() if "CONFIG_PIN" in line)
print("range 9 to 10, CONFIG_PIN=010 becomes:", line)
assert line == "#define CONFIG_PIN 010"
print("to a C compiler that is", int(line.split()[-1], 8))
END
