#!/usr/bin/env bash
# The same word has one type in a YAML file of Hydra's and another on its command line, in both directions.
# Guessed: `key=WORD` on the command line gives what `key: WORD` in a file gives.
# Seen: 010 is 8 in the file and "010" on the line; 12:30 is 750 and "12:30"; no is False and "no"; 0x1F is 31 and "0x1F";
# but inf is "inf" in the file and a number on the line.
# Bites: whoever moves a working override into a file: seeds, times of day, register addresses, names of countries.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check hydra-core==1.3.8
venv/bin/python - <<'END'
from importlib.metadata import version

from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

print("hydra-core", version("hydra-core"), "omegaconf", version("omegaconf"))
parser = OverridesParser.create()
seen = {}
for word in ("010", "12:30", "no", "0x1F", "inf", "1e3"):
    seen[word] = OmegaConf.create(f"key: {word}").key, parser.parse_override(f"key={word}").value()
    print(f"{word:6} in a file: {seen[word][0]!r:8} on the line: {seen[word][1]!r}")
assert seen == {
    "010": (8, "010"),
    "12:30": (750, "12:30"),
    "no": (False, "no"),
    "0x1F": (31, "0x1F"),
    "inf": ("inf", float("inf")),
    "1e3": (1000.0, 1000.0),
}
END
