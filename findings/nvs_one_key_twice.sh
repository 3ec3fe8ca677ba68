#!/usr/bin/env bash
# An image of settings may hold one key twice.
# Guessed: nvs_partition_gen refuses a key that its CSV names twice in one namespace, as it refuses keys that are too long.
# Seen: both values are written, both marked as valid, without a word; ESP-IDF's API never leaves two.
# Bites: whoever appends a device's own settings to a file of defaults: which of the two the firmware reads is left to it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check esp-idf-nvs-partition-gen==0.3.0
printf 'key,type,encoding,value\nlock,namespace,,\nlimit,data,u8,3\nlimit,data,u8,4\n' > settings.csv
venv/bin/python -m esp_idf_nvs_partition_gen generate settings.csv settings.bin 0x3000
venv/bin/python - <<'END'
from importlib.metadata import version
from pathlib import Path

HEADER, ENTRY = 32, 32  # bytes; a page is a header, a bitmap of two bits an entry, and its entries
WRITTEN = 0b10
page = Path("settings.bin").read_bytes()
print("esp-idf-nvs-partition-gen", version("esp-idf-nvs-partition-gen"))
states = int.from_bytes(page[HEADER : HEADER + ENTRY], "little")
seen = []
for place in range(3):
    entry = page[HEADER + ENTRY * (place + 1) :][:ENTRY]
    state = states >> 2 * place & 0b11
    key = entry[8:24].rstrip(b"\0").decode()
    print(f"entry {place}: namespace {entry[0]}, key {key}, value {entry[24]}, state {state:#b}")
    if state == WRITTEN and key == "limit":
        seen.append(entry[24])
assert seen == [3, 4]
END
