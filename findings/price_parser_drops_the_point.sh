#!/usr/bin/env bash
# A price of one and a half cents is read as fifteen dollars.
# Guessed: price-parser takes the point of 0.015 for a decimal one, as a group of thousands never follows a lone zero.
# Seen: three digits behind a point or comma are thousands whatever stands before: $0.015 is 15, EUR 0.125 is 125; with
# two or four digits behind it the point is one.
# Bites: whoever reads price lists of electronic parts, where a resistor costs $0.015 in hundreds: a thousand times too much.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check price-parser==0.5.1
venv/bin/python - <<'END'
from importlib.metadata import version

from price_parser import Price

print("price-parser", version("price-parser"))
seen = {text: str(Price.fromstring(text).amount) for text in ("$0.015", "EUR 0.125", "0,015 $", "$0.02", "$0.0150")}
for text, amount in seen.items():
    print(text, "->", amount)
assert seen == {"$0.015": "15", "EUR 0.125": "125", "0,015 $": "15", "$0.02": "0.02", "$0.0150": "0.0150"}
END
