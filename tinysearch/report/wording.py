"""Numbers and designs as people read them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from tinysearch.core.objectives import OBJECTIVES
from tinysearch.core.power import lifetime
from tinysearch.core.units import US_DOLLARS, Currency, fixed, format_bytes
from tinysearch.report.data import BoardCard, DesignCard
from tinysearch.report.view import RunView

Format = Callable[[float, int], str]
_MOST_DIGITS = 6


def percent(fraction: float, digits: int = 1) -> str:
    """``7.9 %`` from 0.079."""
    return f"{fixed(fraction * 100, digits)} %"


def points(fraction: float, digits: int = 1) -> str:
    """``1.2 points`` from 0.012, of a difference of rates."""
    return f"{fixed(fraction * 100, digits)} points"


_CURRENCY: ContextVar[Currency] = ContextVar("currency", default=US_DOLLARS)


_RATE: ContextVar[str] = ContextVar("rate", default="EER")


@contextmanager
def shown_in(currency: Currency, *, rate: str = "EER") -> Iterator[None]:
    """Amounts of money within are written in a currency, that of the run's budget, and its error rate by its name."""
    tokens = _CURRENCY.set(currency), _RATE.set(rate)
    try:
        yield
    finally:
        _CURRENCY.reset(tokens[0])
        _RATE.reset(tokens[1])


def rate_name() -> str:
    """What the error rate is called: ``EER``, of a classification ``error``."""
    return _RATE.get()


def unit_usd() -> float:
    """US$ that one unit of the currency shown buys."""
    return _CURRENCY.get().usd


def money_sign() -> str:
    """What a column of amounts is called: ``US$`` or ``EUR``."""
    code = _CURRENCY.get().code
    return "US$" if code == "usd" else code.upper()


def usd(amount: float, digits: int = 2) -> str:
    """``$9.45`` from US$, or ``8.59 EUR`` within :func:`shown_in`."""
    return _CURRENCY.get().text(amount, digits)


def seconds(duration: float, digits: int = 0) -> str:
    """``340 ms`` below a second, ``4.1 ms`` below a hundredth, ``0.16 ms`` below a thousandth, ``1.20 s`` above."""
    if duration < 1:
        small = 2 if duration < 0.001 else 1 if duration < 0.01 else 0
        return f"{fixed(duration * 1e3, digits + small)} ms"
    return f"{duration:.{digits + 2}f} s"


def interval(bounds: Sequence[float] | None) -> str:
    """``[5.9-9.9 %]``, nothing where unknown."""
    return "" if bounds is None else f" [{fixed(bounds[0] * 100, 1)}-{fixed(bounds[1] * 100, 1)} %]"


def _bytes(size: float, digits: int) -> str:
    return format_bytes(round(size)) if digits == 0 else f"{size:.0f} bytes"


def _energy(energy: float, digits: int) -> str:
    return f"{fixed(energy, digits + 1)} mJ" if energy < 1000 else f"{energy / 1000:.{digits + 1}f} J"


def _power(power: float, digits: int) -> str:
    return f"{fixed(power, digits + (2 if power < 10 else 0))} mW"


def _days(days: float, digits: int) -> str:
    return lifetime(days) if digits == 0 else f"{days:.{digits}f} days"


_FORMATS: dict[str, tuple[Format, int]] = {
    "eer": (percent, 1),
    "bom_cost_usd": (usd, 2),
    "latency_s": (seconds, 0),
    "effective_latency_far1_s": (seconds, 0),
    "effective_latency_far10_s": (seconds, 0),
    "flash_bytes": (_bytes, 0),
    "ram_bytes": (_bytes, 0),
    "energy_mj": (_energy, 0),
    "power_mw": (_power, 0),
    "battery_days": (_days, 0),
}

_LABELS = {
    "eer": "EER",
    "bom_cost_usd": "cost",
    "latency_s": "latency",
    "effective_latency_far1_s": "effective latency at FAR 1 %",
    "effective_latency_far10_s": "effective latency at FAR 10 %",
    "flash_bytes": "flash",
    "ram_bytes": "RAM",
    "energy_mj": "energy",
    "power_mw": "power",
    "battery_days": "battery life",
}
assert set(_FORMATS) == set(_LABELS) == set(OBJECTIVES)  # noqa: S101 - a new objective needs words


def label_of(objective: str) -> str:
    """An objective in a sentence: ``cost``, ``latency``, ``EER``."""
    return rate_name() if objective == "eer" else _LABELS[objective]


def value_text(objective: str, value: float) -> str:
    """A value of an objective with its unit."""
    form, digits = _FORMATS[objective]
    return form(value, digits)


def pair_text(objective: str, first: float, second: float) -> tuple[str, str]:
    """Two values with as many digits as it takes to tell them apart."""
    form, digits = _FORMATS[objective]
    texts = form(first, digits), form(second, digits)
    while first != second and texts[0] == texts[1] and digits < _MOST_DIGITS:
        digits += 1
        texts = form(first, digits), form(second, digits)
    return texts


def count(number: int, noun: str, plural: str | None = None) -> str:
    """``1 point``, ``3 points``."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def network(view: RunView, design: DesignCard) -> str:
    """``face 2-2 int8 + voice 1-1 xnor2/1``."""
    return " + ".join(branch.short for branch in view.branches(design))


def memories(board: BoardCard) -> str:
    """``4 MB flash, no PSRAM``."""
    psram = f"{format_bytes(board.psram_bytes)} PSRAM" if board.psram_bytes else "no PSRAM"
    return f"{format_bytes(board.flash_bytes)} flash, {psram}"


def named(view: RunView, design: DesignCard) -> str:
    """``face 2-2 int8 on AI-Thinker ESP32-CAM``."""
    return f"{network(view, design)} on {board_name(view.board(design))}"


def board_name(board: BoardCard) -> str:
    """A board's name, marked if it cannot be built."""
    return board.name if board.buildable else f"{board.name} (on paper only)"


def _fitted(size: int) -> str:
    return format_bytes(size) if size else "none"


def change(view: RunView, old: DesignCard, new: DesignCard) -> str:
    """What is different between two designs: ``flash 2 MB → 4 MB, face 1-1 int8 → face 2-2 int8``."""
    before, after = view.board(old), view.board(new)
    found = []
    if network(view, old) != network(view, new):
        found.append(f"{network(view, old)} → {network(view, new)}")
    memory = (before.flash_bytes, before.psram_bytes) != (after.flash_bytes, after.psram_bytes)
    if memory and (before.processor, before.sensors) == (after.processor, after.sensors):
        for label, old_bytes, new_bytes in (
            ("flash", before.flash_bytes, after.flash_bytes),
            ("PSRAM", before.psram_bytes, after.psram_bytes),
        ):
            if old_bytes != new_bytes:
                found.append(f"{label} {_fitted(old_bytes)} → {_fitted(new_bytes)}")
    elif before.name != after.name:
        found.append(f"{board_name(before)} → {board_name(after)}")
    return ", ".join(found) or "the same parts otherwise"
