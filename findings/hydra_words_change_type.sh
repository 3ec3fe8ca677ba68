#!/usr/bin/env bash
# Words that Hydra does not take for text: 2026_11_29 is a number, and others have one type in a file and another on the command line.
# Guessed: out=2026_11_29 is text, as out=2026-11-29 is; `key=WORD` on the command line gives what `key: WORD` in a file gives.
# Seen: 2026_11_29 is 20261129 in both. 010 is 8 in the file and "010" on the line; 12:30 is 750 and "12:30"; no is False and "no";
# 0x1F is 31 and "0x1F"; but inf is "inf" in the file and a number on the line.
# Bites: whoever names folders by date, or moves a working override into a file: seeds, times of day, registers, countries.
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
for word in ("2026_11_29", "2026-11-29", "010", "12:30", "no", "0x1F", "inf", "1e3"):
    seen[word] = OmegaConf.create(f"key: {word}").key, parser.parse_override(f"key={word}").value()
    print(f"{word:11} in a file: {seen[word][0]!r:13} on the line: {seen[word][1]!r}")
assert seen == {
    "2026_11_29": (20261129, 20261129),
    "2026-11-29": ("2026-11-29", "2026-11-29"),
    "010": (8, "010"),
    "12:30": (750, "12:30"),
    "no": (False, "no"),
    "0x1F": (31, "0x1F"),
    "inf": ("inf", float("inf")),
    "1e3": (1000.0, 1000.0),
}
END
