"""Money, sizes and durations as users spell them.

Memory parts are sold in binary multiples, so ``4MB`` means 4 MiB here, as it does in a data sheet.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from tinysearch.core.errors import UserError

_AMOUNT = re.compile(r"^\s*([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*([a-zA-Z$€]*)\s*$")
_DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d{1,2}(?!\d))")
_BYTES = {"": 1, "b": 1, "byte": 1, "bytes": 1, "k": 2**10, "kb": 2**10, "kib": 2**10}
_BYTES |= {"m": 2**20, "mb": 2**20, "mib": 2**20, "g": 2**30, "gb": 2**30, "gib": 2**30}
_SECONDS = {
    "": 1.0,
    "s": 1.0,
    "sec": 1.0,
    "ms": 1e-3,
    "min": 60.0,
    "m": 60.0,
    "h": 3600.0,
    "hour": 3600.0,
    "day": 86400.0,
    "days": 86400.0,
    "d": 86400.0,
}
_CURRENCIES = {
    "": "usd",
    "$": "usd",
    "us$": "usd",
    "usd": "usd",
    "dollar": "usd",
    "dollars": "usd",
    "€": "eur",
    "euro": "eur",
}


def _split(text: object, *, rule: str, remedy: str) -> tuple[float, str]:
    spelled = str(text).strip()
    match = _AMOUNT.match(spelled)
    if match is None or not math.isfinite(float(match.group(1))):
        raise UserError(rule, value=text, remedy=remedy)
    return float(match.group(1)), match.group(2).lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Currency:
    """What amounts are shown in: its code (``usd``, ``eur``) and the US$ that one unit of it buys."""

    code: str = "usd"
    usd: float = 1.0

    def text(self, amount_usd: float, digits: int = 2) -> str:
        """``$9.45``, or ``8.59 EUR`` of the same amount in US$."""
        amount = amount_usd / self.usd
        if self.code == "usd":
            return f"-${fixed(-amount, digits)}" if amount < 0 else f"${fixed(amount, digits)}"
        return f"{fixed(amount, digits)} {self.code.upper()}"


US_DOLLARS = Currency()


def currency_of(text: object, *, rates: Mapping[str, float] | None = None) -> Currency:
    """The currency in which an amount is typed; US$ for a plain number and for no amount (None).

    Raises:
        UserError: as :func:`parse_money`.
    """
    if text is None:
        return US_DOLLARS
    code, _ = _amount(text)
    parse_money(text, rates=rates)
    return US_DOLLARS if code == "usd" else Currency(code=code, usd=_rates(rates)[code])


def parse_money(text: object, *, rates: Mapping[str, float] | None = None) -> float:
    """US$ from ``15usd``, ``12.50USD``, ``$15``, ``USD 15``, ``12,50``, or ``15 eur`` with ``rates={"eur": 1.1}``.

    Args:
        text: the amount as typed; a plain number is US$.
        rates: US$ that one unit of another currency buys.

    Raises:
        UserError: not an amount, negative, or a currency without a rate.
    """
    currency, amount = _amount(text)
    rate = 1.0 if currency == "usd" else _rates(rates).get(currency)
    if rate is None:
        raise UserError(
            "a currency other than US$ must have an exchange rate",
            value=text,
            remedy=f"add rates.{currency}=USD_PER_UNIT" if len(currency) == 3 else _MONEY_REMEDY,
        )
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate < float("inf"):
        raise UserError(
            "an exchange rate must be a positive number of US$",
            value=f"rates.{currency}={rate}",
            remedy=f"write for example rates.{currency}=1.1",
        )
    if amount < 0:
        raise UserError("a budget must not be negative", value=text, remedy=_MONEY_REMEDY)
    return amount * rate


_MONEY_REMEDY = "write for example budget=15usd"


def _amount(text: object) -> tuple[str, float]:
    """Code of the currency and amount, as typed."""
    rule = "a budget must be an amount of money"
    ahead = re.fullmatch(r"\s*(us\$|[a-z]{3}|[$€])\s*([\d.,+-].*)", str(text), re.IGNORECASE | re.DOTALL)
    spelled = f"{ahead[2]}{ahead[1]}" if ahead else str(text)
    try:
        amount, unit = _split(_DECIMAL_COMMA.sub(".", spelled), rule=rule, remedy=_MONEY_REMEDY)
    except UserError:
        raise UserError(rule, value=text, remedy=_MONEY_REMEDY) from None
    return _CURRENCIES.get(unit, unit), amount


def _rates(rates: Mapping[str, float] | None) -> dict[str, float]:
    return {code.lower(): rate for code, rate in (rates or {}).items()}


def parse_bytes(text: object, *, what: str = "a size") -> int:
    """Bytes from ``4MB`` (4 MiB, as memory parts are sold), ``512KiB``, ``0MB`` or a plain number of bytes.

    Raises:
        UserError: not a size, negative, or not a whole number of bytes.
    """
    remedy = "write for example 4MB, 512KiB or 0MB"
    amount, unit = _split(text, rule=f"{what} must be a number of bytes", remedy=remedy)
    if unit not in _BYTES or amount < 0 or (amount * _BYTES[unit]) % 1:
        raise UserError(f"{what} must be a number of bytes", value=text, remedy=remedy)
    return int(amount * _BYTES[unit])


def parse_duration(text: object) -> float:
    """Seconds from ``10min``, ``90s``, ``2h`` or a plain number of seconds.

    Raises:
        UserError: not a duration, or negative.
    """
    remedy = "write for example timeout=10min"
    amount, unit = _split(text, rule="a duration must be an amount of time", remedy=remedy)
    if unit not in _SECONDS or amount < 0:
        raise UserError("a duration must be an amount of time", value=text, remedy=remedy)
    return amount * _SECONDS[unit]


def fixed(value: float, digits: int) -> str:
    """A number with so many decimals; with more where it would be told as nothing or by its last decimal alone.

    ``0.4`` and ``0.044`` of 0.4 and 0.0437 with one decimal: a small number has two significant digits. What is below
    a millionth is taken for what floating point left of a zero.
    """
    if 1e-6 <= abs(value) < 10.0**-digits:
        digits = 1 - math.floor(math.log10(abs(value)))
    return f"{value:.{digits}f}"


def written(value: float, digits: int = 12) -> str:
    """A number as people write it, ``100000`` and not ``1e+05``: all that is before the point, no zeros at the end.

    Args:
        value: any number.
        digits: significant ones at most, unless more stand before the point.
    """
    if not math.isfinite(value):
        return str(value)
    return format(Decimal(f"{value:.0f}" if abs(value) >= 10.0**digits else f"{value:.{digits}g}"), "f")


def format_bytes(size: int) -> str:
    """``4 MB``, ``212 KiB`` or ``17 B``: the shortest exact or one-decimal form; whole MiB print as ``MB``."""
    if size % 2**20 == 0:
        return f"{size // 2**20} MB"
    if size >= 2**20:
        return f"{size / 2**20:.2f} MiB"
    if size >= 2**10:
        return f"{size / 2**10:.0f} KiB" if size % 2**10 == 0 else f"{size / 2**10:.1f} KiB"
    return f"{size} B"
