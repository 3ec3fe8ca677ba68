"""What a person sees while a search runs: a live line on a terminal, plain lines in a log."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Group
from rich.live import Live
from rich.text import Text

from tinysearch.app.console import SafeConsole, safe
from tinysearch.core.objectives import recorded_value
from tinysearch.report.wording import label_of, value_text
from tinysearch.search.events import SearchEvent

_LOG_EVERY_S = 10.0
_BAR = 24


class SearchProgress:
    """Shows search events: trainings with their fraction, best so far, front size, time left.

    On a terminal the display is redrawn in place; elsewhere one line is printed when a branch is trained and at least
    every ten seconds while one trains. Quiet shows nothing.

    Args:
        trains: networks are trained here, and the EER is that of validation people, by which a search decides; it
            says so. Otherwise error rates are looked up.
        rate: what the error rate is called.
    """

    def __init__(self, *, objectives: tuple[str, ...], trains: bool, rate: str = "EER", quiet: bool = False) -> None:
        self._console = SafeConsole(file=sys.stderr)
        self._objectives = objectives
        self._rates_of = "validation " if trains else ""
        self._rate = rate
        self._done = "trained" if trains else "looked up"
        self._quiet = quiet
        self._live = Live(console=self._console, refresh_per_second=4, transient=True)
        self._drawing = self._console.is_terminal and not quiet
        self._logged = 0.0

    def __enter__(self) -> SearchProgress:
        if self._drawing:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._drawing:
            self._live.stop()

    def __call__(self, event: SearchEvent) -> None:
        """Show one event."""
        if self._quiet:
            return
        if self._drawing:
            self._live.update(self._picture(event))
        if event.kind == "training":
            if self._drawing or time.monotonic() - self._logged < _LOG_EVERY_S:
                return
        elif event.kind == "trial":
            return
        self._logged = time.monotonic()
        self._console.print(Text(safe(self._line(event))), soft_wrap=True)

    def _line(self, event: SearchEvent) -> str:
        clock = f"[{_clock(event.elapsed_s)}]"
        match event.kind:
            case "training" if event.branch is not None:
                what = f"training {event.branch.short}: {event.phase}, {event.fraction:.0%}"
            case "trained" if event.branch is not None:
                what = f"{self._done} {event.branch.short}"
            case _:
                what = event.message or event.kind
        return "  ".join(part for part in (clock, what, self._state(event)) if part)

    def _state(self, event: SearchEvent) -> str:
        if event.kind == "stopped":
            return ""
        limit = "" if event.n_trials is None else f"/{event.n_trials}"
        left = "" if event.remaining_s is None else f", {_clock(event.remaining_s)} left"
        best = ", ".join(self._worded(name, value) for name, value in zip(self._objectives, event.best, strict=False))
        front = f", front {event.front_size}" if event.front_size else ""
        return f"trial {event.trials}{limit}{front}{f', best {best}' if best else ''}{left}"

    def _worded(self, objective: str, value: float) -> str:
        """``validation EER 7.9 %``, ``$7.00``, ``340 ms``: named where the unit does not say it."""
        text = value_text(objective, recorded_value(objective, value))
        if objective in ("bom_cost_usd", "latency_s", "energy_mj"):
            return text
        name = f"{self._rates_of}{self._rate}" if objective == "eer" else label_of(objective)
        return f"{name} {text}"

    def _picture(self, event: SearchEvent) -> Group:
        bars = [
            Text(safe(f"  {branch.short:24} {_bar(fraction)} {fraction:4.0%}")) for branch, fraction in event.training
        ]
        return Group(*bars, Text(safe(f"[{_clock(event.elapsed_s)}] {self._state(event)}")))


def _bar(fraction: float) -> str:
    full = round(min(max(fraction, 0.0), 1.0) * _BAR)
    return "#" * full + "." * (_BAR - full)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}" if minutes >= 60 else f"{minutes}:{rest:02d}"
