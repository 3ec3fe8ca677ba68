#!/usr/bin/env bash
# An amount in a currency that is no longer quoted is converted by its last rate, years old, without a word.
# Guessed: the latest rate of roubles, which the European Central Bank has not quoted since March 2022, is an error, as a date
# outside of a currency's range is.
# Seen: without a date, each currency has the last rate of its own: roubles of 2022, kroons of 2010, beside dollars of last month.
# Bites: whoever compares prices of parts from several countries by what seems to be today's rate.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check currencyconverter==0.18.23
venv/bin/python - <<'END'
from datetime import date
from importlib.metadata import version

from currency_converter import CurrencyConverter, RateNotFoundError

print("CurrencyConverter", version("currencyconverter"))
rates = CurrencyConverter()
for currency in ("USD", "RUB", "EEK"):
    last = rates.bounds[currency].last_date
    print(f"100 {currency} = {rates.convert(100, currency, 'EUR'):.2f} EUR, by the rate of {last}")
assert rates.bounds["RUB"].last_date == date(2022, 3, 1) and rates.bounds["EEK"].last_date == date(2010, 12, 31)
assert round(rates.convert(100, "RUB", "EUR"), 4) == 0.8532 and round(rates.convert(100, "EEK", "EUR"), 4) == 6.3912
try:
    rates.convert(100, "RUB", "EUR", date=date(2026, 10, 30))
except RateNotFoundError as error:
    print("with a date:", error)
else:
    raise SystemExit("with a date it answers, too")
END
