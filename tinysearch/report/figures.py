"""The figures of a report as files, PNG and SVG, for papers and slides."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinysearch.files import writing
from tinysearch.report.data import DesignCard
from tinysearch.report.view import RunView
from tinysearch.report.wording import label_of, money_sign, rate_name, shown_in, unit_usd

FORMATS = ("png", "svg")
_COLORS = {"float32": "#0072B2", "int8": "#009E73"}
"""By precision, of Okabe and Ito's palette; what computes with single bits is orange."""
_BINARY = "#D55E00"
_KEY = {**_COLORS, "XNOR": _BINARY}
_MARKS = ("o", "^", "D", "s", "v", "P")
_TICKS = (1.0, 2.0, 5.0)
_STYLE: Any = {"svg.hashsalt": "tinysearch", "svg.fonttype": "none", "font.size": 9}
_SIZE_INCHES, _DOTS_PER_INCH = (5.0, 3.6), 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """A quantity of a design: its label, its value (None where unknown), and whether its axis is logarithmic."""

    label: str
    value: Callable[[RunView, DesignCard], float | None]
    log: bool = False


def _objective(name: str, *, label: str = "", scale: float = 1.0, log: bool = False) -> Axis:
    def value(view: RunView, design: DesignCard) -> float | None:
        found = view.value(design, name)
        return None if found is None else found * scale

    return Axis(label=label or label_of(name), value=value, log=log)


def _axes() -> dict[str, Axis]:
    """Axes by the name of what they show."""
    return {
        "eer": _objective("eer", label=f"{rate_name()} (%)", scale=100),
        "bom_cost_usd": _objective("bom_cost_usd", label=f"board cost ({money_sign()})", scale=1 / unit_usd()),
        "latency_s": _objective("latency_s", label="latency (ms)", scale=1e3, log=True),
        "weight_bytes": Axis(label="weights (KiB)", value=lambda v, d: v.weight_bytes(d) / 1024, log=True),
        "effective_latency_far1_s": _objective(
            "effective_latency_far1_s", label="effective latency at FAR 1 % (s)", log=True
        ),
        "effective_latency_far10_s": _objective(
            "effective_latency_far10_s", label="effective latency at FAR 10 % (s)", log=True
        ),
        "energy_mj": _objective("energy_mj", label="energy (mJ)", log=True),
        "power_mw": _objective("power_mw", label="average power (mW)", log=True),
        "battery_days": _objective("battery_days", label="battery life (days)", log=True),
        "flash_bytes": _objective("flash_bytes", label="flash (KiB)", scale=1 / 1024, log=True),
        "ram_bytes": _objective("ram_bytes", label="RAM (KiB)", scale=1 / 1024, log=True),
    }


def pairs(view: RunView) -> Iterator[tuple[str, str]]:
    """Names of the axes of every figure: those of the page, and each chosen objective against the first."""
    against = ("bom_cost_usd", "latency_s", "weight_bytes", "energy_mj")
    shown = [(name, "eer") for name in against]
    shown += [("bom_cost_usd", name) for name in ("effective_latency_far1_s", "effective_latency_far10_s")]
    first, *others = view.objectives
    shown += [(name, first) for name in others]
    yield from dict.fromkeys((x, y) for x, y in shown if x != y)


def write_figures(view: RunView, folder: Path) -> tuple[Path, ...]:
    """Write every figure that has a point, as ``<y>-over-<x>.png`` and ``.svg``; equal runs give equal files.

    Args:
        folder: made where it is not there.

    Raises:
        UserError: the folder cannot be written.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    written = []
    with (
        writing(folder),
        shown_in(view.data.currency, rate=view.data.rate),
        mpl.rc_context(_STYLE),
    ):
        folder.mkdir(parents=True, exist_ok=True)
        axes = _axes()
        for x, y in pairs(view):
            if not any(_place(view, axes[x], axes[y], design) for design in view.points):
                continue
            figure = Figure(figsize=_SIZE_INCHES, layout="constrained")
            FigureCanvasAgg(figure)
            _draw(figure.add_subplot(), view, axes[x], axes[y])
            for form in FORMATS:
                target = folder / f"{_file_name(y)}-over-{_file_name(x)}.{form}"
                figure.savefig(target, dpi=_DOTS_PER_INCH, metadata={"Date": None} if form == "svg" else None)
                written.append(target)
    return tuple(written)


def _file_name(axis: str) -> str:
    return axis.removesuffix("_usd").removesuffix("_s").removesuffix("_bytes").removesuffix("_mj").replace("_", "-")


def _place(view: RunView, x: Axis, y: Axis, design: DesignCard) -> tuple[float, float] | None:
    across, up = x.value(view, design), y.value(view, design)
    return None if across is None or up is None else (across, up)


def _draw(axes: Any, view: RunView, x: Axis, y: Axis) -> None:
    """Dominated designs pale, the front in color: by the coarsest precision of its networks, marked by its inputs."""
    from matplotlib.artist import Artist
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    front = set(view.front)
    others = [_place(view, x, y, design) for design in view.affordable if design.id not in front]
    behind = [place for place in others if place is not None]
    if behind:
        axes.scatter(*zip(*behind, strict=True), s=5, color="#bbbbbb", linewidths=0)
    seen = {_color(view, design) for design in view.points}
    legend: list[Artist] = [Patch(color=color, label=name) for name, color in _KEY.items() if color in seen]
    modalities = sorted({design.modality for design in view.points})
    for modality in modalities:
        mark = _MARKS[modalities.index(modality) % len(_MARKS)]
        shown = [(place, d) for d in view.points if d.modality == modality and (place := _place(view, x, y, d))]
        if shown:
            places, designs = zip(*shown, strict=True)
            colors = [_color(view, design) for design in designs]
            axes.scatter(*zip(*places, strict=True), s=32, c=colors, marker=mark)
            legend.append(Line2D([], [], linestyle="", color="#555555", marker=mark, label=modality))
    axes.set(xlabel=x.label, ylabel=y.label)
    if x.log:
        axes.set_xscale("log")
        _readable(axes.xaxis)
    if y.log:
        axes.set_yscale("log")
        _readable(axes.yaxis)
    axes.grid(color="#e5e5e5", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.legend(handles=legend, frameon=False)


def _readable(axis: Any) -> None:
    """Ticks of a logarithmic axis at 1, 2 and 5 of every power of ten, written as plain numbers."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(subs=_TICKS))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))
    axis.set_minor_formatter(NullFormatter())


def _color(view: RunView, design: DesignCard) -> str:
    precisions = [branch.precision for branch in view.branches(design)]
    if any(precision not in _COLORS for precision in precisions):
        return _BINARY
    return _COLORS["int8" if "int8" in precisions else "float32"]
